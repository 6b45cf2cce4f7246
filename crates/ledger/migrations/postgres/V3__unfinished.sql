-- A row while a command fills this store (a copy, a restore): no server starts on it.
CREATE TABLE unfinished (
    command TEXT NOT NULL PRIMARY KEY
);

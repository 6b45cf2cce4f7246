"""Stores that move: copied between SQLite and PostgreSQL, killed on the way, backed up while nodes write, restored to a revision."""

import json
import random
import subprocess
import threading
import time

import pytest

from harness import Client, Server, Temp, binary, grantd
from postgres import Postgres

ROUNDS = 10


@pytest.fixture(scope="module")
def postgres():
    with Postgres() as running:
        yield running


@pytest.fixture(scope="module")
def work():
    with Temp("moving") as path:
        yield path


def database(postgres, name: str) -> str:
    """A connection string of a new and empty one."""
    postgres.sql(f"CREATE DATABASE {name}")
    return postgres.url.replace("/postgres?", f"/{name}?")


def ledger(*args, code=0) -> str:
    done = grantd("ledger", *args)
    assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def states(*store) -> dict[str, tuple]:
    """Of each realm its revision and state hash, verified."""
    told = [json.loads(line) for line in grantd("ledger", "verify", "--json", *store).stdout.splitlines()]
    assert told and all(one["ok"] for one in told), told
    return {one["realm"]: (one["revision"], one["state_hash"], one["ledger_id"]) for one in told}


def is_continued(original: dict, copy: dict) -> None:
    """The same realms and states, each one entry further and under another id."""
    assert original.keys() == copy.keys()
    for realm, (revision, state, ledger_id) in original.items():
        assert copy[realm][:2] == (revision + 1, state), realm
        assert copy[realm][2] != ledger_id, realm


def write(client: Client, name: str) -> None:
    client.post("/api/v1/users", {"login": name, "name": f"The name of {name}"}).ok()


@pytest.fixture(scope="module")
def sqlite(work):
    """A store of an embedded server with 600 entries, and a password."""
    server = Server(work / "sqlite", "moving-sqlite").start()
    client = server.client()
    for number in range(600):
        write(client, f"user-{number}")
    server.terminate()
    return server


def copy(source, target, *more) -> list:
    return ["copy", "--from", source, "--to", target, *more]


def test_to_postgres_and_back(postgres, work, sqlite):
    url, key = database(postgres, "there"), sqlite.data / "master.key"
    said = ledger(*copy(f"sqlite://{sqlite.data}", url))
    assert "the copy is finished" in said and str(key) in said
    original = states("--data", sqlite.data)
    is_continued(original, states("--store", url))

    store = ["--store", url, "--master-key-file", str(key)]
    with Server(work / "a", "moving-a", args=store) as a, Server(work / "b", "moving-b", args=store) as b:
        a.key = b.key = sqlite.key
        write(a.client(), "made-on-a")
        write(b.client(), "made-on-b")
        admin = Client(b.port, basic=("admin", sqlite.password))
        admin.get("/pulp/api/v2/users/").ok()
        said = ledger(*copy(url, f"sqlite://{work / 'early'}", "--master-key-file", key, "--live"))
        assert "is not finished" in said
        done = grantd("ledger", *copy(url, f"sqlite://{work / 'early'}", "--master-key-file", key))
        assert done.returncode == 2 and "sessions on the source" in done.stderr, done.stdout + done.stderr
    moved = states("--store", url)
    ledger(*copy(url, f"sqlite://{work / 'back'}", "--master-key-file", key))
    is_continued(moved, states("--data", work / "back"))
    assert (work / "back" / "master.key").read_bytes() == key.read_bytes()
    with Server(work / "back", "moving-back") as server:
        server.key = sqlite.key
        client = server.client()
        for name in ("user-599", "made-on-a", "made-on-b"):
            client.get(f"/api/v1/users/{name}").ok()


def test_a_source_that_goes_on_is_not_finished(postgres, work, sqlite):
    url, key = database(postgres, "goes_on"), sqlite.data / "master.key"
    ledger(*copy(f"sqlite://{sqlite.data}", url))
    # Servers are seen by the name of their sessions; one that hides is found by what it writes.
    hidden = ["--store", f"{url}&application_name=hidden", "--master-key-file", str(key)]
    with Server(work / "c", "moving-c", args=hidden) as node:
        node.key = sqlite.key
        writing = threading.Event()

        def keep_writing():
            client, number = node.client(), 0
            while not writing.is_set():
                write(client, f"meanwhile-{number}")
                number += 1

        writer = threading.Thread(target=keep_writing)
        writer.start()
        done = grantd("ledger", *copy(url, f"sqlite://{work / 'goes-on'}", "--master-key-file", key))
        writing.set()
        writer.join()
        assert done.returncode == 2 and "stop every server" in done.stderr, done.stdout + done.stderr
    done = grantd("serve", "--data", work / "goes-on", "--listen", "127.0.0.1:0")
    assert done.returncode == 2 and "grantd ledger copy" in done.stderr
    ledger(*copy(url, f"sqlite://{work / 'goes-on'}", "--master-key-file", key))
    is_continued(states("--store", url), states("--data", work / "goes-on"))


class Killer:
    """Kills commands after a random time, within what they take: that changes with what else the machine does."""

    def __init__(self, whole: float):
        self.whole = whole

    def kill(self, command: list) -> None:
        process = subprocess.Popen([binary(), "ledger", *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(random.uniform(0, self.whole))
            # It was faster.
            self.whole *= 0.8
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.whole *= 1.1


def test_killed_on_the_way_there_and_back(postgres, work, sqlite, capsys):
    source, key = f"sqlite://{sqlite.data}", sqlite.data / "master.key"
    original = states("--data", sqlite.data)
    begun = time.monotonic()
    ledger(*copy(source, database(postgres, "measured")))
    killer = Killer(time.monotonic() - begun)
    unfinished = round = 0
    # Until one was in the middle of it.
    while round < ROUNDS or not unfinished and round < 5 * ROUNDS:
        url = database(postgres, f"killed_{round}")
        killer.kill(copy(source, url))
        refused = grantd("ledger", "checkpoint", "--store", url, "--master-key-file", key)
        unfinished += "grantd ledger copy" in refused.stderr
        ledger(*copy(source, url))
        there = states("--store", url)
        is_continued(original, there)

        back = copy(url, f"sqlite://{work / f'killed-{round}'}", "--master-key-file", key)
        killer.kill(back)
        refused = grantd("ledger", "checkpoint", "--data", work / f"killed-{round}", "--master-key-file", key)
        unfinished += "grantd ledger copy" in refused.stderr
        ledger(*back)
        is_continued(there, states("--data", work / f"killed-{round}"))
        round += 1
    with capsys.disabled():
        print(f"\n  {2 * round} copies killed on the way, {unfinished} of them in the middle; each went on to the same states")
    assert unfinished


def test_backed_up_while_nodes_write_and_restored_to_a_revision(postgres, work, sqlite):
    url, key = database(postgres, "running"), sqlite.data / "master.key"
    ledger(*copy(f"sqlite://{sqlite.data}", url))
    store = ["--store", url, "--master-key-file", str(key)]
    with Server(work / "d", "moving-d", args=store) as d, Server(work / "e", "moving-e", args=store) as e:
        d.key = e.key = sqlite.key
        stop, written = threading.Event(), []

        def keep_writing(node):
            client, number = node.client(), 0
            while not stop.is_set():
                name = f"{node.name}-{number}"
                answer = client.post("/api/v1/users", {"login": name, "name": name}).ok()
                written.append((answer.revision, name))
                number += 1

        writers = [threading.Thread(target=keep_writing, args=[node]) for node in (d, e)]
        for writer in writers:
            writer.start()
        while len(written) < 40:
            time.sleep(0.01)
        before = max(revision for revision, _ in written[:40])
        ledger("backup", "--store", url, "--to", work / "running.backup")
        seen = len(written)
        while len(written) < seen + 20:
            time.sleep(0.01)
        stop.set()
        for writer in writers:
            writer.join()
    revision, name = sorted(written)[20]
    later = {other for at, other in written if at > revision}
    assert before >= revision

    # Into a database, cut in the middle of what the nodes wrote.
    cut = database(postgres, "cut")
    restore = ["restore", "--from", work / "running.backup", "--master-key-file", key]
    said = ledger(*restore, "--to", cut, "--until", revision)
    assert "restored to the PostgreSQL store" in said
    hashes = {}
    for where in (url, cut):
        shown = ledger("show", "--store", where, "--after", revision - 1, "--limit", 1, "--json")
        hashes[where] = json.loads(shown)["hash"]
    assert hashes[url] == hashes[cut], "the entry at which it was cut is the original's"
    told = states("--store", cut)
    assert told["default"][0] == revision + 1
    with Server(work / "f", "moving-f", args=["--store", cut, "--master-key-file", str(key)]) as node:
        node.key = sqlite.key
        client = node.client()
        client.get(f"/api/v1/users/{name}").ok()
        assert all(client.get(f"/api/v1/users/{other}").status == 404 for other in later)
        write(client, "goes-on")

    # Cut in a data directory it is the same; whole it holds at least what was written before it was begun.
    ledger(*restore, "--data", work / "cut", "--until", f"default={revision}")
    assert states("--data", work / "cut")["default"][:2] == told["default"][:2]
    ledger(*restore, "--data", work / "whole")
    assert states("--data", work / "whole")["default"][0] > before

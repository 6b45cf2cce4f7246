"""What an operator can find out, save and remove: tampering, checkpoints, backups, erasure."""

import shutil
import sqlite3
import time
from datetime import datetime, timedelta, timezone

import pytest

from harness import Server, Temp
from ledger_cli import backup, checkpoint, entries, erase, restore, state, verify
from workload import Writer, losses, run_writers

REALM = "default"


def fill(server: Server, commands=60) -> Writer:
    """A ledger with some of everything."""
    writer, client = Writer(0, 5), server.client()
    client.post("/api/v1/users", {"login": "somebody", "name": "Some Body"}).ok()
    for _ in range(commands):
        command = writer.next()
        writer.take(command, command.send(client).ok())
    client.close()
    return writer


@pytest.fixture(scope="module")
def filled():
    """A server that wrote something and was closed cleanly; tests work on copies of its data."""
    with Temp("ledger") as work:
        server = Server(work / "data", "ledger").start()
        fill(server)
        server.terminate()
        # All in one file, so that a copy of it is a copy of everything.
        db = sqlite3.connect(work / "data" / "grantd.db")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        yield server


@pytest.fixture
def data(filled):
    with Temp("tampered") as work:
        shutil.copytree(filled.data, work / "data")
        yield work / "data"


class Entries:
    """The entries of a store, to be changed behind its back."""

    def __init__(self, data):
        self.db = sqlite3.connect(data / "grantd.db")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.commit()
        self.db.close()

    def last(self) -> int:
        return self.db.execute("SELECT max(revision) FROM entry WHERE realm = ?", [REALM]).fetchone()[0]

    def get(self, revision: int, column: str) -> bytes:
        query = f"SELECT {column} FROM entry WHERE realm = ? AND revision = ?"
        return self.db.execute(query, [REALM, revision]).fetchone()[0]

    def set(self, revision: int, **columns) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        done = self.db.execute(
            f"UPDATE entry SET {names} WHERE realm = ? AND revision = ?", [*columns.values(), REALM, revision]
        )
        assert done.rowcount == 1


def assert_broken(data, revision):
    code, text = verify(data)
    assert code == 1, f"{code}: {text}"
    assert str(revision) in text, f"revision {revision} is not named: {text}"


def test_an_untouched_ledger_is_good(data):
    assert verify(data)[0] == 0
    found = state(data)
    assert found["revision"] > 50 and found["state_hash"]


@pytest.mark.parametrize("where", [0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0])
@pytest.mark.parametrize("revision", [1, 2, 30, "last"])
def test_a_flipped_bit(data, revision, where):
    with Entries(data) as store:
        revision = store.last() if revision == "last" else revision
        changed = bytearray(store.get(revision, "bytes"))
        changed[int(where * (len(changed) - 1))] ^= 1
        store.set(revision, bytes=bytes(changed))
    assert_broken(data, revision)


@pytest.mark.parametrize("column", ["hash", "command_id"])
def test_a_flipped_bit_beside_the_entry(data, column):
    with Entries(data) as store:
        changed = bytearray(store.get(20, column))
        changed[0] ^= 1
        store.set(20, **{column: bytes(changed)})
    assert_broken(data, 20)


@pytest.mark.parametrize("revision", [1, 20])
def test_a_removed_entry(data, revision):
    with Entries(data) as store:
        store.db.execute("DELETE FROM entry WHERE realm = ? AND revision = ?", [REALM, revision])
    assert_broken(data, revision)


def test_two_entries_swapped(data):
    with Entries(data) as store:
        rows = {r: [store.get(r, c) for c in ("command_id", "hash", "bytes")] for r in (20, 21)}
        for revision, other in ((20, 21), (21, 20)):
            command_id, digest, content = rows[other]
            store.set(revision, command_id=command_id, hash=digest, bytes=content)
    assert_broken(data, 20)


def test_a_changed_disclosure(data):
    """Not part of an entry's bytes, but committed to by it."""
    with Entries(data) as store:
        row = store.db.execute(
            "SELECT revision, slot, value FROM disclosure WHERE realm = ? AND length(value) > 0 LIMIT 1", [REALM]
        ).fetchone()
        assert row, "the user's name is a disclosure"
        revision, slot, value = row
        store.db.execute(
            "UPDATE disclosure SET value = ? WHERE realm = ? AND revision = ? AND slot = ?",
            [bytes([value[0] ^ 1]) + value[1:], REALM, revision, slot],
        )
    assert_broken(data, revision)


def test_a_head_that_points_elsewhere(data):
    with Entries(data) as store:
        last = store.last()
        store.db.execute("UPDATE ledger SET revision = revision + 1 WHERE realm = ?", [REALM])
    code, text = verify(data)
    assert code == 1, text
    assert str(last) in text or str(last + 1) in text, text


def truncate(data, by: int) -> int:
    """Removes the newest entries and sets the head to the one before, as whoever wants to hide them would."""
    kept = entries(data)[-1 - by]
    last, time_of_last = kept["revision"], datetime.fromisoformat(kept["time"].replace("Z", "+00:00"))
    micros = (time_of_last - datetime.fromtimestamp(0, timezone.utc)) // timedelta(microseconds=1)
    with Entries(data) as store:
        for table in ("entry", "disclosure", "snapshot", "checkpoint"):
            store.db.execute(f"DELETE FROM {table} WHERE realm = ? AND revision > ?", [REALM, last])
        store.db.execute(
            "UPDATE ledger SET revision = ?, hash = ?, time = ? WHERE realm = ?",
            [last, store.get(last, "hash"), micros, REALM],
        )
    return last


def test_a_cut_tail_shows_against_a_checkpoint_kept_elsewhere(data):
    kept = data.parent / "checkpoint"
    checkpoint(data, kept)
    assert verify(data, kept)[0] == 0
    truncate(data, 3)
    code, text = verify(data)
    assert code == 0, f"the chain itself is whole: {text}"
    code, text = verify(data, kept)
    assert code == 1, text


def test_a_checkpoint_holds_while_the_ledger_grows(data, filled):
    kept = data.parent / "checkpoint"
    checkpoint(data, kept)
    with Server(data, "grown") as server:
        server.key = filled.key
        assert server.client().post("/identity/v1/identities").status == 200
    assert verify(data, kept)[0] == 0


def test_what_cannot_be_read(data):
    assert verify(data / "nowhere")[0] == 2
    (data / "grantd.db").write_bytes(b"this is no database" * 1000)
    assert verify(data)[0] == 2


def test_a_backup_is_the_same_state(data):
    backup(data, data.parent / "backup")
    restore(data.parent / "backup", data.parent / "restored")
    before, after = state(data), state(data.parent / "restored")
    assert before["state_hash"] == after["state_hash"]
    assert verify(data.parent / "restored")[0] == 0


def test_a_restored_server_is_the_same_but_says_so(data, filled):
    """The same records under the same key; only that revisions of the original mean nothing to it."""
    backup(data, data.parent / "backup")
    restore(data.parent / "backup", data.parent / "restored", data / "master.key")
    seen, tokens = [], []
    for folder in (data, data.parent / "restored"):
        with Server(folder, "restored") as server:
            server.key = filled.key
            client = server.client()
            answer = client.get("/identity/v1/identities?limit=1000").ok()
            seen.append(answer.json())
            tokens.append(answer.headers["Grantd-Revision"])
            if len(tokens) == 2:
                stale = client.get("/api/v1/users", headers={"Grantd-At-Least": tokens[0]})
                assert (stale.status, stale.json()["code"]) == (409, "other_ledger")
            client.close()
    assert seen[0] == seen[1] and seen[0]["total"] > 0
    assert tokens[0].partition(".")[0] != tokens[1].partition(".")[0]


def test_a_restore_does_not_overwrite(data):
    backup(data, data.parent / "backup")
    before = state(data)
    with pytest.raises(AssertionError):
        restore(data.parent / "backup", data)
    assert state(data) == before


def test_a_backup_under_load_is_one_moment(capsys):
    """Taken while 16 writers write; what it holds is a state that the ledger really had."""
    with Temp("backup") as work:
        writers = [Writer(number, 9) for number in range(16)]
        with Server(work / "data", "backup") as server:

            def end():
                for number in range(3):
                    time.sleep(0.3)
                    backup(work / "data", work / f"backup-{number}")
                    assert verify(work / "data")[0] == 0, "verifying needs no standstill"

            run_writers(server, writers, end)
            assert losses(server, writers) == []
        revisions = []
        for number in range(3):
            restore(work / f"backup-{number}", work / f"restored-{number}")
            code, text = verify(work / f"restored-{number}")
            assert code == 0, text
            restored = state(work / f"restored-{number}")
            revisions.append(restored["revision"])
            # The original, cut back to the same revision, folds to the same state.
            shutil.copytree(work / "data", work / "cut")
            at = backup_revision(work / f"restored-{number}")
            with Entries(work / "cut") as store:
                by = store.last() - at
            truncate(work / "cut", by)
            assert state(work / "cut")["state_hash"] == restored["state_hash"]
            shutil.rmtree(work / "cut")
    assert revisions == sorted(revisions)
    with capsys.disabled():
        print(f"\n  three backups under load, at revisions {revisions}", end="")


def backup_revision(restored) -> int:
    """The last revision that came from the original: a restore goes on under a new ledger id, with an entry that says so."""
    with Entries(restored) as store:
        ids = store.db.execute("SELECT revision FROM ledger WHERE realm = ?", [REALM]).fetchone()
        return ids[0] - 1


def test_an_erased_name_is_nowhere():
    name = "Zaphod Quillfeather-Umbrage"
    with Temp("erase") as work:
        server = Server(work / "data", "erase").start()
        client = server.client()
        client.post("/api/v1/users", {"login": "zq", "name": name}).ok()
        client.post("/api/v1/users", {"login": "other", "name": "Somebody Else"}).ok()
        client.close()
        server.terminate()
        assert found_in(work / "data", name), "the name is stored before it is erased"
        revision = state(work / "data")["revision"]
        erase(work / "data", "user:zq")
        assert found_in(work / "data", name) == []
        assert found_in(work / "data", "Somebody Else"), "only this one"
        code, text = verify(work / "data")
        assert code == 0, text
        assert state(work / "data")["revision"] >= revision
        server.start()
        client = server.client()
        assert name.encode() not in client.get("/api/v1/users/zq").raw
        client.close()
        server.terminate()
        assert found_in(work / "data", name) == []


def found_in(folder, text: str) -> list:
    """Files that contain the text, in UTF-8 or UTF-16."""
    forms = [text.encode(), text.encode("utf-16-le")]
    return [path for path in folder.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in forms)]

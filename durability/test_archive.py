"""Entries taken out of a ledger, by a command that is killed at any moment; with PostgreSQL while a server writes."""

import json
import random
import subprocess
import time
from pathlib import Path

from harness import Server, Temp, binary, grantd
from postgres import Postgres
from workload import Writer, losses, run_writers

# Killed in each direction, besides the times when it is left alone.
ROUNDS = 6
ENTRIES = 1_500


class Ledger:
    """The commands on one store."""

    def __init__(self, *store, work: Path):
        self.store, self.file = [str(part) for part in store], work / "first.archive"
        self.lot = random.Random(7)

    def verify(self, *more) -> dict:
        done = grantd("ledger", "verify", *self.store, "--realm", "default", "--json", *more)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def archive(self, before: int) -> list[str]:
        return ["archive", *self.store, "--before", str(before), "--to", str(self.file)]

    def unarchive(self) -> list[str]:
        return ["unarchive", *self.store, str(self.file)]

    def done(self, command: list[str]) -> float:
        """Seconds that it took."""
        begun = time.monotonic()
        done = grantd("ledger", *command)
        assert done.returncode == 0, done.stdout + done.stderr
        return time.monotonic() - begun

    def killed(self, command: list[str], within: float) -> None:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([binary(), "ledger", *command], **quiet)
        time.sleep(self.lot.uniform(0, within))
        process.kill()
        process.wait()


def killed_and_run_again(ledger: Ledger, before: int) -> tuple[int, int]:
    """How often the killed command had done nothing, and how often all of it."""
    first = ledger.verify()
    takes = [ledger.done(ledger.archive(before)), ledger.done(ledger.unarchive())]
    ledger.file.unlink()
    nothing = everything = 0
    for _ in range(ROUNDS):
        for command, within, gone in [
            (ledger.archive(before), takes[0], before - 1),
            (ledger.unarchive(), takes[1], 0),
        ]:
            ledger.killed(command, within)
            found = ledger.verify()
            assert found["revision"] >= first["revision"]
            assert found["archived"] in (0, before - 1)
            if found["archived"] == gone:
                everything += 1
            else:
                nothing += 1
            if gone or found["archived"]:
                ledger.done(command)
            found = ledger.verify(*(["--archive", ledger.file] if gone else []))
            assert (found["archived"], found["archived_looked_at"]) == (gone, gone)
        ledger.file.unlink()
    return nothing, everything


def fill(server: Server, entries: int) -> None:
    client = server.client()
    for number in range(entries):
        client.post("/api/v1/users", {"login": f"user-{number}", "name": f"Name {number}"}).ok()
    client.close()


def test_killed_at_any_moment(capsys):
    with Temp("archive") as work:
        server = Server(work / "data", "archive").start()
        fill(server, ENTRIES)
        server.terminate()
        ledger = Ledger("--data", work / "data", work=work)
        before = ledger.verify()
        nothing, everything = killed_and_run_again(ledger, ENTRIES)
        with capsys.disabled():
            print(f"\n  killed {nothing + everything} times: {nothing} had done nothing, {everything} all of it")
        assert nothing, "none was killed in time"
        assert ledger.verify()["state_hash"] == before["state_hash"]
        server.start()
        client = server.client()
        assert client.get("/api/v1/users/user-3").json()["name"] == "Name 3"
        client.close()
        server.terminate()


def test_killed_beside_a_server_that_writes(capsys):
    with Temp("archive-postgres") as work, Postgres() as postgres:
        server = postgres.node(work, "one").start()
        fill(server, ENTRIES)
        ledger = Ledger("--store", postgres.url, "--master-key-file", work / "master.key", work=work)
        writers = [Writer(number, 11) for number in range(4)]
        counts = []
        run_writers(server, writers, lambda: counts.append(killed_and_run_again(ledger, ENTRIES)))
        nothing, everything = counts[0]
        written = sum(writer.acknowledged for writer in writers)
        with capsys.disabled():
            print(f"\n  killed {nothing + everything} times beside {written} writes: {nothing} had done nothing, {everything} all of it")
        assert nothing, "none was killed in time"
        assert [line for writer in writers for line in writer.refused] == []
        assert written > 100
        assert losses(server, writers) == []
        ledger.done(ledger.archive(ENTRIES))
        # Another node begins with what is there now.
        other = postgres.node(work, "two", first=server).start()
        assert losses(other, writers) == []
        client = other.client()
        answer = client.get("/api/v1/ledger?after=0")
        assert (answer.status, answer.json()["code"], answer.json()["first"]) == (410, "archived", ENTRIES)
        assert client.get(f"/api/v1/ledger?after={ENTRIES - 1}&limit=1").json()["items"][0]["revision"] == ENTRIES
        client.close()
        other.terminate()
        server.terminate()
        assert ledger.verify("--archive", ledger.file)["archived_looked_at"] == ENTRIES - 1

"""One sync or write after another fails; nothing is answered wrongly, and what was answered is there.

For each n, the n-th call that a small scripted workload makes on the store fails. A command that is then answered
with an error is either sent again at once, or left alone: left alone it stays what it was, there or not, over the
restart. Sent again with its key, it is done exactly once.
"""

import errno
import os

import pytest

from faultfs import FaultFs
from harness import Server, Temp
from ledger_cli import verify
from workload import GONE, Writer, finish_pending, losses

THOROUGH = os.environ.get("GRANTD_FAULTS", "all") == "all"


def script():
    """Each step makes one command from what the writer has so far."""

    def first(writer):
        return next(iter(writer.identities))

    def vm(writer):
        return next(iter(writer.identities[first(writer)]))

    return [
        Writer.create,
        lambda w: w.grant(first(w)),
        Writer.relate,
        lambda w: w.update(first(w), vm(w)),
        lambda w: w.grant(first(w)),
        lambda w: w.revoke(first(w), vm(w)),
        Writer.relate,
        lambda w: w.delete(first(w)),
        Writer.create,
        lambda w: w.grant(first(w)),
    ]


class Trial:
    """A server over one data directory, and every writer that ever wrote to it."""

    def __init__(self, work, name):
        self.fs = FaultFs(work / "data", work)
        self.server = Server(work / "data", name, env=self.fs.environment).start()
        self.writers = []
        self.errors = 0

    def attempt(self, kind, nth, error, again_at_once, times=1) -> bool:
        """The script with its n-th call failing, and those after it; whether there was an n-th call at all."""
        writer = Writer(len(self.writers), 0)
        self.writers.append(writer)
        client = self.server.client()
        self.fs.fail(kind, nth, error, times)
        for step in script():
            command = step(writer)
            answer = command.send(client)
            if answer.status == 200:
                writer.take(command, answer)
                continue
            assert self.fs.fired(kind) > 0, f"{command.name}: {answer.status} {answer.raw!r} although nothing failed"
            assert answer.status >= 500 and "code" in answer.json(), f"{answer.status} {answer.raw!r}"
            self.fs.heal()
            self.errors += 1
            writer.pending = command
            if again_at_once:
                assert finish_pending(self.server, self.writers)[1] == []
            else:
                break
        fired = self.fs.fired(kind) > 0
        self.fs.heal()
        client.close()
        return fired

    def over_the_end(self, end) -> None:
        """Ends the server, cleanly or by a power cut, starts it and compares everything."""
        writer, client = self.writers[-1], self.server.client()
        if writer.pending:
            # What became of it is open until the store works again, which the next command finds out.
            other = Writer(len(self.writers), 0)
            self.writers.insert(0, other)
            command = other.create()
            other.take(command, command.send(client).ok())
        before = writer.pending.seen(client) if writer.pending else None
        client.close()
        end()
        code, text = verify(self.server.data)
        assert code == 0, text
        self.server.start()
        client = self.server.client()
        if writer.pending and writer.pending.name != "create":
            assert writer.pending.seen(client) == before, "what was reported as failed changed over the restart"
        client.close()
        assert finish_pending(self.server, self.writers)[1] == []
        assert losses(self.server, self.writers) == []

    def clean_end(self):
        self.server.terminate()
        self.fs.settle()

    def power_cut(self):
        self.server.kill()
        self.fs.power_cut()


@pytest.fixture
def trial(request):
    name = request.node.name.replace("[", "-").rstrip("]")
    with Temp("faults") as work:
        one = Trial(work, name)
        yield one
        one.server.kill()


@pytest.mark.parametrize("end", ["clean_end", "power_cut"])
@pytest.mark.parametrize("again_at_once", [True, False], ids=["again", "left"])
def test_each_sync_fails(trial, again_at_once, end, capsys):
    nth = 0
    while True:
        nth += 1
        assert nth < 200, "the script never comes to its end without a failure"
        fired = trial.attempt("sync", nth, errno.EIO, again_at_once)
        trial.over_the_end(getattr(trial, end))
        if not fired:
            break
    with capsys.disabled():
        print(f"\n  {nth - 1} syncs, each failed once; {trial.errors} commands were answered with an error", end="")
    assert nth - 1 >= len(script()), "each command needs a sync of its own"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_each_write_fails(trial, error, capsys):
    nth, step = 0, 1 if THOROUGH else 2
    while True:
        nth += step if nth else 1
        assert nth < 2000, "the script never comes to its end without a failure"
        fired = trial.attempt("write", nth, error, again_at_once=nth // step % 2 == 0)
        trial.over_the_end(trial.clean_end)
        if not fired:
            break
    with capsys.disabled():
        print(f"\n  {nth - 1} writes, each {step}. failed once; {trial.errors} commands answered with an error", end="")
    assert nth - 1 >= len(script())


@pytest.mark.parametrize("again_at_once", [True, False], ids=["again", "left"])
@pytest.mark.parametrize("kind, error, points", [("sync", errno.EIO, (1, 4, 8)), ("write", errno.ENOSPC, (1, 9, 40))])
def test_all_fail_from_then_on(trial, kind, error, points, again_at_once):
    """A store that stays broken cannot be worked around: the command must be answered with an error, and that must be true."""
    for nth in points:
        for end in (trial.clean_end, trial.power_cut):
            before = trial.errors
            assert trial.attempt(kind, nth, error, again_at_once, times=0)
            assert trial.errors > before, "nothing reached the disk, and the client was told otherwise"
            trial.over_the_end(end)


def test_a_full_disk(trial):
    """Writes fail, questions are answered, and once there is room again all goes on without a restart."""
    trial.attempt("sync", 10_000, errno.EIO, True)
    writer = Writer(1, 0)
    trial.writers.append(writer)
    client = trial.server.client()
    trial.fs.fail("write", 1, errno.ENOSPC, times=0)
    for _ in range(5):
        answer = writer.create().send(client)
        assert answer.status >= 500 and "code" in answer.json(), f"{answer.status} {answer.raw!r}"
        assert client.get("/identity/v1/identities").status == 200
    trial.fs.heal()
    command = writer.create()
    answer = command.send(client)
    assert answer.status == 200, f"there is room again: {answer.status} {answer.raw!r}"
    writer.take(command, answer)
    trial.over_the_end(trial.clean_end)


@pytest.mark.parametrize("kind, error", [("sync", errno.EIO), ("write", errno.ENOSPC), ("open", errno.EIO)])
def test_the_first_start_fails_at_some_point(kind, error, capsys):
    """Wherever it stops, the next start gets up, with the same key."""
    with Temp("start") as work:
        fs = FaultFs(work / "count", work)
        with Server(work / "count", f"start-{kind}", env=fs.environment):
            calls = fs.calls(kind)
    assert calls > 0
    points = range(1, calls + 1) if THOROUGH or calls <= 12 else sorted({1 + i * (calls - 1) // 11 for i in range(12)})
    refused = 0
    for nth in points:
        with Temp("start") as work:
            fs = FaultFs(work / "data", work)
            server = Server(work / "data", f"start-{kind}-{nth}", env=fs.environment)
            fs.fail(kind, nth, error)
            try:
                server.start()
                server.terminate()
            except (RuntimeError, *GONE):
                refused += 1
                server.kill()
            fs.heal()
            fs.settle()
            server.start()
            client = server.client()
            assert client.post("/identity/v1/identities").status == 200
            assert client.post("/identity/v1/identities").status == 200
            client.close()
            server.terminate()
            code, text = verify(server.data)
            assert code == 0, text
    with capsys.disabled():
        print(f"\n  {calls} calls of {kind} at the first start, {len(points)} failed, {refused} refused to start", end="")

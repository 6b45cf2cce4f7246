#!/usr/bin/env python3
"""The fault table: what is done to a cluster under load, round after round, and what came of it.

    faults.py [--row NAME ...] [--rounds N] [--jobs N] [--pause SECONDS] [--seed N] [--keep DIR]

So many rows at once, each with a cluster of its own. Each round prints a line. It is wrong when an acknowledged write is lost or is there twice, when what was refused is there, when a
check was answered from an older revision than its caller asked for, when writes do not go on by themselves in time, when the nodes
do not come to the same head, or when the history checker finds anything. Ends with 1 if any round was wrong.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from checker import verdict  # noqa: E402
from harness import RUN  # noqa: E402
from history import History, Op, faults_in, ledger_lines  # noqa: E402
from nodes import Cluster, wait_until  # noqa: E402
from rows import AFTERWARDS, ROWS, Row, Scene  # noqa: E402
from traffic import Traffic  # noqa: E402

BEFORE, AFTER = 1.0, 2.0
# The processes of rows.
_started: list[subprocess.Popen] = []


class Round:
    """One of them, and what it came to."""

    def __init__(self, row: Row, cluster: Cluster, number: int, seed: int, pause: float):
        self.row, self.cluster, self.number, self.pause = row, cluster, number, pause
        self.lot = random.Random(f"{seed}/{row.name}/{number}")
        self.wrong: list[str] = []
        self.said = self.words = ""
        self.resumed = float("nan")

    def run(self) -> "Round":
        self.traffic = Traffic(self.cluster, seed=self.lot.random()).start()
        scene = Scene(self.cluster, self.traffic, self.lot, self.number, self.pause)
        time.sleep(BEFORE)
        self.began = time.monotonic_ns()
        try:
            self.said = self.row.fault(scene)
        except AssertionError as error:
            self.wrong.append(str(error))
        self.gone = time.monotonic_ns()
        self._expect(self._writes_go_on)
        if afterwards := AFTERWARDS.get(self.row.fault):
            afterwards(scene)
        time.sleep(AFTER)
        self.ended = time.monotonic_ns()
        self.traffic.finish()
        self._expect(self._nobody_was_held_up)
        self._expect(self._all_are_ready)
        self._expect(self._all_agree)
        self._judge()
        return self

    def _expect(self, promise) -> None:
        try:
            promise()
        except AssertionError as error:
            self.wrong.append(str(error))

    def _writes_go_on(self) -> None:
        def again():
            return any(op.outcome == "ok" and op.returned > self.gone for op in self.traffic.history.writes())

        wait_until(again, 90, "writes do not go on")
        self.resumed = (min(op.returned for op in self.acknowledged() if op.returned > self.gone) - self.gone) / 1e9
        assert self.resumed < self.row.within, f"writes went on after {self.resumed:.1f} s, not within {self.row.within:.0f}"

    def _nobody_was_held_up(self) -> None:
        assert self.longest_pause() < self.row.hush, f"nobody could write for {self.longest_pause():.1f} s, as one node could not"

    def _all_are_ready(self) -> None:
        for node in self.cluster.nodes:
            wait_until(lambda: node.is_ready()[0] == 200, 30, f"node {node.node} does not become ready: {node.is_ready()}")

    def _all_agree(self) -> None:
        def heads():
            return {node.head() for node in self.cluster.nodes}

        wait_until(lambda: len(heads()) == 1, 15, f"the nodes stay apart: {heads()}")

    def acknowledged(self) -> list[Op]:
        return [op for op in self.traffic.history.writes() if op.outcome == "ok"]

    def _judge(self) -> None:
        history, ops = self.traffic.history, self.traffic.history.ops
        lines = ledger_lines(self.cluster, {op.key for op in ops})
        self.found = faults_in(ops, lines)
        self.wrong += [f"{name}: {line}" for name, found in self.found.items() for line in found[:5]]
        self.wrong += [f"unexpected: {line}" for line in history.unexpected[:5]]
        if complaint := self.cluster.complaint():
            self.wrong.append(complaint)
        good, self.words = verdict(history, lines, self.cluster.data)
        if not good:
            self.wrong += [f"checker: {line}" for line in self.words.splitlines()[:8]]

    def longest_pause(self) -> float:
        """The longest time without an acknowledged write, from the fault on."""
        times = [self.began, *sorted(op.returned for op in self.acknowledged() if self.began < op.returned < self.ended)]
        return max((later - earlier for earlier, later in zip(times, times[1:])), default=0) / 1e9

    def __str__(self) -> str:
        writes = self.traffic.history.writes()
        counts = Counter(op.outcome for op in writes)
        again = sum(len(op.attempts) > 1 for op in writes)
        reads = sum(op.kind == "read" and op.outcome == "ok" for op in self.traffic.history.ops)
        marked = sum(op.stale is not None for op in self.traffic.history.ops)
        found = {name: len(lines) for name, lines in self.found.items()}
        return (
            f"{self.row.name} {self.number}: {self.said or 'not as it should be'}; {counts['ok']} writes acknowledged, "
            f"{again} sent again, {counts['unknown']} unknown, {counts['failed']} failed, {counts['refused']} refused; "
            f"{found['lost']} lost, {found['twice']} twice, {found['undone']} undone; {reads} reads, {marked} marked stale, "
            f"{found['stale']} staler than asked; writes went on {self.resumed:.1f} s after, longest pause "
            f"{self.longest_pause():.1f} s; checker: {self.words.splitlines()[-1] if self.words else '-'}"
        )


def run_row(row: Row, rounds: int, seed: int, pause: float, keep: Path | None) -> list[Round]:
    done = []
    with Cluster(f"faults-{row.name}", **row.options) as cluster:
        for number in range(1, rounds + 1):
            one = Round(row, cluster, number, seed, pause).run()
            print(one, flush=True)
            for line in one.wrong:
                print(f"    WRONG {row.name}: {line}", flush=True)
            done.append(one)
            if keep and one.wrong:
                keep_round(one, cluster, keep)
    return done


def keep_round(one: Round, cluster: Cluster, keep: Path) -> None:
    """For whoever looks into it: history and ledger of a wrong round, and what the nodes and databases wrote."""
    to = keep / f"{one.row.name}-{one.number}"
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for name in ("ledger.jsonl", "history.jsonl"):
        if (cluster.data / name).exists():
            shutil.copy(cluster.data / name, to)
    for node in cluster.nodes:
        shutil.copy(node.log_path, to)
    for member in cluster.pair.members:
        shutil.copy(member.dir / "log", to / f"database-{member.name}.log")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", choices=[row.name for row in ROWS], help="only this; may be given again")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="rows at once")
    parser.add_argument("--pause", type=float, default=60, help="seconds for which a node is paused")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=RUN / "faults", help="where wrong rounds are kept")
    options = parser.parse_args()
    rows = [row for row in ROWS if not options.row or row.name in options.row]
    signal.signal(signal.SIGTERM, end)
    start = time.monotonic()
    if options.jobs > 1 and len(rows) > 1:
        # The longest first.
        rows.sort(key=lambda row: row.name != "pause")
        pool = ThreadPoolExecutor(options.jobs)
        try:
            good = list(pool.map(lambda row: in_a_process(row, options), rows))
        finally:
            pool.shutdown(cancel_futures=True)
    else:
        good = [table_row(row, options) for row in rows]
    wrong = [row.name for row, is_good in zip(rows, good) if not is_good]
    if len(rows) > 1:
        print(f"{len(rows)} rows in {time.monotonic() - start:.0f} s; wrong: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


def table_row(row: Row, options) -> bool:
    print(f"==== {row.name}: {row.about}", flush=True)
    start = time.monotonic()
    try:
        done = run_row(row, options.rounds, options.seed, options.pause, options.keep)
    except (AssertionError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"    WRONG {row.name} ended early: {error}", flush=True)
        return False
    wrong = sum(bool(one.wrong) for one in done)
    print(f"==== {row.name}: {len(done)} rounds, {wrong} wrong, {time.monotonic() - start:.0f} s", flush=True)
    return wrong == 0


def end(*_) -> None:
    """So that nothing of ours runs on."""
    for process in _started:
        process.terminate()
    sys.exit(143)


def in_a_process(row: Row, options) -> bool:
    """Its lines are printed as they come."""
    again = ["--row", row.name, "--rounds", options.rounds, "--pause", options.pause, "--seed", options.seed]
    command = [sys.executable, __file__, *map(str, again), "--keep", str(options.keep)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        _started.append(process)
        for line in process.stdout:
            print(line, end="", flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main())

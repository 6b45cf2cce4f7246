#!/usr/bin/env python3
"""Measures how long a decision takes to reach its waiter while much else goes on. A script, not a test: it prints figures.

    target/venv/bin/python clients/mix/load.py [--seconds 30]

2,000 requests are pending and 500 streams are open (50 sessions, ten viewers each) while 100 new requests come in a second.
Of these, 50 a second have a waiter, who is answered by a decision. What is measured is the time from just before the
decision is sent to the moment the waiter has its answer read. One process on the same machine plays everybody else, so the
figures include its own delays.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

from approvals import Cast  # noqa: E402
from harness import Server, Temp  # noqa: E402

PENDING, SESSIONS, VIEWERS, NEW_PER_SECOND = 2_000, 50, 10, 100


class Connection:
    """A keep-alive connection: one call at a time."""

    def __init__(self, port: int, key: str):
        self.port, self.head = port, f"Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        self.reader = self.writer = None

    async def call(self, method: str, path: str, body=None) -> tuple[int, dict]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        raw = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if raw else ""
        head = f"{method} {path} HTTP/1.1\r\n{self.head}{kind}Content-Length: {len(raw)}\r\n\r\n"
        self.writer.write(head.encode() + raw)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ", 1)[1].split("\r\n", 1)[0])
        return int(head.split(" ", 2)[1]), json.loads(await self.reader.readexactly(length))


class Pool:
    """As many connections as are needed at once."""

    def __init__(self, port: int, key: str):
        self.port, self.key, self.idle = port, key, []

    async def call(self, *args) -> tuple[int, dict]:
        connection = self.idle.pop() if self.idle else Connection(self.port, self.key)
        answer = await connection.call(*args)
        self.idle.append(connection)
        return answer


class Load:
    def __init__(self, cast: Cast):
        port = cast.server.port
        self.askers, self.deciders = Pool(port, cast.asker_key), Pool(port, cast.decider_key)
        self.port, self.key = port, cast.decider_key
        self.reached, self.seen, self.made = [], 0, 0
        self.first_seen: dict[str, float] = {}
        self.made_at: dict[str, float] = {}

    async def ask(self, session: int) -> str:
        body = {
            "sessionId": f"load-{session}",
            "toolName": "Bash",
            "action": "Execute command: cargo test --workspace",
            "description": "Execute command: cargo test --workspace",
            "params": {"command": "cargo test --workspace"},
            "path": "/srv/app",
            "timeoutSeconds": 3_600,
        }
        begun = time.perf_counter()
        status, made = await self.askers.call("POST", "/api/permissions", body)
        assert status == 201, made
        self.made += 1
        self.made_at[made["id"]] = begun
        return made["id"]

    async def view(self, session: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"GET /stream?sessionId=load-{session} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n\r\n"
        writer.write(head.encode())
        while line := await reader.readline():
            if line.startswith(b'data: {"type":"permission"'):
                self.seen += 1
                self.first_seen.setdefault(json.loads(line[6:])["id"], time.perf_counter())

    async def one(self, session: int, with_waiter: bool) -> None:
        id = await self.ask(session)
        if not with_waiter:
            return
        waiting = asyncio.create_task(self.askers.call("GET", f"/api/permissions/{id}?wait=60"))
        # The waiter is there when the person decides.
        await asyncio.sleep(0.5)
        begun = time.perf_counter()
        decided = asyncio.create_task(self.deciders.call("POST", f"/api/permissions/{id}/grant"))
        _, told = await waiting
        self.reached.append((time.perf_counter() - begun) * 1_000)
        assert told["status"] == "granted", told
        assert (await decided)[0] == 200

    async def run(self, seconds: int) -> None:
        for start in range(0, PENDING, 100):
            await asyncio.gather(*(self.ask(n % SESSIONS) for n in range(start, start + 100)))
        viewers = [asyncio.create_task(self.view(n % SESSIONS)) for n in range(SESSIONS * VIEWERS)]
        while self.seen < PENDING * VIEWERS:
            await asyncio.sleep(0.1)
            for viewer in viewers:
                assert not viewer.done(), viewer
        shown, made, cpu = self.seen, self.made, self.server_cpu()
        print(f"{made} requests pending, {len(viewers)} streams open, {shown} events shown at their start", flush=True)
        begun, tasks = time.perf_counter(), []
        for n in range(seconds * NEW_PER_SECOND):
            await asyncio.sleep(max(0, begun + n / NEW_PER_SECOND - time.perf_counter()))
            tasks.append(asyncio.create_task(self.one(n % SESSIONS, n % 2 == 0)))
        late = max(0, time.perf_counter() - begun - seconds)
        await asyncio.gather(*tasks)
        took = time.perf_counter() - begun
        expected = shown + (self.made - made) * VIEWERS
        for _ in range(100):
            if self.seen >= expected:
                break
            await asyncio.sleep(0.05)
        new = [(self.first_seen[id] - at) * 1_000 for id, at in self.made_at.items() if id in self.first_seen]
        show = [f"{q:.1f}" for q in quantiles(self.reached)]
        appear = [f"{q:.1f}" for q in quantiles(new[PENDING:])]
        print(f"decision to waiter, ms    median {show[0]}   p90 {show[1]}   p99 {show[2]}   max {show[3]}   n {len(self.reached)}")
        print(f"request to first viewer   median {appear[0]}   p90 {appear[1]}   p99 {appear[2]}   max {appear[3]}   n {len(new[PENDING:])}")
        print(f"new requests/s {(self.made - made) / took:.0f} (the generator was {late * 1_000:.0f} ms late at its end)")
        print(f"events {self.seen - shown} of {expected - shown}; server CPU {(self.server_cpu() - cpu) / took * 100:.0f} % of one core")
        for viewer in viewers:
            viewer.cancel()

    pid = 0

    def server_cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


def quantiles(values: list[float]) -> list[float]:
    values = sorted(values)
    return [statistics.median(values), *(values[int(len(values) * q)] for q in (0.9, 0.99)), values[-1]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=30)
    seconds = parser.parse_args().seconds
    with Temp("mix-load") as data, Server(data, "mix-load", env={"GRANTD_LOG": "warn"}) as server:
        with Cast(server, "") as cast:
            load = Load(cast)
            load.pid = server.process.pid
            asyncio.run(load.run(seconds))


if __name__ == "__main__":
    main()

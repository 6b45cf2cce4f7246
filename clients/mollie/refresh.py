#!/usr/bin/env python3
"""Measures what refreshing many authorizations costs. A script, not a test: it prints figures.

    target/venv/bin/python clients/mollie/refresh.py [--authorizations 1000000] [--seconds 30]

Apps and organizations are as many as each other, and every app is let do two things at every organization. Then access
tokens are renewed over 64 connections, spread over all authorizations, and a page of the permissions API is asked with some of
the new tokens. A million authorizations that are renewed hourly are 278 a second. One process on the same machine plays every app, so
the figures include its own delays.
"""

import argparse
import asyncio
import base64
import json
import random
import statistics
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from harness import Server, Temp, record_secret  # noqa: E402

CONNECTIONS = 64


class Connection:
    """A keep-alive connection: one call at a time."""

    def __init__(self, port: int):
        self.port, self.reader, self.writer = port, None, None

    async def call(self, method: str, path: str, authorization: str, kind: str = "", body: bytes = b"") -> tuple[int, bytes]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n"
        head += f"Content-Type: {kind}\r\n" if kind else ""
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ", 1)[1].split("\r\n", 1)[0])
        return int(head.split(" ", 2)[1]), await self.reader.readexactly(length)


class Load:
    def __init__(self, server: Server):
        self.server, self.admin = server, f"Bearer {server.key}"
        self.connections = [Connection(server.port) for _ in range(CONNECTIONS)]
        self.tokens: list[tuple[str, str]] = []

    async def api(self, connection: Connection, path: str, body: dict) -> dict:
        raw = json.dumps(body).encode()
        status, answer = await connection.call("POST", path, self.admin, "application/json", raw)
        assert status in (200, 201), answer
        return json.loads(answer)

    async def share(self, work, jobs) -> None:
        """Does each job on whichever connection is free."""
        jobs = iter(jobs)

        async def run(connection):
            for job in jobs:
                await work(connection, job)

        await asyncio.gather(*(run(connection) for connection in self.connections))

    async def make(self, side: int) -> None:
        apps, organizations = [], []

        async def app(connection, n):
            made = await self.api(connection, "/api/v1/apps", {"name": f"App {n}", "redirect_uris": ["https://a.example/"]})
            secret = record_secret("app secret", made["client_secret"])
            basic = base64.b64encode(f"{made['client_id']}:{secret}".encode()).decode()
            apps.append((made["client_id"], f"Basic {basic}"))

        async def organization(connection, n):
            organizations.append((await self.api(connection, "/api/v1/organizations", {"name": f"Organization {n}"}))["id"])

        async def agree(connection, pair):
            (app, basic), organization = pair
            body = {"app": app, "organization": organization, "scopes": ["payments.read", "orders.read"]}
            made = await self.api(connection, "/api/v1/authorizations", body)
            self.tokens.append((made["refresh_token"], basic))

        await self.share(app, range(side))
        await self.share(organization, range(side))
        begun = time.perf_counter()
        await self.share(agree, ((app, organization) for app in apps for organization in organizations))
        took = time.perf_counter() - begun
        print(f"{len(self.tokens)} authorizations made in {took:.0f} s, {len(self.tokens) / took:.0f} a second", flush=True)

    async def refresh(self, seconds: int) -> None:
        took, access = [], []
        until = time.perf_counter() + seconds

        async def once(connection, _):
            refresh, basic = random.choice(self.tokens)
            body = f"grant_type=refresh_token&refresh_token={refresh}".encode()
            begun = time.perf_counter()
            status, answer = await connection.call("POST", "/oauth2/tokens", basic, "application/x-www-form-urlencoded", body)
            took.append((time.perf_counter() - begun) * 1_000)
            assert status == 200, answer
            if len(access) < 10_000:
                access.append(json.loads(answer)["access_token"])

        def jobs():
            while time.perf_counter() < until:
                yield None

        before, memory, cpu, size = self.revision(), self.resident(), self.cpu(), self.size()
        begun = time.perf_counter()
        await self.share(once, jobs())
        span = time.perf_counter() - begun
        took.sort()
        print(f"{len(took) / span:.0f} refreshes a second; median {statistics.median(took):.1f} ms, 99 % {took[len(took) * 99 // 100]:.1f} ms")
        print(f"server CPU {(self.cpu() - cpu) / len(took) * 1e6:.0f} us a refresh; memory {memory} MB before, {self.resident()} MB after")
        grown = (self.size() - size) / len(took)
        print(f"entries of the ledger: {before} before, {self.revision()} after; the store grew by {grown:.0f} bytes a refresh")
        granted = 0

        async def ask(connection, token):
            nonlocal granted
            status, answer = await connection.call("GET", "/v1/permissions/payments.read", f"Bearer {token}")
            granted += status == 200 and json.loads(answer)["granted"]

        await self.share(ask, access)
        print(f"{granted} of {len(access)} new tokens are good for what was agreed on")

    def revision(self) -> int:
        return self.server.client().get("/api/v1/schema").revision

    def resident(self) -> int:
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1_024

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def size(self) -> int:
        return sum(file.stat().st_size for file in self.server.data.rglob("*.db*"))


async def run(load: Load, side: int, seconds: int) -> None:
    await load.make(side)
    await load.refresh(seconds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--authorizations", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=30)
    arguments = parser.parse_args()
    side = round(arguments.authorizations**0.5)
    with Temp("refresh") as data, Server(data, "refresh", env={"GRANTD_LOG": "warn"}) as server:
        asyncio.run(run(Load(server), side, arguments.seconds))


if __name__ == "__main__":
    main()

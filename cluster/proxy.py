"""A TCP proxy between a node and a database, which can do to the connection what networks do.

    cut("reset")    connections are reset, new ones refused: a host that is down, a firewall that says so
    cut("freeze")   nothing moves, nothing is refused; after the healing everything arrives: packets that are sent again
    cut("drop")     bytes vanish, nobody is told; after the healing such connections are reset
    heal()          as if nothing had been
    in_commit(how)  the next COMMIT loses its connection: just "before" it is forwarded, "after" it has been and before its
                    answer, or the client is gone and the bytes arrive "late"; `then` is done at that moment
"""

import asyncio
import socket
import threading

from harness import free_port
from wire import Frontend

CHUNK = 1 << 16


class Network:
    """The thread on which all proxies run."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="network", daemon=True)
        self._thread.start()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)


class Proxy:
    """One way from one node to one database."""

    def __init__(self, network: Network, target: int):
        self.network, self.target, self.port = network, target, free_port()
        self.delay = 0.0
        # How many connections were lost in a COMMIT.
        self.lost = 0
        self._how: str | None = None
        self._trap: str | None = None
        self._then = None
        self._late = 0.0
        self._links: set[Link] = set()
        network.run(self._open())

    async def _open(self) -> None:
        self._moving = asyncio.Event()
        self._moving.set()
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _accept(self, reader, writer) -> None:
        link = Link(self, reader, writer)
        self._links.add(link)
        link.task = asyncio.current_task()
        try:
            await link.run()
        except asyncio.CancelledError:
            # Whoever closed the proxy waits for this; the streams would call it an error.
            pass
        finally:
            self._links.discard(link)

    # ---- from other threads ----

    def cut(self, how: str) -> None:
        async def work():
            self._how = how
            if how == "reset":
                self._server.close()
                for link in list(self._links):
                    link.abort()
            else:
                self._moving.clear()

        self.network.run(work())

    def heal(self) -> None:
        async def work():
            how, self._how = self._how, None
            if how == "reset":
                await self._listen()
            if how == "drop":
                for link in list(self._links):
                    link.abort()
            self._moving.set()

        self.network.run(work())

    def in_commit(self, how: str | None, then=None, late=1.0) -> None:
        self._late, self._then, self._trap = late, then, how

    def take_trap(self) -> str | None:
        how, self._trap = self._trap, None
        self.lost += how is not None
        return how

    def spring(self) -> None:
        if self._then:
            self._then()

    def close(self) -> None:
        async def work():
            self._server.close()
            tasks = [link.task for link in self._links]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.network.run(work())

    # ---- for the links ----

    async def passes(self) -> bool:
        """Whether bytes go on; waits for as long as nothing moves."""
        if self.delay:
            await asyncio.sleep(self.delay)
        while self._how == "freeze":
            await self._moving.wait()
        return self._how != "drop"


class Link:
    """One connection of a client and the one to the database that it stands for."""

    def __init__(self, proxy: Proxy, reader, writer):
        self.proxy, self.reader, self.writer = proxy, reader, writer
        self.up_reader = self.up_writer = None
        # The client is gone; what the database says is nobody's.
        self.deaf = False

    async def run(self) -> None:
        try:
            if not await self.proxy.passes():
                # Half open: the client believes that it is connected.
                while await self.reader.read(CHUNK):
                    pass
                return
            self.up_reader, self.up_writer = await asyncio.open_connection("127.0.0.1", self.proxy.target)
            for writer in (self.writer, self.up_writer):
                writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ways = [asyncio.create_task(self._forth()), asyncio.create_task(self._back())]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                if self.deaf:
                    await asyncio.wait(ways, timeout=10)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        for writer in (self.writer, self.up_writer):
            if writer is not None:
                writer.transport.abort()

    async def _forth(self) -> None:
        frontend = Frontend()
        while data := await self.reader.read(CHUNK):
            if not await self.proxy.passes():
                continue
            messages = frontend.feed(data)
            for index, (_, commits) in enumerate(messages):
                how = self.proxy.take_trap() if commits else None
                if how:
                    await self._lose(how, [message for message, _ in messages], index)
                    return
            self.up_writer.write(b"".join(message for message, _ in messages))
            await self.up_writer.drain()

    async def _lose(self, how: str, messages: list[bytes], commit: int) -> None:
        if how == "before":
            self.up_writer.write(b"".join(messages[:commit]))
            await self.up_writer.drain()
            # Let the database carry out what it has got before it sees the end.
            await asyncio.sleep(0.05)
            self.proxy.spring()
            self.abort()
            return
        self.deaf = True
        self.writer.transport.abort()
        if how == "late":
            await asyncio.sleep(self.proxy._late)
        self.up_writer.write(b"".join(messages))
        await self.up_writer.drain()
        self.proxy.spring()
        # Its session goes only after it has committed and answered.
        await asyncio.sleep(1)

    async def _back(self) -> None:
        while data := await self.up_reader.read(CHUNK):
            if self.deaf or not await self.proxy.passes():
                continue
            try:
                self.writer.write(data)
                await self.writer.drain()
            except OSError:
                if not self.deaf:
                    raise

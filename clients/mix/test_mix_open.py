"""Without a credential: only where a setting says so, and only from this machine."""

import pytest
from mix_python_sdk import Mix

from approvals import PERMISSIONS, Cast, Stream, assert_error
from harness import Server, Temp, grantd


@pytest.fixture(scope="module")
def opened():
    with Temp("mix-open") as data, Server(data, "mix-open", args=["--mix-open"]) as server:
        yield server


def test_sample_code_runs_as_it_is(opened):
    with Cast(opened, "") as cast:
        nobody = cast.client(None)
        asked = cast.ask(client=nobody)
        other = cast.ask(client=nobody)
        # As the SDK's own documentation has it: a URL and nothing else.
        with Mix(server_url=opened.url) as mix:
            assert mix.permissions.grant(id=asked["id"]).granted is True
            assert mix.permissions.deny(id=other["id"]).denied is True
        with Stream(cast, asked["sessionId"], key=None) as stream:
            assert stream.next()["event"] == "connected"
        assert nobody.get(f"{PERMISSIONS}/{asked['id']}").ok().json()["status"] == "granted"


def test_only_this_dialect_is_open(opened):
    nobody = opened.nobody()
    assert nobody.get("/api/v1/keys").status == 401
    assert nobody.get("/v2/users/").status == 401
    assert nobody.post("/api/v1/keys", {"name": "k"}).status == 401


def test_a_wrong_credential_is_still_wrong(opened):
    answer = opened.client(key="gdk_" + "0" * 40).get(PERMISSIONS)
    assert_error(answer, 401, "unauthorized")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_a_page_of_another_site_is_nobody_here(opened, headers):
    with Cast(opened, "") as cast:
        asked = cast.ask()
        nobody = opened.nobody()
        for verb in ("grant", "deny"):
            assert_error(nobody.post(f"{PERMISSIONS}/{asked['id']}/{verb}", headers=headers), 401, "unauthorized")
        assert nobody.get(PERMISSIONS, headers=headers).status == 401
        assert cast.read(asked["id"])["status"] == "pending"


@pytest.mark.parametrize(
    "args, why",
    [
        (["--listen", "0.0.0.0:0", "--tls-self-signed"], "loopback"),
        (["--listen", "127.0.0.1:0", "--listen", "[::]:0", "--tls-self-signed"], "loopback"),
        (["--listen", "127.0.0.1:0", "--behind-proxy"], "--behind-proxy"),
    ],
    ids=["all addresses", "one of two", "a proxy in front"],
)
def test_it_does_not_start_where_others_reach_it(args, why):
    with Temp("mix-open-refused") as data:
        ended = grantd("serve", "--data", data, "--mix-open", *args, timeout=30)
        assert ended.returncode != 0
        assert why in ended.stderr and "--mix-open" in ended.stderr
        assert not any(data.iterdir()), "nothing was made"


def test_it_is_closed_without_the_setting(server):
    assert_error(server.nobody().get(PERMISSIONS), 401, "unauthorized")

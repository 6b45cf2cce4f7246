"""The cases of `cases/authzen/`, asked of a real server, at the default realm and at another address of the same one."""

import pytest

from cases import CASES, METADATA, holds, read

FILES = sorted(CASES.glob("*.txt"))

# Every section of the certification scenario that asks something.
SECTIONS = {
    *(f"c-2-2-{n}" for n in range(1, 10)),
    *(f"c-2-4-{n}" for n in range(1, 7)),
    "c-2-5-1",
    "c-2-6",
    *(f"c-3-2-{n}" for n in range(1, 8)),
    *(f"c-3-4-{n}" for n in range(1, 4)),
    *(f"c-4-2-{n}" for n in range(1, 5)),
    *(f"c-4-3-{n}" for n in range(1, 5)),
    *(f"c-4-4-{n}" for n in range(1, 4)),
    *(f"c-4-5-{n}" for n in range(1, 3)),
    *(f"c-4-6-{n}" for n in range(1, 3)),
    *(f"c-4-7-{n}" for n in range(1, 3)),
    "c-6",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cases(client, server, path):
    failures, before = [], None
    for case in read(path):
        for _ in range(case.times):
            answer = case.ask(client, before)
            try:
                case.check(answer, server.url)
            except AssertionError as problem:
                failures.append(f"{case.name}: {problem}")
        before = answer
    assert failures == [], "\n\n".join(failures)


def test_every_section_has_a_case():
    found = {case.name.split()[0] for path in FILES for case in read(path)}
    assert SECTIONS - found == set()


def test_page_comes_first(client):
    body = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "record", "id": "record-1"}}
    assert client.post("/access/v1/search/action", body).raw.startswith(b'{"page":{')


def test_the_metadata_needs_no_credential_and_believes_no_host(client, server):
    nobody = server.nobody()
    answer = nobody.get(METADATA, headers={"Host": "elsewhere.example"}).ok()
    assert holds(answer.json(), client.get(METADATA).json())
    for name, address in answer.json().items():
        assert address.startswith(server.url), name
        if name.endswith("_endpoint"):
            assert nobody.post(address.removeprefix(server.url), {}).status == 401, name
    nobody.close()


def test_the_path_in_front_selects_the_realm(client):
    body = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}
    assert client.post("/r/default/access/v1/evaluation", body).ok().json() == {"decision": True}
    assert client.post("/r/nowhere/access/v1/evaluation", body).status == 404
    assert client.get("/.well-known/authzen-configuration/r/default").ok().json()["policy_decision_point"].endswith("/r/default")

"""`limit`, `offset`, `total`: on a server of its own, so that the totals are known."""

import pytest

from words import IDENTITIES, body, in_parallel, new_identity, vm_path


@pytest.fixture(scope="module")
def many(server):
    """1,005 identities, made over several connections."""
    return in_parallel(1005, lambda api, n: new_identity(api), server.client)


def test_identities(api, many):
    everything = body(api.get(f"{IDENTITIES}?limit=1000"))["identities"]
    everything += body(api.get(f"{IDENTITIES}?limit=1000&offset=1000"))["identities"]
    ids = [item["id"] for item in everything]
    assert sorted(ids) == sorted(many), "every identity once"

    absent = body(api.get(IDENTITIES))
    assert [i["id"] for i in absent["identities"]] == ids[:100], "no limit is a limit of 100"
    assert (absent["offset"], absent["total"]) == (0, 1005)

    for limit in (1001, 5000, 9223372036854775807):
        page = body(api.get(f"{IDENTITIES}?limit={limit}"))
        assert len(page["identities"]) == 1000, "more than 1,000 counts as 1,000"

    page = body(api.get(f"{IDENTITIES}?limit=7&offset=1000"))
    assert [i["id"] for i in page["identities"]] == ids[1000:]
    assert (page["offset"], page["total"]) == (1000, 1005), "total counts before paging, offset is echoed"

    beyond = body(api.get(f"{IDENTITIES}?offset=5000"))
    assert beyond == {"identities": [], "offset": 5000, "total": 1005}
    nothing = body(api.get(f"{IDENTITIES}?limit=0"))
    assert nothing == {"identities": [], "offset": 0, "total": 1005}
    assert body(api.get(f"{IDENTITIES}?includeManaged=false&limit=1"))["total"] == 1005


def test_vm_permissions(api):
    identity = new_identity(api)
    path = f"{IDENTITIES}/{identity}/permissions/vm"
    made = [body(api.post(vm_path(identity, f"vm-{n}"), {}))["vmId"] for n in range(105)]
    absent = body(api.get(path))
    assert [p["vmId"] for p in absent["permissions"]] == made[:100]
    assert (absent["offset"], absent["total"]) == (0, 105)
    page = body(api.get(f"{path}?offset=100&limit=100"))
    assert [p["vmId"] for p in page["permissions"]] == made[100:]
    assert (page["offset"], page["total"]) == (100, 105)

"""The search for users: criteria by body and by query."""

import json
from urllib.parse import quote

import pytest

from pulp_words import USERS, body, invalid, missing, unique

SEARCH = f"{USERS}search/"


@pytest.fixture(scope="module")
def people(server):
    """Four users whose logins begin alike."""
    from pulp_words import Pulp

    api = Pulp(server.client(base="/pulp/api"))
    prefix = unique("s")
    role = api.new_role()
    for name, label, roles in (("ann", "Ann", [role]), ("bob", "Bob", []), ("carol", "Ann", [role]), ("dave", "dave", [])):
        login = api.new_user(login=f"{prefix}-{name}", name=label)
        body(api.put(f"{USERS}{login}/", {"delta": {"roles": roles}}))
    return prefix, role


def found(api, criteria) -> list[str]:
    return [user["login"].rpartition("-")[2] for user in body(api.post(SEARCH, {"criteria": criteria}))]


def test_filters(api, people):
    prefix, role = people
    mine = {"$regex": f"^{prefix}-"}

    def search(**filters):
        return found(api, {"filters": {"$and": [{"login": mine}, filters]}})

    every = ["ann", "bob", "carol", "dave"]
    assert search(login=mine) == every
    assert search(login=f"{prefix}-bob") == ["bob"]
    assert search(name="Ann") == ["ann", "carol"]
    assert search(login={"$in": [f"{prefix}-ann", f"{prefix}-dave", "x"]}) == ["ann", "dave"]
    assert search(login={"$regex": "(ob|rol)$"}) == ["bob", "carol"]
    assert search(login={"$gt": f"{prefix}-bob"}) == ["carol", "dave"]
    assert search(login={"$gte": f"{prefix}-bob", "$lt": f"{prefix}-dave"}) == ["bob", "carol"]
    assert search(login={"$lte": f"{prefix}-ann"}) == ["ann"]
    assert search(name={"$not": "^Ann$"}) == ["bob", "dave"]
    assert search(name={"$not": {"$in": ["Ann", "Bob"]}}) == ["dave"]
    assert search(roles=role) == ["ann", "carol"]
    assert search(roles=[]) == ["bob", "dave"]
    assert search(name="Ann", login=f"{prefix}-carol") == ["carol"]
    assert search(nothing="x") == []
    assert body(api.post(SEARCH, {"criteria": {}})) == body(api.get(USERS))
    assert body(api.post(SEARCH, {"criteria": {"filters": None, "sort": None, "limit": None, "skip": None, "fields": None}}))


def test_order_and_page(api, people):
    mine = {"login": {"$regex": f"^{people[0]}-"}}
    assert found(api, {"filters": mine, "sort": [["login", "descending"]]}) == ["dave", "carol", "bob", "ann"]
    assert found(api, {"filters": mine, "sort": [["name", "ascending"], ["login", "descending"]]}) == ["carol", "ann", "bob", "dave"]
    assert found(api, {"filters": mine, "sort": [["login", "ascending"]], "skip": 1, "limit": 2}) == ["bob", "carol"]
    assert found(api, {"filters": mine, "skip": 9}) == []


def test_fields(api, people):
    criteria = {"filters": {"login": f"{people[0]}-ann"}, "fields": ["login", "roles"]}
    (user,) = body(api.post(SEARCH, {"criteria": criteria}))
    assert set(user) == {"_id", "id", "login", "roles"}


def test_by_query(api, people):
    mine = quote(json.dumps({"login": {"$regex": f"^{people[0]}-"}}))
    logins = lambda query: [one["login"].rpartition("-")[2] for one in body(api.get(f"{SEARCH}?{query}"))]  # noqa: E731
    assert logins(f"filters={mine}") == ["ann", "bob", "carol", "dave"]
    sort = quote(json.dumps([["login", "descending"]]))
    assert logins(f"filters={mine}&sort={sort}&limit=2&skip=1") == ["carol", "bob"]
    (one, *_) = body(api.get(f"{SEARCH}?filters={mine}&field=login&field=name"))
    assert set(one) == {"_id", "id", "login", "name"}
    for bad, name in (("filters=x", "filters"), ("limit=x", "limit"), ("sort=x", "sort"), ("colour=red", "colour"), ("filters=%FF", "filters")):
        invalid(api.get(f"{SEARCH}?{bad}"), name)


def test_no_criteria(admin):
    missing(admin.post(SEARCH, {}), "criteria")
    for bad in (None, [], "x", 5, True):
        invalid(admin.post(SEARCH, {"criteria": bad}), "criteria")


@pytest.mark.parametrize(
    "filters",
    [
        [], "x", 5, {"$or": [{}]}, {"$nor": [{}]}, {"$where": "1"}, {"login": {"$ne": "x"}}, {"login": {"$nin": []}},
        {"login": {"$exists": True}}, {"login": {"$regex": "a", "$options": "i"}}, {"login": {"$regex": "("}},
        {"login": {"$regex": 5}}, {"login": {"$regex": "a" * 10_000}}, {"login": {"$regex": "((a{100}){100}){100}"}},
        {"login": {"$regex": "(?=a)"}}, {"login": {"$in": "x"}}, {"login": {"$not": 5}}, {"$and": []}, {"$and": {}}, {"$and": [1]},
        {"$and": [{"login": "x"}] * 5_000}, {"login": {"$gt": 1, "x": 2}}, {"$login": "x"}, {"login": {"$date": "x"}},
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_any_other_filter_is_refused(admin, filters):
    invalid(admin.post(SEARCH, {"criteria": {"filters": filters}}), "filters")


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("limit", bad) for bad in (0, -1, 1.5, True, "x", [], {})),
        *(("skip", bad) for bad in (-1, 1.5, False, "x", [], {})),
        *(("sort", bad) for bad in ("login", ["login"], [["login"]], [["login", "up"]], [[1, "ascending"]], {}, 5)),
        *(("fields", bad) for bad in ("login", [1], {}, 5)),
        ("colour", 1),
    ],
)
def test_members_of_the_wrong_form(admin, name, bad):
    invalid(admin.post(SEARCH, {"criteria": {name: bad}}), name)


def test_regular_expressions_take_linear_time(admin):
    criteria = {"filters": {"name": {"$regex": "^(a+)+$"}}}
    admin.new_user(name="a" * 200 + "!")
    assert body(admin.post(SEARCH, {"criteria": criteria})) == []

"""16 connections grant and revoke at once on one resource. Nothing acknowledged is lost.

What makes it decidable: every acknowledgement carries the revision at which it holds, so the calls have one order. The end
must be what that order gives, and the order must not contradict the clock: a call that was answered before another was
sent comes first.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from pulp_words import OPERATIONS, PERMISSIONS, ROLES, USERS, Pulp, body, null, unique

CONNECTIONS = 16
CALLS = 40


def at_once(server, work):
    """`work(api, number)` on so many connections at the same time; everything that it yields."""
    gate = threading.Barrier(CONNECTIONS)

    def run(number):
        api = Pulp(server.client(base="/pulp/api"))
        body(api.get(f"{PERMISSIONS}?resource=/none/"))
        gate.wait()
        try:
            return list(work(api, number))
        finally:
            api.client.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [one for part in pool.map(run, range(CONNECTIONS)) for one in part]


class Acknowledged:
    """A call that was answered: what it asked for, at which revision it holds, and when it was under way."""

    def __init__(self, api, action, who, resource, operations):
        self.action, self.who, self.operations = action, who, operations
        self.sent = time.monotonic()
        answer = api.action(action, who, resource, operations)
        self.answered = time.monotonic()
        null(answer)
        self.revision = answer.revision


def entries_after(native, revision) -> dict:
    """What the ledger holds beyond a revision, by revision."""
    entries, after = {}, revision
    while page := native.get(f"/api/v1/ledger?after={after}&limit=1000").ok().json()["items"]:
        for entry in page:
            entries[entry["revision"]] = entry
        after = page[-1]["revision"]
    return entries


def assert_in_order_of_the_clock(calls) -> None:
    latest_answered = sorted(calls, key=lambda call: call.answered)
    newest, at = 0, 0
    for call in sorted(calls, key=lambda call: call.sent):
        while at < len(latest_answered) and latest_answered[at].answered < call.sent:
            newest = max(newest, latest_answered[at].revision)
            at += 1
        assert call.revision >= newest, "answered later, and decided on an older state"


def test_users_of_their_own(server, admin):
    """Everybody's changes go into one record: none may overwrite another's."""
    resource = f"/{unique('r')}/"
    logins = [admin.new_user() for _ in range(CONNECTIONS)]

    def work(api, number):
        rng = random.Random(number)
        for _ in range(CALLS):
            action = rng.choice(["grant_to_user", "grant_to_user", "revoke_from_user"])
            operations = rng.sample(OPERATIONS, rng.randint(1, 5))
            yield Acknowledged(api, action, logins[number], resource, operations)

    calls = at_once(server, work)
    assert len(calls) == CONNECTIONS * CALLS
    # Of one connection each call is answered before the next is sent: their own order is enough.
    held: dict[str, set] = {}
    for call in sorted(calls, key=lambda call: call.sent):
        of = held.setdefault(call.who, set())
        (of.update if call.action.startswith("grant") else of.difference_update)(call.operations)
    expected = {who: [op for op in OPERATIONS if op in ops] for who, ops in held.items() if ops}
    assert admin.permissions(resource).get(resource, {}) == expected
    assert_in_order_of_the_clock(calls)


def test_the_same_few_users(server, admin, native):
    """All connections on the same users and operations: the revisions say in which order it happened."""
    resource = f"/{unique('r')}/"
    logins = [admin.new_user() for _ in range(3)]
    before = native.get("/api/v1/schema").revision

    def work(api, number):
        rng = random.Random(100 + number)
        for _ in range(CALLS):
            action = rng.choice(["grant_to_user", "revoke_from_user"])
            yield Acknowledged(api, action, rng.choice(logins), resource, [rng.choice(OPERATIONS)])

    calls = at_once(server, work)
    entries = entries_after(native, before)
    # Each entry was made by exactly one call of its revision; the others of it found it done, or were decided after it.
    held: dict[str, set] = {login: set() for login in logins}
    by_revision: dict[int, list] = {}
    for call in calls:
        by_revision.setdefault(call.revision, []).append(call)
    for revision in range(before, max(entries, default=before) + 1):
        made = entries.get(revision)
        of = by_revision.get(revision, [])
        if made and revision > before:
            (change,) = made["changes"]
            subject, operation = effect(change)
            granted = change["kind"] == "relationship_written"
            assert any(
                call.who == subject and call.operations == [operation] and call.action.startswith("grant") == granted for call in of
            ), f"nobody was told of revision {revision}"
            (held[subject].add if granted else held[subject].discard)(operation)
        for call in of:
            assert (call.operations[0] in held[call.who]) == call.action.startswith("grant"), "acknowledged, and not so"
    expected = {who: [op for op in OPERATIONS if op in ops] for who, ops in held.items() if ops}
    assert admin.permissions(resource).get(resource, {}) == expected
    assert_in_order_of_the_clock(calls)


def effect(change):
    """Whom a change of a relationship is about, and which operation."""
    relation, _, subject = change["relationship"].partition("#")[2].partition("@")
    return subject.removeprefix("user:"), relation.upper()


def test_the_first_grants_of_all_on_new_resources(server, admin):
    """Two first grants on one resource may not race to an error."""
    login = admin.new_user()
    resources = [f"/{unique('r')}/" for _ in range(10)]

    def work(api, number):
        for resource in resources:
            operation = OPERATIONS[number % 5]
            yield api.action("grant_to_user", login, resource, [operation])

    answers = at_once(server, work)
    assert {answer.status for answer in answers} == {200}
    for resource in resources:
        assert admin.permissions(resource) == {resource: {login: OPERATIONS}}


def test_roles_that_come_and_go(server, admin):
    """Grants to a role, joins, leaves and deletions at once: at the end the list is what roles and direct grants say."""
    resource = f"/{unique('r')}/"
    logins = [admin.new_user() for _ in range(4)]
    roles = [admin.new_role() for _ in range(4)]

    def work(api, number):
        rng = random.Random(200 + number)
        for _ in range(CALLS):
            role, login, operation = rng.choice(roles), rng.choice(logins), rng.choice(OPERATIONS)
            match rng.randrange(7):
                case 0:
                    answer = api.action("grant_to_role", role, resource, [operation])
                case 1:
                    answer = api.action("revoke_from_role", role, resource, [operation])
                case 2:
                    answer = api.post(f"{ROLES}{role}/users/", {"login": login})
                case 3:
                    answer = api.delete(f"{ROLES}{role}/users/{login}/")
                case 4:
                    answer = api.action("grant_to_user", login, resource, [operation])
                case 5:
                    answer = api.put(f"{USERS}{login}/", {"delta": {"roles": rng.sample(roles, 2)}})
                case 6:
                    answer = api.delete(f"{ROLES}{role}/") if rng.random() < 0.1 else api.post(ROLES, {"role_id": role})
            yield answer.status

    statuses = at_once(server, work)
    assert set(statuses) <= {200, 201, 400, 404, 409}, set(statuses)
    shown = {role["id"]: role for role in body(admin.get(ROLES))}
    for role in shown.values():
        for login in role["users"]:
            if login in logins:
                assert role["id"] in admin.user(login)["roles"]
    listed = admin.permissions(resource).get(resource, {})
    for role in shown.values():
        for login in role["users"]:
            given = role["permissions"].get(resource, [])
            assert set(given) <= set(listed.get(login, [])), (role, login)
    # With every role gone, what is left is what was granted directly, and nothing was lost with the roles.
    for role in list(shown):
        if role != "super-users":
            null(admin.delete(f"{ROLES}{role}/"))
    direct = admin.permissions(resource).get(resource, {})
    for login, operations in direct.items():
        admin.revoke(login, resource, *operations)
    assert admin.permissions(resource) == {}


def test_the_last_two_super_users_cannot_both_go(server, admin):
    """Both are removed at once: one of them stays."""
    second = admin.new_user()
    for _ in range(5):
        admin.join("super-users", second)

        def work(api, number):
            login = ("admin", second)[number % 2]
            yield api.delete(f"{ROLES}super-users/users/{login}/").status

        assert set(at_once(server, work)) <= {200, 400}
        left = admin.role("super-users")["users"]
        assert len(left) == 1
        admin.join("super-users", "admin")


def test_one_login_is_made_once(server, admin):
    login = unique("user")

    def work(api, number):
        yield api.post(USERS, {"login": login}).status

    assert sorted(at_once(server, work)) == [201] + [409] * (CONNECTIONS - 1)

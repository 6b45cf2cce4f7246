"""What must not be is found, each by its name."""

import pytest

from history import Op, change_of, faults_in


def write(outcome="ok", revision=5, told=5) -> Op:
    return Op("op-1", "write", "role:r#member@user:u", True, outcome=outcome, revision=revision, told=told)


def line(revision=5, reason="op-1") -> dict:
    return {"revision": revision, "reason": reason, "key": "role:r#member@user:u", "value": True}


def names(ops, lines) -> set[str]:
    return {name for name, found in faults_in(ops, lines).items() if found}


@pytest.mark.parametrize(
    "op, lines, found",
    [
        (write(), [line()], set()),
        (write(), [], {"lost"}),
        (write(), [line(6)], {"lost"}),
        (write(), [line(4)], {"lost"}),
        # The answer of a dialect may be of a later state, never of an earlier one.
        (write(revision=None, told=7), [line(5)], set()),
        (write(revision=None, told=4), [line(5)], {"lost"}),
        (write(), [line(5), line(8)], {"lost", "twice"}),
        (write("unknown", None, None), [line()], set()),
        (write("unknown", None, None), [], set()),
        (write("unknown", None, None), [line(), line(6)], {"twice"}),
        (write("failed", None, None), [line()], {"undone"}),
        (write("refused", None, None), [line()], {"undone"}),
        (write("refused", None, None), [], set()),
    ],
)
def test_writes(op, lines, found):
    assert names([op], lines) == found


@pytest.mark.parametrize("at_least, found", [(None, set()), (5, set()), (6, {"stale"})])
def test_reads(at_least, found):
    read = Op("op-2", "read", "role:r#member@user:u", True, outcome="ok", revision=5, told=5, at_least=at_least)
    assert names([read], []) == found


def test_changes_of_the_ledger_are_keys():
    deleted = {"kind": "relationship_deleted", "relationship": "role:r#member@user:u"}
    assert change_of(deleted) == ("role:r#member@user:u", False)
    assert change_of({"kind": "role_created", "key": "r"}) == ("role:r", True)
    assert change_of({"kind": "identity_created", "id": "i"}) == (None, False)

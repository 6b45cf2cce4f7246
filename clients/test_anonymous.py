"""Every route without a credential, against a stored table; and no route that the table does not know.

What the server itself says of its routes (/openapi.json) and what its route tables in the source say are both held
against the table, so that a route that nobody listed fails here and not in somebody's hands.
"""

import re
import uuid
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from harness import ROOT

TABLE = Path(__file__).resolve().parent / "anonymous.tsv"
MOUNTS = {"freestyle": ["", "/freestyle"], "git": ["/git"], "mix": ["", "/mix"], "mollie": ["", "/mollie"], "pulp": ["", "/pulp/api"], "tdp": ["/tdp"]}
BODIES = {"POST", "PUT", "PATCH"}


class Row(NamedTuple):
    face: str
    method: str
    path: str
    status: int

    def filled(self) -> str:
        """The path with something well-formed in each place."""
        known = {"vm_id": "vm", "permission": "payments.read"}
        return re.sub(r"\{(\w+)\}", lambda name: known.get(name[1]) or str(uuid.uuid4()), self.path)


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return [Row(face, method, path, int(status)) for face, method, path, status in (line.split("\t") for line in lines)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.method} {row.path}")
def test_without_a_credential(server, row):
    for mount in MOUNTS.get(row.face, [""]):
        nobody = server.nobody()
        # With a body and without: who may not ask is not told what is wrong with the question.
        for body in ({}, b"not json", None) if row.method in BODIES else (None,):
            answer = nobody.call(row.method, mount + row.filled(), body)
            assert answer.status == row.status, f"{mount}{row.path}: {answer.status} {answer.raw[:300]!r}"
            if row.status == 401:
                forms = ("application/json", "application/problem+json", "application/hal+json")
                assert answer.content_type in (("text/plain",) if row.face == "git" else forms)
        nobody.close()


def test_the_table_has_no_line_twice():
    counts = Counter((row.face, row.method, row.path) for row in rows())
    assert [key for key, count in counts.items() if count > 1] == []


def test_the_server_serves_what_the_table_lists_and_nothing_else(server):
    document = server.nobody().get("/openapi.json").ok().json()
    served = {(m.upper(), path) for path, item in document["paths"].items() for m in item if m in METHODS}
    listed = {(row.method, row.path) for row in rows() if row.face == "api"}
    assert served - listed == set(), "routes that nobody listed in anonymous.tsv"
    assert listed - served == set(), "listed, but not in the server's own document"


METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
ROUTE_TABLES = sorted((ROOT / "crates" / "server" / "src").glob("*/routes.rs"))


@pytest.mark.parametrize("source", ROUTE_TABLES, ids=lambda path: path.parent.name)
def test_each_route_table_is_listed_whole(source):
    """Counts handlers by method and compares the paths that stand there as plain text."""
    text, face = source.read_text(), source.parent.name
    listed = [row for row in rows() if row.face == face]
    handlers = Counter(method.upper() for method in re.findall(r"[\s,.(](get|put|post|patch|delete)\(", text))
    assert handlers == Counter(row.method for row in listed), "handlers in routes.rs and lines in anonymous.tsv differ"
    literals = set(re.findall(r'"(/[^"]*)"', text))
    paths = {row.path for row in listed}
    assert literals - paths == set(), "paths in routes.rs that anonymous.tsv does not list"


def test_the_operations_are_listed():
    text = (ROOT / "crates" / "server" / "src" / "operations.rs").read_text()
    served = set(re.findall(r'\.route\("(/[^"]*)"', text))
    assert served, "the operations are not where they were"
    assert served - {row.path for row in rows() if row.face == "edge"} == set()


def test_there_are_route_tables():
    assert {path.parent.name for path in ROUTE_TABLES} >= {"api", "freestyle", "mix", "mollie", "pulp", "tdp"}

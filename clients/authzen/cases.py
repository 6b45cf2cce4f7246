"""Reads the cases of `cases/authzen/`, asks them, and compares. The form is in the README there."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from harness import ROOT, Answer, Client

CASES = ROOT / "cases" / "authzen"
METADATA = "/.well-known/authzen-configuration"


@dataclass
class Case:
    """One question and its answer."""

    name: str
    endpoint: str
    body: str
    status: int
    expected: object = None
    headers: dict[str, str] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)
    times: int = 1

    def ask(self, client: Client, before: Answer | None) -> Answer:
        """Asks it once; `before` is the answer to the case before."""
        if self.endpoint == "metadata":
            return client.get(METADATA, headers=self.headers)
        body = self.body
        if "<next>" in body:
            body = body.replace("<next>", before.json()["page"]["next_token"])
        return client.post(f"/access/v1/{self.endpoint}", body.encode(), headers=self.headers)

    def check(self, answer: Answer, url: str) -> None:
        """Fails with what is not as it should be."""
        assert answer.status == self.status, f"{answer.status}: {answer.raw[:500]!r}"
        assert answer.content_type == "application/json"
        body = answer.json()
        if self.status >= 400:
            assert isinstance(body, str) and body, body
        if self.expected is not None:
            expected = json.loads(json.dumps(self.expected).replace("<url>", url))
            assert holds(body, expected), f"{body}\nis not\n{expected}"
        for name, value in self.answered.items():
            assert answer.headers[name] == value


def holds(found, expected) -> bool:
    """Whether an answer has everything that is expected."""
    if expected == "boolean":
        return isinstance(found, bool)
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(name in found and holds(found[name], one) for name, one in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(holds, found, expected))
    return found == expected and isinstance(found, bool) == isinstance(expected, bool)


def read(path: Path) -> list[Case]:
    """The cases of one file, in order."""
    return [_read(block) for block in re.split(r"\n{2,}", path.read_text().strip())]


def _read(block: str) -> Case:
    title, *lines = block.split("\n")
    assert title.startswith("# "), f"a case begins with its section: {title}"
    at = next(n for n, line in enumerate(lines) if re.match(r"[1-5]\d\d( |$)", line))
    question = [line for line in lines[:at] if not re.match("> |times ", line)]
    endpoint, _, first = question[0].partition(" ")
    status, _, expected = lines[at].partition(" ")
    rest = [line for line in lines[at + 1 :] if not line.startswith("< ")]
    expected = "\n".join([expected, *rest]).strip()
    return Case(
        name=title[2:],
        endpoint=endpoint,
        body="\n".join([first, *question[1:]]),
        status=int(status),
        expected=json.loads(expected) if expected else None,
        headers=_headers(lines[:at], "> "),
        answered=_headers(lines[at:], "< "),
        times=next((int(line.split()[1]) for line in lines[:at] if line.startswith("times ")), 1),
    )


def _headers(lines: list[str], mark: str) -> dict[str, str]:
    fields = (line[len(mark) :].split(": ", 1) for line in lines if line.startswith(mark))
    return {name: value for name, value in fields}

"""The two clients that cannot live in this process: each is one of its own, asked by lines of JSON."""

import json
import os
import subprocess

from harness import ROOT, RUN

HERE = ROOT / "clients" / "mollie"
COMMANDS = {
    "mollie-api-py": [str(ROOT / "target" / "venv-mollie-api-py" / "bin" / "python"), str(HERE / "api_py.py")],
    "@mollie/api-client": ["node", "--no-warnings", str(HERE / "api_client.mjs")],
}


class Driver:
    """One client at one address."""

    def __init__(self, client, url):
        self.client = client
        log = RUN / "logs" / f"{client.replace('/', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = open(log, "ab")
        self.process = subprocess.Popen(
            [*COMMANDS[client], url],
            env={**os.environ, "NODE_TLS_REJECT_UNAUTHORIZED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, call, **asked) -> dict:
        """What it answers, or how it says that it could not."""
        self.process.stdin.write(json.dumps({"call": call, **asked}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{self.client} ended; see {self._log.name}"
        return json.loads(line)

    def __call__(self, call, **asked):
        answer = self.ask(call, **asked)
        assert "answer" in answer, answer
        return answer["answer"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self._log.close()

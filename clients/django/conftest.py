"""A real Django project in this process, with the package installed as anybody would install it, and a real grantd."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import ROOT, Temp  # noqa: E402

PACKAGE = ROOT / "integrations" / "django"


@pytest.fixture(scope="session")
def installed():
    """The package, installed by pip from its folder, and nothing fetched for it."""
    with Temp("grantd-django") as target:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-index", "--no-build-isolation", "--target", str(target), str(PACKAGE)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        sys.path.insert(0, str(target))
        yield target
        sys.path.remove(str(target))


@pytest.fixture(scope="session")
def project(installed):
    """Django, set up once, with its tables."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return django


class Grantd:
    """What the tests do at the server."""

    def __init__(self, server):
        self.server, self.native = server, server.client()

    def numbers(self):
        """`app_label.codename` to the permission's number."""
        kinds = self.native.get("/tdp/v1/content_types/").ok().json()
        labels = {kind["id"]: kind["app_label"] for kind in kinds}
        permissions = self.native.get("/tdp/v1/permissions/").ok().json()
        return {f"{labels[one['content_type']]}.{one['codename']}": one["id"] for one in permissions}

    def _relationship(self, perm, subject):
        return {"resource": f"tdp_permission:{self.numbers()[perm]}", "relation": "holder", "subject": subject}

    def grant(self, perm, subject):
        body = {"write": [self._relationship(perm, subject)]}
        self.native.post("/api/v1/relationships", body).ok()

    def revoke(self, perm, subject):
        body = {"delete": [self._relationship(perm, subject)]}
        self.native.post("/api/v1/relationships", body).ok()

    def user(self, login, roles=()):
        self.native.post("/api/v1/users", {"login": login, "roles": list(roles)}).ok()

    def asked(self, route="/api/v1/users/{login}/permissions"):
        """How often a route was asked for, by the server's own count."""
        text = self.native.get("/metrics").ok().raw.decode()
        found = re.findall(r'^grantd_http_request_seconds_count\{(.*)\} (\d+)', text, re.MULTILINE)
        return sum(int(count) for labels, count in found if f'route="{route}"' in labels)


@pytest.fixture(scope="module")
def grantd(project, server):
    """The server, known to the project, which has told it of its permissions."""
    from django.conf import settings
    from django.core.management import call_command

    native = server.client()
    key = native.post("/api/v1/keys", {"name": "django", "grants": ["writer"]}).ok().json()["key"]
    settings.GRANTD.clear()
    settings.GRANTD.update(URL=server.url, KEY=key)
    call_command("grantd_sync", verbosity=0)
    yield Grantd(server)
    settings.GRANTD.clear()


@pytest.fixture
def person(grantd, request):
    """A user here and there whom no other test knows."""
    from django.contrib.auth.models import User

    login = request.node.name.replace("[", "-").replace("]", "")[:60]
    grantd.user(login)
    return User.objects.create_user(login, is_staff=True)


@pytest.fixture
def browser(person):
    """A browser in which that user is signed in."""
    from django.test import Client

    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def settings_of_grantd(project):
    """The setting, for a test to change; as it was afterwards."""
    from django.conf import settings

    before = dict(settings.GRANTD)
    yield settings.GRANTD
    settings.GRANTD.clear()
    settings.GRANTD.update(before)

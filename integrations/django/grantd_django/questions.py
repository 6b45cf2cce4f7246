"""Questions besides those that Django asks itself."""

import logging

from .client import client
from .errors import GrantdError, GrantdUnavailable
from .held import KEPT

log = logging.getLogger("grantd_django")

# Of one call.
MOST_CHECKS = 10_000
PAGE = 1_000


def forget(user) -> None:
    """Has the next question about a user object be asked anew."""
    user.__dict__.pop(KEPT, None)


def has_perms_many(user, checks) -> list[bool]:
    """The answers to many questions about a user, of one moment, by one call for each 10,000.

    Each is `"app_label.codename"`, or a pair of an action and what it is done to: `"type:id"`, or an instance of a model.
    Everything is a no if the server cannot be asked.
    """
    checks = list(checks)
    if not user.is_active or user.is_anonymous:
        return [False] * len(checks)
    subject = {"type": "user", "id": user.get_username()}
    try:
        server = client()
        questions = [{"subject": subject, **_asked(server.settings, check)} for check in checks]
        answers = []
        for first in range(0, len(questions), MOST_CHECKS):
            part = questions[first : first + MOST_CHECKS]
            results = server.send("POST", "/api/v1/check/batch", {"checks": part}).json()["results"]
            if len(results) != len(part):
                raise GrantdUnavailable("not every question was answered")
            answers += [one.get("allowed") is True for one in results]
        return answers
    except (GrantdError, GrantdUnavailable, KeyError, TypeError, AttributeError) as error:
        log.error("%d checks of %r are a no: %s", len(checks), user.get_username(), error)
        return [False] * len(checks)


def _asked(settings, check):
    if isinstance(check, str):
        return {"action": "holder", "resource": {"type": "tdp_permission", "id": check}}
    action, resource = check
    if not isinstance(resource, str):
        resource = (settings.resource or resource_of)(resource)
    kind, _, name = resource.partition(":")
    return {"action": action, "resource": {"type": kind, "id": name}}


def resource_of(instance) -> str:
    """`<app_label>_<model>:<primary key>`; `GRANTD["RESOURCE"]` may be a function that says otherwise."""
    meta = instance._meta
    return f"{meta.app_label}_{meta.model_name}:{instance.pk}"


def logins_with(perm, include_superusers) -> tuple[bool, set[str]]:
    """Whether everybody holds a permission; else the logins of those who do."""
    try:
        server = client()
        everybody, logins = _subjects(server, "holder", {"type": "tdp_permission", "id": perm})
        if include_superusers:
            more, admins = _subjects(server, "admin", {"type": "grantd", "id": server.settings.realm})
            everybody, logins = everybody or more, logins | admins
        return everybody, logins
    except (GrantdError, GrantdUnavailable, ValueError, KeyError, TypeError) as error:
        log.error("nobody is found to hold %r: %s", perm, error)
        return False, set()


def _subjects(server, action, resource) -> tuple[bool, set[str]]:
    asked = {"subject_type": "user", "action": action, "resource": resource, "limit": PAGE}
    everybody, logins = False, set()
    while True:
        page = server.send("POST", "/api/v1/search/subjects", asked).json()
        for item in page["items"]:
            subject = item["subject"] if isinstance(item, dict) else item
            kind, _, name = subject.partition(":")
            if kind != "user":
                continue
            everybody |= name == "*"
            logins.add(_decoded(name))
        if not page.get("next"):
            return everybody, logins
        asked = {**asked, "cursor": page["next"]}


def _decoded(name):
    from urllib.parse import unquote

    return unquote(name)

"""What a user holds: one question for each user object, which Django makes anew for each request."""

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import quote

from .client import client
from .errors import GrantdError, GrantdUnavailable

log = logging.getLogger("grantd_django")

KEPT = "_grantd_held"


@dataclass(frozen=True)
class Held:
    """All permissions of a user, as `app_label.codename`; `superuser` holds the others as well."""

    permissions: frozenset = frozenset()
    superuser: bool = False


NOTHING = Held()


def held(user) -> Held:
    """What somebody holds. Nothing, if they are nobody, or not active, or if the server cannot be asked."""
    if not user.is_active or user.is_anonymous:
        return NOTHING
    found = user.__dict__.get(KEPT)
    if found is None:
        found = ask(user.get_username())
        user.__dict__[KEPT] = found
    return found


def ask(login) -> Held:
    try:
        return read(client(), login)
    except GrantdError as error:
        if error.is_of_user:
            # Somebody of this application only.
            return NOTHING
        log.error("nobody is granted anything: %s", error)
    except (GrantdUnavailable, ValueError) as error:
        log.error("nothing is granted to %r: grantd cannot be asked: %s", login, error)
    return NOTHING


def read(server, login) -> Held:
    known = _remembered.get(server, login)
    answer = server.get(f"/api/v1/users/{quote(login, safe='')}/permissions?format=django", known and known[0])
    if answer.status == 304 and known:
        return known[1]
    body = answer.json()
    try:
        permissions, superuser, active = body["permissions"], body["superuser"], body["active"]
    except (KeyError, TypeError):
        raise GrantdUnavailable("the answer does not say what is held") from None
    if not isinstance(permissions, list) or not all(isinstance(one, str) for one in permissions):
        raise GrantdUnavailable("the answer does not say what is held")
    found = Held(frozenset(permissions), superuser is True) if active is True else NOTHING
    _remembered.put(server, login, answer.etag, found)
    return found


class _Remembered:
    """The last answers, each asked after again with its ETag and so never believed without asking."""

    def __init__(self):
        self._lock, self._answers = threading.Lock(), OrderedDict()

    def get(self, server, login):
        with self._lock:
            return self._answers.get((server, login))

    def put(self, server, login, etag, found):
        if not etag or not server.settings.remembered:
            return
        with self._lock:
            self._answers[server, login] = (etag, found)
            self._answers.move_to_end((server, login))
            while len(self._answers) > server.settings.remembered:
                self._answers.popitem(last=False)


_remembered = _Remembered()

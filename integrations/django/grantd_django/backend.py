"""The authentication backend. It signs nobody in: it only says what who is signed in may do."""

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend

from .conf import Settings
from .held import NOTHING, held
from .questions import logins_with


class GrantdBackend(BaseBackend):
    """What a user holds in grantd, beside what other backends grant.

    Asked about an object it says no, as Django's own backend does, whatever is held without one: with `GRANTD["OBJECTS"] =
    "global"` what is held without an object counts for every object.
    """

    def _held(self, user, obj):
        if obj is not None and Settings.read().objects == "deny":
            return NOTHING
        return held(user)

    def get_all_permissions(self, user_obj, obj=None):
        return set(self._held(user_obj, obj).permissions)

    def has_perm(self, user_obj, perm, obj=None):
        found = self._held(user_obj, obj)
        return found.superuser or perm in found.permissions

    def has_module_perms(self, user_obj, app_label):
        found = held(user_obj)
        return found.superuser or any(perm.startswith(f"{app_label}.") for perm in found.permissions)

    def with_perm(self, perm, is_active=True, include_superusers=True, obj=None):
        """The users who hold a permission; nobody, if the server cannot be asked."""
        users = get_user_model()._default_manager
        if obj is not None and Settings.read().objects == "deny":
            return users.none()
        if not isinstance(perm, str) or "." not in perm:
            raise ValueError("a permission is a text like `app_label.codename`")
        everybody, logins = logins_with(perm, include_superusers)
        name = f"{get_user_model().USERNAME_FIELD}__in"
        found = users.all() if everybody else users.filter(**{name: logins})
        if include_superusers and not everybody and hasattr(get_user_model(), "is_superuser"):
            found = found | users.filter(is_superuser=True)
        return found if is_active is None else found.filter(is_active=is_active)

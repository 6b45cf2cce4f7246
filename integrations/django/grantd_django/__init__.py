"""Django asks a grantd server who may do what."""

from .errors import GrantdError, GrantdUnavailable

__version__ = "0.1.0"
__all__ = ["GrantdBackend", "GrantdError", "GrantdUnavailable", "forget", "has_perms_many"]


def __getattr__(name):
    # Django imports this package before its settings can be read.
    if name == "GrantdBackend":
        from .backend import GrantdBackend

        return GrantdBackend
    if name in ("forget", "has_perms_many"):
        from . import questions

        return getattr(questions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

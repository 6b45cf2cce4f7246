"""The setting `GRANTD` of a project."""

from dataclasses import dataclass
from pathlib import Path

KEYS = {"URL", "KEY", "KEY_FILE", "REALM", "TIMEOUT", "CA_FILE", "OBJECTS", "RESOURCE", "REMEMBERED"}


@dataclass(frozen=True)
class Settings:
    """What is known of the server, and how it is asked."""

    url: str
    key: str
    realm: str
    timeout: float
    ca_file: str | None
    objects: str
    resource: object
    remembered: int

    @classmethod
    def read(cls) -> "Settings":
        from django.conf import settings

        given = getattr(settings, "GRANTD", None)
        if not isinstance(given, dict):
            raise ValueError("the setting GRANTD is missing: a dict with at least URL and KEY or KEY_FILE")
        unknown = given.keys() - KEYS
        if unknown:
            raise ValueError(f"GRANTD has no {', '.join(sorted(unknown))}; it knows {', '.join(sorted(KEYS))}")
        url = str(given.get("URL", "")).rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise ValueError("GRANTD['URL'] must begin with https:// or http://")
        objects = given.get("OBJECTS", "deny")
        if objects not in ("deny", "global"):
            raise ValueError("GRANTD['OBJECTS'] must be 'deny' or 'global'")
        timeout = given.get("TIMEOUT", 0.5)
        if not isinstance(timeout, (int, float)) or timeout <= 0:
            raise ValueError("GRANTD['TIMEOUT'] must be a number of seconds above 0")
        return cls(
            url=url,
            key=read_key(given),
            realm=given.get("REALM", "default"),
            timeout=float(timeout),
            ca_file=given.get("CA_FILE"),
            objects=objects,
            resource=given.get("RESOURCE"),
            remembered=int(given.get("REMEMBERED", 1_000)),
        )


def read_key(given) -> str:
    if given.get("KEY"):
        return given["KEY"]
    if not given.get("KEY_FILE"):
        raise ValueError("GRANTD needs KEY or KEY_FILE: an API key with `checker`")
    try:
        return Path(given["KEY_FILE"]).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"GRANTD['KEY_FILE'] cannot be read: {error}") from None

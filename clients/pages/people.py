"""What people do at every page, and how the pages are looked at."""

import os
from pathlib import Path

from harness import RUN, record_secret

SHOTS = Path(os.environ.get("GRANTD_PAGE_SHOTS", RUN / "pages"))
COOKIE = "grantd_session"
WIDTHS = {"320": (320, 640), "360": (360, 780), "1280": (1280, 800)}


def sign_in(tab, server, login, password):
    tab.go(f"{server.url}/login")
    tab.type("login", login)
    tab.type("password", password)
    tab.enter()
    if COOKIE in tab.cookies():
        record_secret("session", tab.cookies()[COOKIE]["value"])


def fits(tab) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return tab.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

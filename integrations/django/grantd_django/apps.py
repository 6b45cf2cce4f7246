"""The application, for its management command and the check of its settings."""

from django.apps import AppConfig
from django.core import checks


class GrantdConfig(AppConfig):
    name = "grantd_django"
    verbose_name = "grantd"

    def ready(self):
        checks.register(check_settings)


def check_settings(app_configs=None, **more):
    """Says at start what would otherwise be found out by everybody being refused."""
    from .conf import Settings

    try:
        Settings.read()
    except ValueError as error:
        return [checks.Error(str(error), hint="See docs/django.md of grantd.", id="grantd.E001")]
    return []

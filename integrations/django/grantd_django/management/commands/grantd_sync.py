"""Tells grantd what permissions this project knows, by natural key: the same again changes nothing."""

from collections import defaultdict

from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandError

from grantd_django.client import client
from grantd_django.errors import GrantdError, GrantdUnavailable

# A whole catalogue is more than a question.
TIMEOUT = 30.0


class Command(BaseCommand):
    help = "Tells grantd what permissions this project knows (content types and codenames). Deletes nothing without --prune."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument(
            "--prune",
            action="store_true",
            help="delete in grantd what this project does not know any more, of the applications that it names",
        )
        parser.add_argument("--app", action="append", default=[], metavar="LABEL", help="only this application; may be given again")

    def handle(self, *args, dry_run, prune, app, verbosity=1, **more):
        body = {"content_types": content_types(set(app)), "dry_run": dry_run, "prune": prune}
        if not body["content_types"]:
            raise CommandError("there are no permissions to tell of: run `migrate` first, or look at --app")
        try:
            report = client().send("PUT", "/api/v1/catalogue", body, timeout=TIMEOUT).json()
        except (GrantdError, GrantdUnavailable, ValueError) as error:
            raise CommandError(str(error)) from error
        for what, sign in (("created", "+"), ("changed", "~"), ("deleted", "-")):
            for key in report.get(what, []):
                if verbosity:
                    self.stdout.write(f"{sign} {key}")
        counts = ", ".join(f"{len(report.get(what, []))} {what}" for what in ("created", "changed", "deleted"))
        would = "would be " if dry_run else ""
        self.stdout.write(f"{would}{counts}, {report.get('unchanged', 0)} unchanged")


def content_types(apps):
    """The project's permissions as grantd takes them: ids stay here."""
    found = defaultdict(list)
    permissions = Permission.objects.select_related("content_type")
    for permission in permissions.order_by("content_type__app_label", "content_type__model", "codename"):
        kind = permission.content_type
        if not apps or kind.app_label in apps:
            found[kind.app_label, kind.model].append({"codename": permission.codename, "name": permission.name})
    return [
        {"app_label": app_label, "model": model, "permissions": permissions}
        for (app_label, model), permissions in found.items()
    ]

"""`manage.py grantd_sync`: the project's permissions are told by natural key; the same again changes nothing."""

import io

import pytest


def sync(*args):
    from django.core.management import call_command

    said = io.StringIO()
    call_command("grantd_sync", *args, stdout=said)
    return said.getvalue()


def test_the_same_again_changes_nothing(grantd):
    before = grantd.native.get("/api/v1/users/admin").revision
    assert sync().strip().startswith("0 created, 0 changed, 0 deleted,")
    assert grantd.native.get("/api/v1/users/admin").revision == before
    numbers = grantd.numbers()
    assert {"shop.lend_book", "shop.add_book", "admin.view_logentry", "auth.add_permission"} <= numbers.keys()


def test_a_new_permission_and_a_dry_run(grantd):
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.models import ContentType
    from shop.models import Book

    kind = ContentType.objects.get_for_model(Book)
    made = Permission.objects.create(content_type=kind, codename="burn_book", name="Can burn a book")
    said = sync("--dry-run")
    assert "+ shop.book.burn_book" in said and "would be 1 created" in said
    assert "shop.burn_book" not in grantd.numbers()
    assert "+ shop.book.burn_book" in sync()
    number = grantd.numbers()["shop.burn_book"]
    made.name = "Can put a book on a fire"
    made.save()
    assert "~ shop.book.burn_book" in sync()
    assert grantd.numbers()["shop.burn_book"] == number

    made.delete()
    assert "deleted" in sync() and "shop.burn_book" in grantd.numbers(), "nothing is deleted unless that is asked for"
    assert "- shop.book.burn_book" in sync("--prune", "--app", "shop")
    assert "shop.burn_book" not in grantd.numbers()
    assert sync().strip().startswith("0 created, 0 changed, 0 deleted,")


def test_holders_outlive_a_sync(grantd, person):
    grantd.grant("shop.lend_book", f"user:{person.username}")
    sync("--prune")
    assert type(person).objects.get(pk=person.pk).has_perm("shop.lend_book")


def test_what_cannot_be_told(grantd, settings_of_grantd):
    from django.core.management.base import CommandError

    with pytest.raises(CommandError, match="no permissions"):
        sync("--app", "nonsense")
    key = grantd.native.post("/api/v1/keys", {"name": "k", "grants": ["checker"]}).ok().json()["key"]
    settings_of_grantd["KEY"] = key
    with pytest.raises(CommandError, match="403"):
        sync()

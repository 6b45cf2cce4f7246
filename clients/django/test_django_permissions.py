"""Django's own checks, answered by grantd."""

import pytest


def fresh(user):
    """The user as the next request would have them."""
    return type(user).objects.get(pk=user.pk)


def test_has_perm_by_grant_and_by_role(grantd, person):
    login = person.username
    assert not person.has_perm("shop.add_book")
    grantd.grant("shop.add_book", f"user:{login}")
    role = f"role-of-{login}"
    grantd.native.post("/api/v1/roles", {"key": role}).ok()
    grantd.native.put(f"/api/v1/roles/{role}/members/user:{login}").ok()
    grantd.grant("shop.lend_book", f"role:{role}#member")
    user = fresh(person)
    assert user.has_perm("shop.add_book") and user.has_perm("shop.lend_book")
    assert user.has_perms(["shop.add_book", "shop.lend_book"])
    assert not user.has_perm("shop.delete_book") and not user.has_perm("add_book") and not user.has_perm("nonsense")
    assert user.has_module_perms("shop") and not user.has_module_perms("auth") and not user.has_module_perms("sho")
    assert user.get_all_permissions() == {"shop.add_book", "shop.lend_book"}


def test_what_django_grants_itself_stays(grantd, person):
    from django.contrib.auth.models import Permission

    grantd.grant("shop.add_book", f"user:{person.username}")
    person.user_permissions.add(Permission.objects.get(codename="view_shelf"))
    assert fresh(person).get_all_permissions() == {"shop.add_book", "shop.view_shelf"}


def test_an_object_is_a_no_unless_the_project_says_otherwise(grantd, person, settings_of_grantd):
    from shop.models import Book

    book = Book.objects.create(title="One")
    grantd.grant("shop.change_book", f"user:{person.username}")
    assert fresh(person).has_perm("shop.change_book")
    assert not fresh(person).has_perm("shop.change_book", book)
    assert fresh(person).get_all_permissions(book) == set()
    settings_of_grantd["OBJECTS"] = "global"
    assert fresh(person).has_perm("shop.change_book", book)
    assert not fresh(person).has_perm("shop.delete_book", book)


def test_super_users_of_grantd_hold_everything(grantd, person):
    grantd.native.put(f"/api/v1/roles/super-users/members/user:{person.username}").ok()
    user = fresh(person)
    assert user.has_perm("shop.delete_book") and user.has_perm("of.what_nobody_knows")
    assert user.has_module_perms("shop")
    grantd.native.delete(f"/api/v1/roles/super-users/members/user:{person.username}").ok()
    assert not fresh(person).has_perm("shop.delete_book")


def test_who_is_not_active_holds_nothing(grantd, person):
    from django.contrib.auth.models import AnonymousUser

    grantd.grant("shop.add_book", f"user:{person.username}")
    assert fresh(person).has_perm("shop.add_book")
    grantd.native.patch(f"/api/v1/users/{person.username}", {"active": False}).ok()
    assert not fresh(person).has_perm("shop.add_book"), "not active there"
    grantd.native.patch(f"/api/v1/users/{person.username}", {"active": True}).ok()
    assert fresh(person).has_perm("shop.add_book")
    person.is_active = False
    person.save()
    before = grantd.asked()
    assert not fresh(person).has_perm("shop.add_book"), "not active here"
    assert not AnonymousUser().has_perm("shop.add_book")
    assert grantd.asked() == before, "nothing has to be asked about them"


def test_somebody_whom_only_django_knows(grantd, caplog):
    from django.contrib.auth.models import User

    user = User.objects.create_user("only here/é")
    assert not user.has_perm("shop.add_book") and user.get_all_permissions() == set()
    assert not caplog.records, "that is nothing to complain of"


def test_five_checks_of_a_request_are_one_call(grantd, person, browser):
    grantd.grant("shop.add_book", f"user:{person.username}")
    before = grantd.asked()
    answer = browser.get("/five/").json()
    assert answer == {
        "shop.view_book": False,
        "shop.add_book": True,
        "shop.change_book": False,
        "shop.delete_book": False,
        "shop.lend_book": False,
    }
    assert grantd.asked() - before == 1


def test_what_is_revoked_counts_from_the_next_request_on(grantd, person, browser):
    subject = f"user:{person.username}"
    for _ in range(3):
        grantd.grant("shop.add_book", subject)
        assert browser.get("/five/").json()["shop.add_book"]
        assert browser.get("/five/").json()["shop.add_book"], "the answer was 304"
        grantd.revoke("shop.add_book", subject)
        assert not browser.get("/five/").json()["shop.add_book"]


def test_templates(grantd, person, browser):
    grantd.grant("shop.lend_book", f"user:{person.username}")
    assert browser.get("/page/").content == b"lend "


def test_the_admin_site(grantd, person, browser):
    from shop.models import Book

    book = Book.objects.create(title="Two")
    assert browser.get("/admin/").status_code == 200
    assert b"Books" not in browser.get("/admin/").content
    assert browser.get("/admin/shop/book/").status_code == 403
    grantd.grant("shop.view_book", f"user:{person.username}")
    assert b"Books" in browser.get("/admin/").content
    assert browser.get("/admin/shop/book/").status_code == 200
    assert browser.get("/admin/shop/book/add/").status_code == 403
    assert browser.get(f"/admin/shop/book/{book.pk}/delete/").status_code == 403
    assert browser.get("/admin/shop/shelf/").status_code == 403
    grantd.grant("shop.add_book", f"user:{person.username}")
    assert browser.post("/admin/shop/book/add/", {"title": "Three"}).status_code == 302
    assert Book.objects.filter(title="Three").exists()


@pytest.mark.parametrize(
    ("method", "perm", "status"),
    [("post", "add_book", 201), ("put", "change_book", 200), ("patch", "change_book", 200), ("delete", "delete_book", 204)],
)
def test_rest_framework(grantd, person, browser, method, perm, status):
    from shop.models import Book

    book = Book.objects.create(title="Four")
    path = "/api/books/" if method == "post" else f"/api/books/{book.pk}/"

    def call():
        return getattr(browser, method)(path, {"title": "Five"}, content_type="application/json")

    assert browser.get("/api/books/").status_code == 200, "reading asks for no permission there"
    assert call().status_code == 403
    grantd.grant(f"shop.{perm}", f"user:{person.username}")
    assert call().status_code == status


def test_who_has_a_permission(grantd, person):
    from django.contrib.auth.models import User

    def named(**more):
        found = User.objects.with_perm("shop.lend_book", backend="grantd_django.GrantdBackend", **more)
        return set(found.values_list("username", flat=True)) & {person.username, "chief-of-all", "asleep"}

    User.objects.create_superuser("chief-of-all")
    User.objects.create_user("asleep", is_active=False)
    grantd.user("asleep")
    grantd.grant("shop.lend_book", "user:asleep")
    assert named(include_superusers=False) == set()
    grantd.grant("shop.lend_book", f"user:{person.username}")
    assert named(include_superusers=False) == {person.username}
    assert named() == {person.username, "chief-of-all"}
    assert named(is_active=None, include_superusers=False) == {person.username, "asleep"}
    with pytest.raises(ValueError):
        User.objects.with_perm("lend_book", backend="grantd_django.GrantdBackend")
    assert not User.objects.with_perm("shop.lend_book", backend="grantd_django.GrantdBackend", obj=person).exists()


def test_many_checks_are_one_call(grantd, person):
    from grantd_django import has_perms_many

    grantd.grant("shop.add_book", f"user:{person.username}")
    route = "/api/v1/check/batch"
    before = grantd.asked(route)
    checks = ["shop.add_book", "shop.book.add_book", "shop.delete_book", "nonsense", ("holder", "tdp_permission:x")] * 100
    assert has_perms_many(fresh(person), checks) == [True, True, False, False, False] * 100
    assert grantd.asked(route) - before == 1
    assert has_perms_many(fresh(person), []) == []

"""Sign-in by client certificate: issued over anything, used over TLS, dead with what it was issued on."""

import ssl
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

import der
from harness import RUN
from pulp_words import (
    LOGIN,
    USERS,
    Pulp,
    as_user,
    body,
    by_certificate,
    certificate_of,
    denied,
    error,
    new_password,
    rule,
    unique,
    with_certificate,
)


def dead(user) -> None:
    """On a connection that is open, and on a new one."""
    for _ in range(2):
        answer = user.get(f"{USERS}{user.login}/")
        value = error(answer, 401, "PLP0027", auth_error_code="invalid_ssl_certificate")
        assert set(value["error"]["data"]) == {"user"}
        user.client.close()


def works(user) -> None:
    assert user.user(user.login)["login"] == user.login


def test_what_is_issued(server, admin):
    """Over plain HTTP as well; TLS is needed only to use it."""
    user = as_user(server, admin)
    pem = certificate_of(user).read_text()
    certificate = der.certificate(pem)
    uuid = server.client().get(f"/api/v1/users/{user.login}").ok().json()["uuid"]
    assert certificate.subject == f"admin:{user.login}:{uuid}"
    assert (certificate.signature, certificate.key_bits) == ("sha256WithRSAEncryption", 2048)
    now = datetime.now(timezone.utc)
    assert timedelta(days=6, hours=23) < certificate.not_after - now <= timedelta(days=7)
    assert certificate.not_before <= now
    again = der.certificate(certificate_of(user).read_text())
    assert again.serial != certificate.serial and again.issuer == certificate.issuer


def test_it_needs_no_body_and_takes_any(server, admin):
    user = as_user(server, admin)
    for request in (None, b"", b"{", {}, b"not JSON"):
        assert set(body(user.post(LOGIN, request))) == {"key", "certificate"}


def test_it_needs_read_on_itself(server, admin):
    user = as_user(server, admin)
    admin.revoke(user.login, LOGIN, "READ")
    denied(user.post(LOGIN), user.login, "READ")
    admin.grant(user.login, "/v2/actions/", "READ")
    body(user.post(LOGIN))


def test_a_key_is_nobody_who_could_have_one(admin):
    rule(admin.post(LOGIN))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_is_a_credential(tls, tls_admin, version):
    by_password = as_user(tls, tls_admin)
    context = tls.context()
    context.load_cert_chain(certificate_of(by_password))
    context.minimum_version = context.maximum_version = version
    user = Pulp(tls.nobody(tls=context, base="/pulp/api"), by_password.login)
    works(user)
    denied(user.get(USERS), user.login, "READ")
    tls_admin.grant(user.login, USERS, "READ")
    assert user.login in [one["login"] for one in body(user.get(USERS))]
    # At the root, at an address of its own and for another sign-in it is one as well.
    works(Pulp(tls.nobody(tls=context), user.login))
    works(with_certificate(tls, certificate_of(user), base="/pulp/api", login=user.login))


def test_what_ends_it(tls, tls_admin):
    native = tls.client()

    def another_password(login):
        body(tls_admin.put(f"{USERS}{login}/", {"delta": {"password": new_password()}}))

    def deactivated(login):
        assert native.patch(f"/api/v1/users/{login}", {"active": False}).status == 200

    def deleted(login):
        tls_admin.delete(f"{USERS}{login}/")

    def made_again(login):
        tls_admin.delete(f"{USERS}{login}/")
        tls_admin.new_user(login=login, password=new_password())
        tls_admin.grant(login, "/", "READ")

    for end in (another_password, deactivated, deleted, made_again):
        user = by_certificate(tls, tls_admin)
        works(user)
        end(user.login)
        dead(user)


def test_another_name_or_role_does_not_end_it(tls, tls_admin):
    user = by_certificate(tls, tls_admin)
    role = tls_admin.new_role()
    body(tls_admin.put(f"{USERS}{user.login}/", {"delta": {"name": "other", "roles": [role]}}))
    works(user)


def test_a_password_that_is_shown_comes_first(tls, tls_admin):
    one, two = by_certificate(tls, tls_admin), as_user(tls, tls_admin)
    one.client.headers.update(two.client.headers)
    denied(one.get(USERS), two.login, "READ")
    one.client.headers["Authorization"] = "Basic eDp5"
    error(one.get(USERS), 401, "PLP0030")


def test_every_realm_has_an_authority_of_its_own(tls, tls_admin):
    name = unique("realm")
    assert tls.client().post("/api/v1/realms", {"name": name}).status == 201
    there = Pulp(tls.client(base=f"/r/{name}/pulp/api"))
    here = by_certificate(tls, tls_admin)
    there.new_user(login=here.login, password=new_password())
    there.grant(here.login, "/", "READ")
    answer = here.client.call("GET", f"{USERS}{here.login}/")
    assert answer.status == 200
    here.client.base = f"/r/{name}/pulp/api"
    dead(here)
    here.client.base = "/pulp/api"
    works(here)
    other = by_certificate(tls, there, login=here.login, base=f"/r/{name}/pulp/api")
    assert other.user(here.login)["login"] == here.login
    other.client.base = "/pulp/api"
    dead(other)


def self_made(common_name: str, issuer_name: str, login: str) -> str:
    """Key and certificate by OpenSSL, where there is one."""
    file = RUN / f"{unique('forged')}.pem"
    key, cert = file.with_suffix(".key"), file.with_suffix(".crt")
    ca_key, ca = file.with_suffix(".ca-key"), file.with_suffix(".ca")
    run = lambda *args: subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)  # noqa: E731
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", ca_key, "-out", ca, "-subj", f"/CN={issuer_name}")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-subj", f"/CN={common_name}")
    extensions = file.with_suffix(".ext")
    extensions.write_text(f"subjectAltName=URI:urn:grantd:user:{login}\nextendedKeyUsage=clientAuth\n")
    signed = file.with_suffix(".signed")
    run("x509", "-req", "-in", cert, "-CA", ca, "-CAkey", ca_key, "-days", "2", "-out", signed, "-extfile", extensions, "-CAcreateserial")
    file.write_text(key.read_text() + signed.read_text())
    return file


def test_a_certificate_of_somebody_else_is_nothing(tls, tls_admin):
    if subprocess.run(["which", "openssl"], capture_output=True).returncode:
        pytest.skip("there is no openssl here")
    user = by_certificate(tls, tls_admin)
    uuid = tls.client().get(f"/api/v1/users/{user.login}").ok().json()["uuid"]
    names = f"admin:{user.login}:{uuid}", f"{user.login}:{uuid}:1:0"
    # Of an authority that calls itself like ours, it is a wrong credential; of any other, none.
    forged = with_certificate(tls, self_made(names[0], "grantd users", names[1]), base="/pulp/api", login=user.login)
    dead(forged)
    foreign = with_certificate(tls, self_made(names[0], "somebody", names[1]), base="/pulp/api")
    error(foreign.get(USERS), 401, "PLP0025", auth_error_code="authentication_failed")


def test_a_connection_without_a_certificate_is_served(tls):
    nobody = Pulp(tls.nobody(base="/pulp/api"))
    error(nobody.get(USERS), 401, "PLP0025", auth_error_code="authentication_failed")
    assert tls.nobody().get("/readyz").status == 200


def test_a_page_of_somebody_else_cannot_use_it(tls, tls_admin):
    """A browser that has the certificate shows it for whatever any page asks for."""
    user = by_certificate(tls, tls_admin)
    path = f"{USERS}{user.login}/"
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = user.put(path, {"delta": {"name": "mine"}}, headers=headers)
        assert answer.status == 403, answer
        error(answer, 403, "PLP0000")
    assert user.user(user.login)["name"] == user.login
    assert user.put(path, {"delta": {"name": "mine"}}, headers={"Sec-Fetch-Site": "same-origin"}).status == 200


def test_the_authority_outlives_a_restart(tls, tls_admin):
    user = by_certificate(tls, tls_admin)
    works(user)
    user.client.close()
    tls_admin.client.close()
    tls.restart()
    works(user)
    other = by_certificate(tls, tls_admin)
    works(other)

"""A small OpenID provider, as a process: python provider.py PORT SECRET. Whoever comes to it is asked who they are, and believed."""

import base64
import hashlib
import html
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PORT, SECRET = int(sys.argv[1]), sys.argv[2]
ISSUER = f"http://127.0.0.1:{PORT}"
CODES: dict[str, dict] = {}

PAGE = """<!doctype html><meta charset=utf-8><title>Example ID</title><h1>Example ID</h1>
<form method=post action="/authorize"><input type=hidden name=asked value="{asked}">
<label>Address <input id=address name=address></label> <button>Continue</button> <button name=no value=1>Cancel</button></form>"""


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body, kind="application/json", **headers):
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/.well-known/openid-configuration":
            self.say(200, document())
        elif url.path == "/keys":
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            self.say(200, {"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]})
        elif url.path == "/authorize":
            self.say(200, PAGE.format(asked=html.escape(url.query)), "text/html")
        else:
            self.say(404, {})

    def do_POST(self):
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        if self.path == "/authorize":
            asked = {k: v[0] for k, v in parse_qs(form["asked"]).items()}
            back = {"state": asked["state"]}
            if "no" in form:
                back["error"] = "access_denied"
            else:
                back["code"] = secrets.token_urlsafe()
                CODES[back["code"]] = {**asked, "address": form["address"]}
            self.say(303, "", "text/html", Location=f"{asked['redirect_uri']}?{urlencode(back)}")
        elif self.path == "/token":
            self.token(form)

    def token(self, form):
        basic = "Basic " + base64.b64encode(f"grantd:{SECRET}".encode()).decode()
        asked = CODES.pop(form.get("code"), None)
        if self.headers["Authorization"] != basic:
            return self.say(401, {"error": "invalid_client"})
        verifier = form.get("code_verifier", "").encode()
        if not asked or encoded(hashlib.sha256(verifier).digest()) != asked["code_challenge"]:
            return self.say(400, {"error": "invalid_grant"})
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": hashlib.sha256(asked["address"].encode()).hexdigest(),
            "aud": "grantd",
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "email": asked["address"],
            "email_verified": not asked["address"].startswith("unverified"),
            "name": "Ann Ångström",
        }
        token = jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "one"})
        self.say(200, {"access_token": "none", "token_type": "Bearer", "expires_in": 300, "id_token": token})


def document():
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


ThreadingHTTPServer(("127.0.0.1", PORT), Provider).serve_forever()

"""A small OpenID Connect provider: a real server with discovery, keys, a page, a token endpoint and a page to log out.

It keeps to the specifications; `forge` makes it sign something else, as a provider that is attacked would.
"""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from pydantic import SecretStr

from core.base.config import Settings

CLIENT_ID = "pawsort"
CLIENT_SECRET = "secret-of-the-test-provider"
PAGE = """<!doctype html><html lang="en"><title>Test provider</title><h1>Test provider</h1>
<form method="post" action="/authorize"><input type="hidden" name="query" value="{query}">
<button>Continue as {name}</button></form></html>"""

Forge = Callable[["OpenIdProvider", dict[str, Any]], str]


@cache
def rsa_key() -> RSAKey:
    """The key that it begins with; one for the whole run, since it takes a while to make."""
    return RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})


@dataclass
class OpenIdProvider:
    """A provider that knows one person.

    Attributes:
        claims: What it says of the person, besides what it adds by itself.
        forge: Makes the ID token from its claims, where a test wants a wrong one.
        asked: The paths that were asked for.
    """

    issuer: str
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "248289761001", "preferred_username": "ada"})
    key: RSAKey | ECKey = field(default_factory=rsa_key)
    forge: Forge | None = None
    has_logout: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def rotate_key(self) -> None:
        """Sign with a new key from now on; the old one is no longer listed."""
        self.key = ECKey.generate_key("P-256", {"kid": "second", "use": "sig", "alg": "ES256"})

    def metadata(self) -> dict[str, Any]:
        """What discovery answers."""
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "code_challenge_methods_supported": ["S256"],
        }
        return found | ({"end_session_endpoint": f"{self.issuer}/logout"} if self.has_logout else {})

    def authorize(self, address: str) -> dict[str, str]:
        """Say yes to the request in an address; returns what the browser brings back."""
        query = dict(parse_qsl(urlsplit(address).query))
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.issuer}

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint: each code once, with the verifier of its challenge."""
        query = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if query is None or challenge != query["code_challenge"] or form["redirect_uri"] != query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        id_token = (self.forge or OpenIdProvider.sign)(self, self.id_claims(query["nonce"]))
        return 200, {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": id_token}

    def id_claims(self, nonce: str) -> dict[str, Any]:
        """The claims of an ID token."""
        now = int(time.time())
        own = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        return own | self.claims

    def sign(self, claims: dict[str, Any]) -> str:
        """An ID token of these claims."""
        header = {"alg": self.key.as_dict()["alg"], "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[header["alg"]])


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        provider, parts = self.server.provider, urlsplit(self.path)
        provider.asked.append(parts.path)
        if parts.path == "/.well-known/openid-configuration":
            self.answer(200, provider.metadata())
        elif parts.path == "/keys":
            self.answer(200, KeySet([provider.key]).as_dict(private=False))
        elif parts.path == "/authorize":
            self.show(PAGE.format(query=html.escape(parts.query), name=provider.claims["preferred_username"]))
        elif parts.path == "/logout":
            self.redirect(dict(parse_qsl(parts.query))["post_logout_redirect_uri"])
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        provider, path = self.server.provider, urlsplit(self.path).path
        provider.asked.append(path)
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if path == "/authorize":
            query = dict(parse_qsl(form["query"]))
            self.redirect(f"{query['redirect_uri']}?{urlencode(provider.authorize('?' + form['query']))}")
        elif self.headers.get("Authorization") != f"Basic {_basic()}":
            self.answer(401, {"error": "invalid_client"})
        else:
            self.answer(*provider.exchange(form))

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.send(status, "application/json", json.dumps(body).encode())

    def show(self, page: str) -> None:
        self.send(200, "text/html", page.encode())

    def redirect(self, address: str) -> None:
        self.send(302, "text/plain", b"", {"Location": address})

    def send(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: OpenIdProvider


@contextmanager
def openid_provider() -> Iterator[OpenIdProvider]:
    """Run a provider."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.provider = OpenIdProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def with_provider(settings: Settings, provider: OpenIdProvider) -> Settings:
    """The settings of a site that knows the provider."""
    return settings.model_copy(
        update={
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
            "oidc_label": "Test provider",
        }
    )


def _basic() -> str:
    return base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()

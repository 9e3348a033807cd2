"""The client of one OpenID Connect provider: discovery, the start and the end of a login, logout.

It keeps the provider's metadata and keys for an hour, and fetches the keys again when a token names an unknown one. It
accepts asymmetric signatures only, so that neither `none` nor the public key as a shared secret signs anything.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token, is_secure_transport
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jws import JWSRegistry
from requests import RequestException

from core.accounts.openid.login import Claims, LoginAttempt, LoginRefused
from core.accounts.openid.settings import ProviderSettings
from core.base.errors import Unavailable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
REQUIRED = frozenset(("issuer", *ENDPOINTS[:3]))
KEPT_S = 3600.0
TIMEOUT_S = 5.0
AWAY_S = 10.0  # for which a provider that did not answer is not asked again, so that logins do not fill all threads
CLOCK_SKEW_S = 60
SECRET_CHARACTERS = 48


class ProviderClient:
    """Asks one provider. Nothing connects before it is used."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._away: tuple[float, Unavailable] | None = None

    def start(self, redirect_uri: str) -> tuple[str, LoginAttempt]:
        """Begin a login.

        Returns:
            The address of the provider's page, and what the browser must keep.
        Raises:
            Unavailable: The provider does not answer, or not as one.
        """
        attempt = LoginAttempt(_make_secret(), _make_secret(), _make_secret(), redirect_uri)
        strength = {"acr_values": " ".join(self.settings.acr_values)} if self.settings.acr_values else {}
        with self._session(redirect_uri) as session:
            address, _ = session.create_authorization_url(
                self.metadata()["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
                **strength,
            )
        return str(address), attempt

    def finish(self, attempt: LoginAttempt, answer: Mapping[str, str]) -> Claims:
        """Exchange the code for an ID token, and check it.

        Args:
            answer: The query of the address to which the provider sent the browser.
        Raises:
            LoginRefused: The provider or a check refuses.
            Unavailable: The provider does not answer.
        """
        if answer.get("state") != attempt.state:
            raise LoginRefused("expected the state of this browser's login, got another one")
        if "error" in answer:
            raise LoginRefused(f"the provider says {answer['error']}")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:  # RFC 9207
            raise LoginRefused(f"expected an answer of {self.settings.issuer}, got one of {answer['iss']}")
        token = self._fetch_token(attempt, answer.get("code", ""))
        return self._read_claims(token, attempt.nonce)

    def logout_address(self, back: str) -> str | None:
        """Where the browser ends its session at the provider too; None if the provider has no such page.

        Args:
            back: Where the provider sends the browser afterwards.
        Raises:
            Unavailable: The provider does not answer.
        """
        address = self.metadata().get("end_session_endpoint")
        query = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": back})
        return f"{address}{'&' if '?' in address else '?'}{query}" if address else None

    def metadata(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0).

        Raises:
            Unavailable: It does not answer, or it is another provider.
        """
        with self._lock:
            if not self._metadata or time.monotonic() - self._read_at > KEPT_S:
                self._metadata, self._keys = self._try_to_discover(), None
                self._read_at = time.monotonic()
            return self._metadata

    def _try_to_discover(self) -> dict[str, Any]:
        if self._away is not None and time.monotonic() < self._away[0]:
            raise self._away[1]
        try:
            return self._discover()
        except Unavailable as error:
            self._away = (time.monotonic() + AWAY_S, error)
            raise

    def _discover(self) -> dict[str, Any]:
        found = self._get_json(get_well_known_url(self.settings.issuer, external=True))
        missing = REQUIRED - found.keys()
        if missing:
            names = ", ".join(sorted(missing))
            raise Unavailable(f"{self.settings.issuer} is no OpenID provider: it names no {names}.")
        if found["issuer"] != self.settings.issuer:
            raise Unavailable(
                f"PAWSORT_OIDC_ISSUER: the provider calls itself {found['issuer']}, which must be the same as"
                f" {self.settings.issuer}. Correct the setting."
            )
        open_ones = [name for name in ENDPOINTS if name in found and not is_secure_transport(found[name])]
        if open_ones:
            raise Unavailable(f"{self.settings.issuer} has endpoints without TLS: {', '.join(open_ones)}.")
        return found

    def _find_keys(self, again: bool = False) -> KeySet:
        address = self.metadata()["jwks_uri"]
        with self._lock:
            if self._keys is None or again:
                self._keys = KeySet.import_key_set(cast(KeySetSerialization, self._get_json(address)))
            return self._keys

    def _fetch_token(self, attempt: LoginAttempt, code: str) -> dict[str, Any]:
        address = self.metadata()["token_endpoint"]
        try:
            with self._session(attempt.redirect_uri) as session:
                token: dict[str, Any] = session.fetch_token(
                    address, grant_type="authorization_code", code=code, code_verifier=attempt.verifier
                )
        except RequestException as error:
            raise self._unreachable(error) from error
        except (AuthlibBaseError, ValueError) as error:
            raise LoginRefused(f"the provider does not accept the code: {error}") from error
        return token

    def _read_claims(self, token: Mapping[str, Any], nonce: str) -> Claims:
        expected = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
            "sub": {"essential": True},
        }
        known = {"nonce": nonce, "client_id": self.settings.client_id, "access_token": token.get("access_token")}
        try:
            decoded = self._decode(str(token.get("id_token", "")))
            claims = CodeIDToken(decoded.claims, decoded.header, expected, known)
            claims.validate(leeway=CLOCK_SKEW_S)
        except (JoseError, AuthlibBaseError, ValueError) as error:
            raise LoginRefused(f"the ID token is not valid: {error}") from error
        self._check_strength(claims)
        return self._as_claims(claims)

    def _check_strength(self, claims: Mapping[str, Any]) -> None:
        """A provider may take `acr_values` for a wish, so what it says of the login decides; saying nothing is weak."""
        said = {str(one) for one in (claims.get("acr"), *(claims.get("amr") or []))}
        if self.settings.acr_values and said.isdisjoint(self.settings.acr_values):
            expected = ", ".join(self.settings.acr_values)
            raise LoginRefused(f"expected a login of the strength {expected}, got {claims.get('acr') or 'none'}")

    def _decode(self, id_token: str) -> jwt.Token:
        checks = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(id_token, self._find_keys(), registry=checks)
        except InvalidKeyIdError:
            return jwt.decode(id_token, self._find_keys(again=True), registry=checks)

    def _as_claims(self, claims: Mapping[str, Any]) -> Claims:
        groups = claims.get(self.settings.groups_claim, [])
        listed = {str(group) for group in (groups if isinstance(groups, list) else [groups])}
        names = (claims.get("preferred_username"), claims.get("name"), claims.get("email"))
        email = claims.get("email")
        return Claims(
            issuer=claims["iss"],
            subject=claims["sub"],
            name=next((name for name in names if isinstance(name, str) and name), ""),
            email=email if isinstance(email, str) else None,
            groups=frozenset(listed & {group for _, group in self.settings.roles}),
        )

    def _get_json(self, address: str) -> dict[str, Any]:
        try:
            with self._session() as session:
                response = session.get(address, withhold_token=True, allow_redirects=False)
                response.raise_for_status()
                found = response.json()
        except RequestException as error:
            raise self._unreachable(error) from error
        if not isinstance(found, dict):
            raise Unavailable(f"{address} did not answer with a JSON object.")
        return found

    def _session(self, redirect_uri: str | None = None) -> OAuth2Session:
        return OAuth2Session(
            self.settings.client_id,
            self.settings.client_secret.get_secret_value() or None,
            scope=self.settings.scopes,
            redirect_uri=redirect_uri,
            default_timeout=TIMEOUT_S,
        )

    def _unreachable(self, error: RequestException) -> Unavailable:
        return Unavailable(
            f"PAWSORT_OIDC_ISSUER: the login provider {self.settings.issuer} does not answer ({error}). Check its"
            " address, and that this machine reaches it."
        )


def _make_secret() -> str:
    return str(generate_token(SECRET_CHARACTERS))

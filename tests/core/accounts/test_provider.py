"""A login by an OpenID Connect provider, and every way to forge one."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from core.accounts.openid.login import LoginRefused
from core.accounts.openid.provider import ProviderClient
from core.accounts.openid.settings import ProviderSettings
from core.accounts.rights import Role
from core.base.errors import Unavailable
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, Forge, OpenIdProvider, openid_provider, rsa_key

HS256 = {"alg": "HS256", "kid": "first"}
BACK = "http://localhost/login/provider/answer"


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIdProvider]:
    with openid_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: OpenIdProvider) -> OpenIdProvider:
    """The provider as it begins."""
    fresh = OpenIdProvider(running.issuer)
    vars(running).update(vars(fresh))
    return running


@pytest.fixture
def client(provider: OpenIdProvider) -> ProviderClient:
    return ProviderClient(make_settings(provider.issuer))


def make_settings(issuer: str) -> ProviderSettings:
    return ProviderSettings(
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=SecretStr(CLIENT_SECRET),
        label="Test provider",
        scopes="openid profile email",
        groups_claim="groups",
        acr_values=(),
        roles=((Role.ADMIN, "operators"), (Role.MEMBER, "staff")),
        creates_people=False,
    )


def test_a_login_says_who_it_is_and_which_groups_count(provider: OpenIdProvider, client: ProviderClient) -> None:
    provider.claims |= {"email": "ada@example.org", "groups": ["staff", "choir"]}
    address, attempt = client.start(BACK)
    claims = client.finish(attempt, provider.authorize(address))
    assert (claims.issuer, claims.subject) == (provider.issuer, "248289761001")
    assert (claims.name, claims.email, claims.groups) == ("ada", "ada@example.org", {"staff"})


def test_a_code_works_once_and_only_for_who_began_the_login(provider: OpenIdProvider, client: ProviderClient) -> None:
    address, attempt = client.start(BACK)
    answer = provider.authorize(address)
    client.finish(attempt, answer)
    with pytest.raises(LoginRefused, match="invalid_grant"):
        client.finish(attempt, answer)
    _, other = client.start(BACK)
    stolen = provider.authorize(address) | {"state": other.state}
    with pytest.raises(LoginRefused, match="invalid_grant"):
        client.finish(other, stolen)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "another"}, "state"),
        ({"error": "access_denied"}, "access_denied"),
        ({"iss": "https://evil.example"}, "evil.example"),
        ({"code": "guessed"}, "invalid_grant"),
    ],
    ids=["state", "denied", "issuer", "code"],
)
def test_a_wrong_answer_is_refused(
    provider: OpenIdProvider, client: ProviderClient, change: dict[str, str], reason: str
) -> None:
    address, attempt = client.start(BACK)
    with pytest.raises(LoginRefused, match=reason):
        client.finish(attempt, provider.authorize(address) | change)


@pytest.mark.parametrize(
    ("said", "is_enough"),
    [
        ({"acr": "2"}, True),
        ({"acr": 2}, True),
        ({"acr": "1", "amr": ["pwd", "mfa"]}, True),
        ({"acr": "1", "amr": ["pwd"]}, False),
        ({}, False),
    ],
)
def test_a_login_of_less_strength_than_the_settings_ask_for_is_refused(
    provider: OpenIdProvider, said: dict[str, Any], is_enough: bool
) -> None:
    client = ProviderClient(replace(make_settings(provider.issuer), acr_values=("2", "mfa")))
    provider.claims |= said
    address, attempt = client.start(BACK)
    assert "acr_values=2+mfa" in address
    answer = provider.authorize(address)
    if is_enough:
        assert client.finish(attempt, answer).subject
    else:
        with pytest.raises(LoginRefused, match="expected a login of the strength 2, mfa"):
            client.finish(attempt, answer)


def with_claims(**changes: Any) -> Forge:
    return lambda provider, claims: provider.sign(claims | changes)


def without_signature(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "none"}, claims, None, algorithms=["none"])


def signed_with_the_public_key(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (HS256, claims)]
    signature = hmac.digest(rsa_key().as_pem(private=False), b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def signed_by_somebody_else(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    other = RSAKey.generate_key(2048, {"kid": "first"})
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, other)


FORGERIES: dict[str, Forge] = {
    "wrong nonce": with_claims(nonce="another"),
    "wrong audience": with_claims(aud="another client"),
    "two audiences, for another party": with_claims(aud=[CLIENT_ID, "other"], azp="other"),
    "wrong issuer": with_claims(iss="https://evil.example"),
    "expired": with_claims(exp=int(time.time()) - 120),
    "not issued yet": with_claims(iat=int(time.time()) + 900),
    "a subject that is no text": with_claims(sub=7),
    "alg none": without_signature,
    "HS256 with the public key": signed_with_the_public_key,
    "another key of the same name": signed_by_somebody_else,
    "no token": lambda provider, claims: "",
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # of making the forgeries
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused(provider: OpenIdProvider, client: ProviderClient, forgery: str) -> None:
    provider.forge = FORGERIES[forgery]
    address, attempt = client.start(BACK)
    with pytest.raises(LoginRefused, match="ID token is not valid"):
        client.finish(attempt, provider.authorize(address))


def test_a_clock_may_be_a_minute_wrong(provider: OpenIdProvider, client: ProviderClient) -> None:
    provider.forge = with_claims(iat=int(time.time()) + 50, exp=int(time.time()) - 30)
    address, attempt = client.start(BACK)
    assert client.finish(attempt, provider.authorize(address)).subject


def test_new_keys_of_the_provider_are_fetched_once_they_sign(provider: OpenIdProvider, client: ProviderClient) -> None:
    for _ in range(2):
        address, attempt = client.start(BACK)
        client.finish(attempt, provider.authorize(address))
    provider.rotate_key()
    for _ in range(2):
        address, attempt = client.start(BACK)
        assert client.finish(attempt, provider.authorize(address)).subject
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_a_provider_of_another_name_is_not_asked(provider: OpenIdProvider) -> None:
    wrong = ProviderClient(make_settings(provider.issuer.replace("127.0.0.1", "localhost")))
    with pytest.raises(Unavailable, match="calls itself"):
        wrong.start(BACK)


def test_a_provider_that_does_not_answer_is_named(provider: OpenIdProvider) -> None:
    client = ProviderClient(make_settings("http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match=r"PAWSORT_OIDC_ISSUER: the login provider http://127.0.0.1:9 ") as first:
        client.start(BACK)
    with pytest.raises(Unavailable) as second:
        client.start(BACK)
    assert second.value is first.value, "it is not asked again at once"


def test_the_page_for_logging_out_is_the_providers_if_it_has_one(
    provider: OpenIdProvider, client: ProviderClient
) -> None:
    address = client.logout_address("http://localhost/login")
    assert address is not None
    assert address.startswith(f"{provider.issuer}/logout?client_id=pawsort&post_logout_redirect_uri=http%3A%2F%2F")
    provider.has_logout = False
    assert ProviderClient(make_settings(provider.issuer)).logout_address("http://localhost/login") is None


@pytest.mark.parametrize(
    ("groups", "role"), [({"staff"}, Role.MEMBER), ({"staff", "operators"}, Role.ADMIN), (set(), None)]
)
def test_the_highest_role_of_the_groups_counts(groups: set[str], role: Role | None) -> None:
    settings = make_settings("https://id.example")
    assert settings.role_of(groups) == role
    everybody = replace(settings, roles=(*settings.roles, (Role.VIEWER, "*")))
    assert everybody.role_of(groups) == (role or Role.VIEWER)

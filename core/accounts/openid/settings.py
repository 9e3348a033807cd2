"""The settings of one OpenID Connect provider, and the roles that its groups give."""

from collections.abc import Collection
from dataclasses import dataclass

from pydantic import SecretStr

from core.accounts.rights import Role
from core.base.config import Settings

ANY_GROUP = "*"


@dataclass(frozen=True)
class ProviderSettings:
    """One provider.

    Attributes:
        label: What people call it; the page says "Log in with …".
        acr_values: One of them must be the `acr` of a login, or among its `amr`; empty: any login counts.
        roles: The groups that give each role; empty: groups do not matter, and admins give roles.
        creates_people: Whether somebody who was not invited gets an account.
    """

    issuer: str
    client_id: str
    client_secret: SecretStr
    label: str
    scopes: str
    groups_claim: str
    acr_values: tuple[str, ...]
    roles: tuple[tuple[Role, str], ...]
    creates_people: bool

    def role_of(self, groups: Collection[str]) -> Role | None:
        """The highest role that one of these groups gives; None if none does."""
        given = {role for role, group in self.roles if group == ANY_GROUP or group in groups}
        return max(given, key=list(Role).index, default=None)


def read_provider_settings(settings: Settings) -> ProviderSettings | None:
    """The provider of these settings; None where there is none."""
    if not settings.oidc_issuer:
        return None
    return ProviderSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        label=settings.oidc_label,
        scopes=settings.oidc_scopes,
        groups_claim=settings.oidc_groups_claim,
        acr_values=tuple(settings.oidc_acr_values.split()),
        roles=tuple((Role(role), group) for role, group in settings.oidc_role_groups),
        creates_people=settings.oidc_create_people,
    )

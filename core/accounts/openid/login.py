"""What passes between the start and the end of a login: what the browser keeps, and what the provider says."""

from dataclasses import dataclass

from core.base.errors import Invalid


@dataclass(frozen=True)
class Claims:
    """Who logged in, as the provider says. `issuer` and `subject` identify a person; everything else may change.

    Attributes:
        groups: Only those that give a role here.
    """

    issuer: str
    subject: str
    name: str
    email: str | None
    groups: frozenset[str]


class LoginRefused(Invalid):
    """The provider's answer does not prove who this is; the sentence is for the log."""


@dataclass(frozen=True)
class LoginAttempt:
    """What the browser must bring back: `state` in the address, the rest in its cookie.

    Attributes:
        verifier: Proves to the provider that this client asked for the code (PKCE, RFC 7636).
    """

    state: str
    nonce: str
    verifier: str
    redirect_uri: str

"""Tokens that people make for themselves: with no more rights than they have at that moment, and no later end."""

from collections.abc import Set as AbstractSet

from sqlalchemy.orm import Session

from core.accounts.credentials import Credential
from core.accounts.rights import Actor, Right, check_right
from core.accounts.sessions import check_recent_login
from core.accounts.tokens import NewToken, add_token
from core.base.errors import Invalid

MAX_DAYS = 366  # longer ones, and those without an end, are made on the server


def create_own_token(
    session: Session, credential: Credential, actor: Actor, name: str, days: int, scopes: AbstractSet[Right] | None
) -> NewToken:
    """Make a token for the person of a credential.

    Args:
        credential: What the person is let in with. Made with a token, or in its session, the new one ends with it.
        actor: The same person, with the rights of the credential.
        scopes: The rights of the token; None for all of the credential.
    Raises:
        Forbidden: The person does not have one of the rights, or logged in too long ago: a token outlives the session.
        Invalid: There is no right, the number of days is out of range, or the name cannot be used.
    """
    check_recent_login(session, actor)
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"days: expected 1 to {MAX_DAYS}, got {days}.")
    if scopes is not None and not scopes:
        raise Invalid("scopes: expected at least one right. Choose what the token may do.")
    for right in scopes or ():
        check_right(actor, right)
    limited = credential.scopes if scopes is None else scopes
    new = add_token(session, name, credential.user, days=days, scopes=limited, actor=actor)
    new.token.made_with = credential.token_id
    if credential.expires_at is not None and new.token.expires_at is not None:
        new.token.expires_at = min(new.token.expires_at, credential.expires_at)
    return new

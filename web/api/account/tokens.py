"""Tokens of the person who asks: list, create, revoke."""

from apiflask import APIBlueprint

from core.accounts import own_tokens, tokens
from core.accounts.rights import Right
from core.orm.accounts import Token
from web.http.access.credentials import current_credential
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.paths import TOKEN_ID
from web.http.rights import current_actor, needs
from web.schemas.accounts import NewTokenOut, TokenIn, TokenList, TokenOut

TAG = {
    "name": "Account",
    "description": "Your own tokens and sessions, and what your uploads use",
}
api = APIBlueprint("tokens", __name__, url_prefix="/api/v1/tokens", tag=TAG)


@api.get("")
@needs(Right.SEE)
@api.output(TokenList)
def list_tokens() -> TokenList:
    """Your tokens that work, newest first"""
    with get_services().db.read() as session:
        return TokenList(items=[_show(one) for one in tokens.list_tokens(session, current_user_id())], next=None)


@api.post("")
@needs(Right.SEE)
@api.input(TokenIn)
@api.output(NewTokenOut, status_code=201)
@api.doc(responses={403: "You do not have one of the rights, or logged in more than 15 minutes ago"})
def create_token(json_data: TokenIn) -> NewTokenOut:
    """Create a token

    It is shown in this answer only. Created with a token, it has at most the rights of that one, and does not outlive
    it. A browser needs a login of the last 15 minutes.
    """
    scopes = None if json_data.scopes is None else frozenset(json_data.scopes)
    with get_services().db.write() as session:
        new = own_tokens.create_own_token(
            session, current_credential(), current_actor(), json_data.name, json_data.days, scopes
        )
    return NewTokenOut(**_show(new.token).model_dump(), token=new.key)


@api.delete(f"/{TOKEN_ID}")
@needs(Right.SEE)
@api.output({}, status_code=204)
def revoke_token(token_id: int) -> tuple[str, int]:
    """Revoke one of your tokens

    It stops working at once, and what is being sent with it is refused within seconds. Admins can revoke everybody's.
    """
    with get_services().db.write() as session:
        tokens.revoke_token(session, current_actor(), token_id)
    return "", 204


def _show(token: Token) -> TokenOut:
    scopes = tokens.parse_scopes(token.scopes)
    return TokenOut(
        id=token.id,
        name=token.name,
        scopes=None if scopes is None else [right for right in Right if right in scopes],
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )

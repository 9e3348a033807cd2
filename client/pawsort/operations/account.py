"""Your own account: tokens, and what your uploads use."""

from typing import Unpack

from pawsort.api.calls import NOTHING, Call, Stream, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.schemas import NewToken, Session, Token, TokenInput, Usage


class TokenOperations:
    """Your tokens."""

    @Listing
    def list(self) -> Stream[Token]:
        """Iterate over your tokens that work, newest first."""
        return pages(Token, "/tokens")

    @Operation
    def create(self, **options: Unpack[TokenInput]) -> Call[NewToken]:
        """Create a token. Only this answer shows it."""
        return Call(NewToken, "POST", "/tokens", json=options, is_idempotent=False)

    @Operation
    def revoke(self, token: int) -> Call[None]:
        """Revoke one of your tokens."""
        return Call(NOTHING, "DELETE", f"/tokens/{token}")


class Tokens(TokenOperations, Group):
    """Your tokens."""


class AsyncTokens(TokenOperations, AsyncGroup):
    """Your tokens."""


class AccountOperations:
    """What your account uses."""

    @Operation
    def usage(self) -> Call[Usage]:
        """Return how much your uploads use, and your quota."""
        return Call(Usage, "GET", "/account/usage")


class Account(AccountOperations, Group):
    """What your account uses."""


class AsyncAccount(AccountOperations, AsyncGroup):
    """What your account uses."""


class SessionOperations:
    """The browsers in which you are logged in."""

    @Listing
    def list(self) -> Stream[Session]:
        """Iterate over your sessions, newest first."""
        return pages(Session, "/sessions")

    @Operation
    def end(self, session: int) -> Call[None]:
        """Log out one browser."""
        return Call(NOTHING, "DELETE", f"/sessions/{session}")

    @Operation
    def end_others(self) -> Call[None]:
        """Log out all browsers but the one that asks."""
        return Call(NOTHING, "DELETE", "/sessions")


class Sessions(SessionOperations, Group):
    """The browsers in which you are logged in."""


class AsyncSessions(SessionOperations, AsyncGroup):
    """The browsers in which you are logged in."""

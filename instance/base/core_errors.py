"""Show errors of `core` as messages, for commands that use the installation itself and not its HTTP interface."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pawsort.api.errors import ClientError


class ServerAway(ClientError):
    """A database or blob store does not answer. It may soon."""


@contextmanager
def translate_core_errors() -> Iterator[None]:
    """Turn errors of `core` and of the database into messages for the shell.

    Also says what to install where packages of the server are missing. It imports the database library only when that
    was imported anyway: commands that just look for a running instance start without it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ClientError(
            f"This command needs the whole server, and {error.name} is missing. Run `make setup` in a checkout of"
            " Pawsort, or use a server elsewhere: --server URL --token TOKEN."
        ) from error
    except Exception as error:
        explained = _explain(error)
        if explained is None:
            raise
        raise explained from error


def _explain(error: Exception) -> ClientError | None:
    """An error of `core` or of the database for the shell; None for any other error."""
    from core.base.errors import PawsortError, Refused, Unavailable

    if isinstance(error, Unavailable) and not isinstance(error, Refused):
        return ServerAway(error.message)
    if isinstance(error, PawsortError):
        return ClientError(error.message)
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy.exc import OperationalError, SQLAlchemyError

    if not isinstance(error, SQLAlchemyError):
        return None
    if isinstance(error, OperationalError) and error.statement is None:  # there is no connection
        from core.base.database import refusal

        return _explain(refusal(error))
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return ClientError(f"The database failed ({reason}). Check PAWSORT_DATABASE_URL.")

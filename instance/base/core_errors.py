"""Show errors of `core` as messages, for commands that use the installation itself and not its HTTP interface."""

from collections.abc import Iterator
from contextlib import contextmanager

from pawsort.api.errors import ClientError


@contextmanager
def translate_core_errors() -> Iterator[None]:
    """Turn errors of `core` and of the database into messages for the shell.

    Also says what to install where packages of the server are missing.
    """
    try:
        from sqlalchemy.exc import OperationalError, SQLAlchemyError

        from core.base.errors import PawsortError
    except ModuleNotFoundError as error:
        raise ClientError(
            f"This command needs the whole program, and {error.name} is missing. Run `pip install 'pawsort[all]'`,"
            " or use a server elsewhere: --server URL --token TOKEN."
        ) from error
    try:
        yield
    except PawsortError as error:
        raise ClientError(error.message) from error
    except SQLAlchemyError as error:
        from core.base.database import refusal

        if isinstance(error, OperationalError) and error.statement is None:  # there is no connection
            raise ClientError(refusal(error).message) from error
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise ClientError(f"The database failed ({reason}). Check PAWSORT_DATABASE_URL.") from error

"""For commands that work on an installation itself instead of asking its HTTP interface."""

from collections.abc import Iterator
from contextlib import contextmanager

from pawsort.api.errors import ClientError


@contextmanager
def sentences() -> Iterator[None]:
    """Turn the errors that have a sentence into what the shell shows, and say what is missing of the program.

    Only these commands import `core`; a computer that has the client alone gets a sentence as well.
    """
    try:
        from sqlalchemy.exc import OperationalError, SQLAlchemyError

        from core.base.errors import PawsortError
    except ModuleNotFoundError as error:
        raise ClientError(
            f"This needs the whole program, and {error.name} is missing. Install it with `pip install 'pawsort[all]'`,"
            " or work with a server elsewhere: --server URL --token TOKEN."
        ) from error
    try:
        yield
    except PawsortError as error:
        raise ClientError(error.message) from error
    except SQLAlchemyError as error:
        from core.base.database import refusal

        if isinstance(error, OperationalError) and error.statement is None:  # there is no connection
            raise ClientError(refusal(error).message) from error
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise ClientError(f"The database does not do what it should ({said}). Check PAWSORT_DATABASE_URL.") from error

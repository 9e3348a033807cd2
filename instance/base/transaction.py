"""A transaction in the database of this installation, for commands that need no running instance."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from instance.base.core_errors import translate_core_errors

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@contextmanager
def transaction(data_dir: Path | None = None) -> Iterator["Session"]:
    """Open the migrated database, and commit at the end.

    Args:
        data_dir: Of the installation; None for the one that is set.
    Raises:
        ClientError: The database does not answer, or `core` refuses what is done with it.
    """
    with translate_core_errors():
        from core.base.config import load_settings
        from instance.base.migration import migrate_database

        db = migrate_database(load_settings(data_dir=data_dir))
        try:
            with db.write() as session:
                yield session
        finally:
            db.close()

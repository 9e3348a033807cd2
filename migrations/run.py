"""Bring the schema up: what `pawsort migrate` calls, and tests for their databases."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from core.db import Database
from core.errors import ConfigError

MIGRATION_LOCK = 7_291_001  # any number that nothing else of ours locks
STATEMENT_TIMEOUT_S = 600


def make_config() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def migrate(db: Database) -> None:
    """Bring the schema up to the newest revision; two that start together take turns.

    Raises:
        ConfigError: The database was made by a newer version of this program.
    """
    config = make_config()
    with db.engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_S}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        _check_known(MigrationContext.configure(connection).get_current_revision(), config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _check_known(revision: str | None, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigError(
            f"The database has schema {revision}, which this version of Pawsort does not know: it was made by a newer"
            " one. Install the newer version again, or point PAWSORT_DATABASE_URL at another database."
        )

"""Bring the schema up: what `pawsort migrate` calls, and tests for their databases."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from core.base.database import IDLE_TIMEOUT_S, LOCK_TIMEOUT_S, STATEMENT_TIMEOUT_S, Database
from core.base.errors import Refused
from core.operations.relocation import MOVING
from migrations.privileges import grant_privileges

MIGRATION_LOCK = 7_291_001  # any number that nothing else here locks
MIGRATION_TIMEOUT_S = 600
ALIVE = "SELECT count(*) FROM workers WHERE stopped_at IS NULL AND beat_at > now() - interval '15 seconds'"


def make_config() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def migrate(db: Database) -> None:
    """Bring the schema up to the newest revision; two that start together take turns.

    Raises:
        Refused: The database was made by a newer version of this program, or workers of an older one still run that
            must not.
    """
    config = make_config()
    with db.engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL statement_timeout = '{MIGRATION_TIMEOUT_S}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        revision = MigrationContext.configure(connection).get_current_revision()
        _check_known(revision, config)
        if connection.dialect.name == "postgresql" and revision is not None:
            _check_old_workers(connection, revision, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.dialect.name == "postgresql":
            _set_timeouts(connection)
            grant_privileges(connection)


def head_revision() -> str:
    """The newest revision that this program knows."""
    head = ScriptDirectory.from_config(make_config()).get_current_head()
    assert head is not None
    return head


def check_schema(db: Database) -> None:
    """Check that the database has the schema of this program.

    Raises:
        Refused: It is older or newer; the sentence says what to do.
        Unavailable: The database does not answer.
    """
    revision, head = db.ping(), head_revision()
    _check_known(revision, make_config())
    if revision != head:
        raise Refused(
            f"PAWSORT_DATABASE_URL: the database has schema {revision}, and this version of Pawsort needs {head}."
            " Run `pawsort migrate` first."
        )


def _set_timeouts(connection: Connection) -> None:
    """Give our role its timeouts in this database, where they are not set: so no program has to at each connection."""
    wanted = {
        "lock_timeout": LOCK_TIMEOUT_S,
        "statement_timeout": STATEMENT_TIMEOUT_S,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_S,
    }
    found = connection.execute(
        text(
            "SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = current_user::regrole"
            " AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    )
    known = {line.partition("=")[0] for line in found.scalars()}
    name = connection.dialect.identifier_preparer.quote(
        connection.execute(text("SELECT current_database()")).scalar_one()
    )
    for setting in wanted.keys() - known:
        connection.exec_driver_sql(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET {setting} = '{wanted[setting]}s'")


def _check_old_workers(connection: Connection, revision: str, config: Config) -> None:
    """See that no worker runs beside a migration after which it would write something wrong.

    Most migrations only add what old workers do not know: these may finish what they have begun.
    """
    pending = ScriptDirectory.from_config(config).iterate_revisions("head", revision)
    wrong = sorted(script.revision for script in pending if not script.module.runs_beside_old_workers)
    if wrong and connection.execute(text(ALIVE)).scalar_one():
        raise Refused(
            f"Workers of an older version still run, and migration {', '.join(wrong)} must not run beside them. Stop"
            " web and workers, run `pawsort migrate`, then start those of the new version."
        )


def _check_known(revision: str | None, config: Config) -> None:
    if revision is not None and revision.startswith(MOVING):
        raise Refused(
            "PAWSORT_DATABASE_URL: a `pawsort move` or `pawsort restore` into this database has not come to its end."
            " Run it again, until it says that everything is there."
        )
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise Refused(
            f"The database has schema {revision}, which this version of Pawsort does not know: it was made by a newer"
            " one. Install the newer version again, or point PAWSORT_DATABASE_URL at another database."
        )

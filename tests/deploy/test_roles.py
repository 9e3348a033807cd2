"""The roles of PostgreSQL that web, workers and migrations use: no superuser, and the audit log only grows."""

import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege

from core.accounts import audit_pruning
from core.accounts.audit_log import Action, record
from core.base.database import IDLE_TIMEOUT_S, LOCK_TIMEOUT_S, STATEMENT_TIMEOUT_S, Database
from tests.support.compose_stack import Stack
from tests.support.waiting import until

ROLES = {"web": "pawsort_runtime", "maintenance": "pawsort_maintenance", "migrate": "pawsort_owner"}


@pytest.fixture(scope="module")
def servers(stack: Stack) -> Stack:
    """PostgreSQL with its roles and a schema."""
    stack.start("migrate")
    stack.wait_completed("migrate")
    return stack


def connect(servers: Stack, service: str) -> Connection:
    return psycopg.connect(servers.value(service, "PAWSORT_DATABASE_URL"), autocommit=True)


@pytest.mark.parametrize("service", ROLES)
def test_no_service_is_superuser_or_runs_programs_in_the_server(servers: Stack, service: str) -> None:
    with connect(servers, service) as connection:
        who = connection.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert who == (ROLES[service], False)
        with pytest.raises(InsufficientPrivilege):
            connection.execute("COPY users (name) FROM PROGRAM 'echo eve'")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT pg_read_file('/etc/passwd')")


@pytest.mark.parametrize("service", ROLES)
def test_every_role_has_the_timeouts(servers: Stack, service: str) -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    with connect(servers, service) as connection:
        shown = [
            connection.execute("SELECT setting FROM pg_settings WHERE name = %s", (name,)).fetchone() for name in names
        ]
    assert shown == [(str(seconds * 1000),) for seconds in (LOCK_TIMEOUT_S, STATEMENT_TIMEOUT_S, IDLE_TIMEOUT_S)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET user_name = 'eve'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (id) DO UPDATE SET user_name = 'eve'",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "DROP TABLE audit_log",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_runtime_changes_neither_the_audit_log_nor_the_schema(servers: Stack, statement: str) -> None:
    with connect(servers, "web") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


def test_the_maintenance_role_prunes_what_the_runtime_recorded(servers: Stack) -> None:
    runtime = Database(servers.value("web", "PAWSORT_DATABASE_URL"))
    maintenance = Database(servers.value("maintenance", "PAWSORT_DATABASE_URL"))
    with runtime.write() as session:
        record(session, None, Action.EXPORT, "job", "1")
    until(lambda: audit_pruning.prune(maintenance, 0) > 0)
    with connect(servers, "web") as connection:
        actions = connection.execute("SELECT action FROM audit_log").fetchall()
    assert ("audit-log.prune",) in actions
    assert ("export",) not in actions
    for database in (runtime, maintenance):
        database.close()

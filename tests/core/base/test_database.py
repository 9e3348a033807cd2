"""What errors of a database mean, from real databases where one can be brought to say it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError, OperationalError

from core.base.database import Database, is_full, is_read_only, refusal
from core.base.errors import Refused


def test_too_many_connections_are_waited_for(db: Database) -> None:
    error = OperationalError(None, None, Exception('FATAL:  too many connections for role "pawsort"'))
    assert not isinstance(refusal(error), Refused)


def test_a_wrong_role_is_refused(db: Database) -> None:
    error = OperationalError(None, None, Exception('FATAL:  role "pawsort" does not exist'))
    assert isinstance(refusal(error), Refused)


def run(db: Database, *statements: str) -> None:
    with db.write() as session:
        for statement in statements:
            session.execute(text(statement))


def test_a_database_without_room_is_full(db: Database) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's limit of pages")
    with pytest.raises(OperationalError) as caught:
        run(db, "PRAGMA max_page_count = 1", "CREATE TABLE large AS SELECT randomblob(1000000) AS value")
    assert is_full(caught.value)


def test_a_server_that_only_reads_is_read_only(db: Database) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("a mode of PostgreSQL")
    with pytest.raises(InternalError) as caught:
        run(db, "SET TRANSACTION READ ONLY", "CREATE TABLE nothing (id int)")
    assert is_read_only(caught.value)


def test_connections_to_a_server_notice_silence(db: Database) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no connections that could go silent")
    with db.engine.connect() as connection:
        parameters = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
    assert parameters["keepalives_idle"] == "15"
    assert parameters["tcp_user_timeout"] == "30000"

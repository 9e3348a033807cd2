"""The audit log: entries are written with what they record, and stay as they are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, text, update
from sqlalchemy.exc import DatabaseError
from structlog.testing import capture_logs

from core.accounts import audit_list, audit_log, audit_pruning
from core.accounts.audit_list import AuditFilter
from core.accounts.audit_log import Action, record, record_refused_login
from core.accounts.rights import Actor, Right
from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import OutdatedCursor
from core.orm.audit_log import AuditEntry

ADA = Actor(7, "ada", frozenset(Right), "token", 3, "10.0.0.1")


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def entries(db: Database, **wanted: Any) -> list[AuditEntry]:
    return list(audit_list.iterate_entries(db, AuditFilter(**wanted)))


def add(db: Database, n: int = 1, days_ago: float = 0, user: str = "ada", action: Action = Action.EXPORT) -> None:
    row = {"user_name": user, "via": "session", "address": "", "action": action, "object_kind": "", "object_id": ""}
    row |= {"at": db_now(-days_ago * 86400), "outcome": "done", "details": {}}
    with db.write() as session:
        for _ in range(n):
            session.execute(insert(AuditEntry).values(row))


def test_an_entry_has_who_what_and_where_from_and_is_logged_once_it_is_committed(db: Database, logs: list[Any]) -> None:
    with db.write() as session:
        record(session, ADA, Action.JOB_DELETE, "job", "0a1b", pictures=20)
        with session.begin_nested():
            record(session, None, Action.AUDIT_LOG_PRUNE)
        assert logs == []
    pruned, deleted = entries(db)
    shown = (deleted.user_id, deleted.user_name, deleted.via, deleted.credential_id, deleted.address)
    assert shown == (7, "ada", "token", 3, "10.0.0.1")
    assert (deleted.action, deleted.object_kind, deleted.object_id) == ("job.delete", "job", "0a1b")
    assert (deleted.outcome, deleted.details) == ("done", {"pictures": 20})
    assert (pruned.user_id, pruned.user_name, pruned.via) == (None, "", "")
    assert [line["action"] for line in logs] == ["job.delete", "audit-log.prune"]
    assert logs[0]["details.pictures"] == 20


def test_what_is_undone_is_neither_recorded_nor_logged(db: Database, logs: list[Any]) -> None:
    with db.write() as session:
        record(session, ADA, Action.JOB_DELETE, "job", "0a1b")
        session.rollback()
    assert entries(db) == []
    assert logs == []


def test_what_a_person_typed_forges_no_line_and_secrets_are_refused(db: Database) -> None:
    with db.write() as session:
        record(session, ADA, Action.EXPORT, name="a\r\n\x1b]0;b\x85\u202ec" + "x" * 500)
    (entry,) = entries(db)
    assert entry.details["name"].isprintable()
    assert len(entry.details["name"]) <= 200
    with pytest.raises(ValueError, match="password"), db.write() as session:
        record(session, ADA, Action.PASSWORD_CHANGE, password="x")


@pytest.mark.parametrize("statement", [update(AuditEntry).values(user_name="eve"), delete(AuditEntry)])
def test_sqlite_refuses_to_change_or_delete_entries(db: Database, statement: Any) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL refuses by the privileges of roles: tests/migrations")
    add(db)
    with pytest.raises(DatabaseError, match="append-only"), db.write() as session:
        session.execute(statement)
    columns = ", ".join(column.name for column in AuditEntry.__table__.columns)
    replace = text(f"REPLACE INTO audit_log ({columns}) SELECT {columns} FROM audit_log")
    with pytest.raises(DatabaseError, match="append-only"), db.write() as session:
        session.execute(replace)
    assert [entry.user_name for entry in entries(db)] == ["ada"]


def test_old_entries_are_pruned_in_slices_that_are_recorded(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_pruning, "SLICE", 2)
    add(db, 3, days_ago=31)
    add(db, 1, days_ago=29, user="eve")
    assert audit_pruning.prune(db, 30) == 3
    assert audit_pruning.prune(db, 30) == 0
    shown = [(entry.action, entry.user_name, entry.details) for entry in entries(db)]
    pruned = [{"n_entries": n, "older_than_days": "30"} for n in (1, 2)]
    assert shown == [*(("audit-log.prune", "", details) for details in pruned), ("export", "eve", {})]
    if db.engine.dialect.name == "sqlite":
        with pytest.raises(DatabaseError, match="append-only"), db.write() as session:
            session.execute(delete(AuditEntry))


def test_of_a_flood_of_refused_logins_the_first_are_recorded(db: Database) -> None:
    for _ in range(audit_log.MAX_REFUSED_OF_ADDRESS + 5):
        record_refused_login(db, "session", "10.0.0.9")
    record_refused_login(db, "token", "10.0.0.8")
    shown = entries(db)
    assert [entry.address for entry in shown].count("10.0.0.9") == audit_log.MAX_REFUSED_OF_ADDRESS
    assert (shown[0].address, shown[0].via, shown[0].outcome) == ("10.0.0.8", "token", "refused")
    assert [entry.details for entry in shown[:3]] == [{}, {"flood": True}, {}]
    with db.write() as session:
        for n in range(audit_log.MAX_REFUSED):
            record(session, None, Action.LOGIN, outcome="refused", n=n)
    record_refused_login(db, "token", "10.0.0.7")
    assert "10.0.0.7" not in [entry.address for entry in entries(db)]


def test_filters_and_pages_miss_nothing_and_repeat_nothing(db: Database) -> None:
    for day in range(6):
        add(db, 2, days_ago=day, user="ada" if day % 2 else "eve", action=Action.LOGIN if day < 3 else Action.EXPORT)
    assert len(entries(db, user="ada")) == 6
    assert len(entries(db, action="login", user="eve")) == 4
    with db.read() as session:
        moment = session.scalars(select(db_now(-2.5 * 86400))).one()
        assert len(entries(db, since=moment)) == len(entries(db, before=moment)) == 6
        seen, cursor = [], None
        while cursor is not None or not seen:
            page = audit_list.list_entries(session, AuditFilter(), cursor, 5)
            seen += [entry.id for entry in page.items]
            cursor = page.next
        assert len(seen) == len(set(seen)) == 12
        with pytest.raises(OutdatedCursor):
            audit_list.list_entries(session, AuditFilter(), "WyJ4IiwxXQ", 5)


@pytest.mark.parametrize("field", [None, "user", "action", "since"])
def test_no_filter_sorts_or_scans_the_table(db: Database, field: str | None) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("an empty table is scanned whatever its indexes are")
    wanted = AuditFilter(**{field: datetime.now(UTC) if field == "since" else "login"}) if field else AuditFilter()
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2:4]))
    with db.read() as session:
        audit_list.list_entries(session, wanted, None, 100)
        statement, parameters = statements[-1]
        explained = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = " ".join(str(row[3]) for row in explained)
    assert "USING INDEX ix_audit_log_" in plan
    assert "TEMP B-TREE" not in plan

"""The audit log as CSV and JSON Lines, newest entry first."""

from collections.abc import Iterable, Iterator
from datetime import UTC

from flask import json

from core.orm.audit_log import AuditEntry
from web.exports.tables import BYTE_ORDER_MARK, csv_line, guard_formula

COLUMNS = (
    *("id", "at", "user_id", "user_name", "via", "credential_id", "address"),
    *("action", "object_kind", "object_id", "outcome", "details"),
)


def csv_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """The lines of a CSV, header first; details are JSON."""
    yield BYTE_ORDER_MARK + csv_line(COLUMNS)
    for entry in entries:
        yield csv_line(_cell(value) for value in _values(entry).values())


def json_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """One object per line."""
    for entry in entries:
        yield json.dumps(_values(entry), ensure_ascii=False, sort_keys=False) + "\n"


def _values(entry: AuditEntry) -> dict[str, object]:
    values = {name: getattr(entry, name) for name in COLUMNS}
    return values | {"at": entry.at.astimezone(UTC).isoformat()}


def _cell(value: object) -> str:
    if value is None or value == {}:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return guard_formula(text)

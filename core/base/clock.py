"""Moments, and the database's clock, so that leases do not depend on the clocks of the workers."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Double, Float, literal
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

HOUR_S = 3600
DAY_S = 24 * HOUR_S


class Instant(TypeDecorator[datetime]):
    """A moment, always aware and in UTC; SQLite has no time zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Now(FunctionElement[Any]):
    """The moment the statement runs, plus an offset in seconds (SQLite: to the millisecond)."""

    type = Instant()
    inherit_cache = True


def db_now(offset_s: float = 0.0) -> Now:
    """SQL for the present moment by the database's clock, `offset_s` seconds later (or earlier)."""
    return Now(literal(float(offset_s), Float))


def has_come(moment: InstrumentedAttribute[Any], longest_s: float) -> ColumnElement[bool]:
    """SQL for: a moment that is not ahead.

    Args:
        longest_s: How far ahead it can have been set. One that is further ahead was set before the clock was set back,
            so it has come, too.
    """
    return (moment <= db_now()) | (moment > db_now(longest_s))


class SecondsSince(FunctionElement[float]):
    """How long ago a moment was, as a real number (SQLite: to the millisecond)."""

    type = Double()
    inherit_cache = True


def seconds_since(moment: ColumnElement[Any] | InstrumentedAttribute[Any]) -> SecondsSince:
    """SQL for the seconds between a moment and the present one by the database's clock."""
    return SecondsSince(moment)


@compiles(Now)
def _on_sqlite(element: Now, compiler: SQLCompiler, **options: Any) -> str:
    # Same text as SQLAlchemy stores for a DateTime, so that comparing texts compares moments.
    offset = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({offset}) || ' seconds')"


@compiles(Now, "postgresql")
def _on_postgresql(element: Now, compiler: SQLCompiler, **options: Any) -> str:
    offset = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + ({offset}) * interval '1 second')"


@compiles(SecondsSince)
def _since_on_sqlite(element: SecondsSince, compiler: SQLCompiler, **options: Any) -> str:
    return f"((julianday('now') - julianday({compiler.process(element.clauses, **options)})) * 86400.0)"


@compiles(SecondsSince, "postgresql")
def _since_on_postgresql(element: SecondsSince, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"CAST(extract(epoch FROM clock_timestamp() - {moment}) AS double precision)"

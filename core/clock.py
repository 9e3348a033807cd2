"""The database's clock, so that leases do not depend on the clocks of the workers."""

from typing import Any

from sqlalchemy import DateTime, Float, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Now(FunctionElement[Any]):
    """The moment the statement runs, moved by so many seconds (SQLite: to the millisecond)."""

    type = DateTime(timezone=True)
    inherit_cache = True


def db_now(offset_s: float = 0.0) -> Now:
    """SQL for the present moment by the database's clock, `offset_s` seconds later (or earlier)."""
    return Now(literal(float(offset_s), Float))


@compiles(Now)
def _on_sqlite(element: Now, compiler: SQLCompiler, **options: Any) -> str:
    # Same text as SQLAlchemy stores for a DateTime, so that comparing texts compares moments.
    offset = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({offset}) || ' seconds')"


@compiles(Now, "postgresql")
def _on_postgresql(element: Now, compiler: SQLCompiler, **options: Any) -> str:
    offset = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + ({offset}) * interval '1 second')"

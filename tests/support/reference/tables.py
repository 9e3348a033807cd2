"""docs/reference/tables.md, from the classes of `core.orm`: their docstrings, columns and keys."""

import inspect
import re
from collections.abc import Iterator

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from core.orm import tables
from core.orm.base import Base
from tests.support.reference.markdown import one_line, table

HEAD = """# Tables

The tables of the database, as PostgreSQL has them; SQLite has the same with its own types. Read them as you like, for
example for reports. Write them through Pawsort only: its counters and leases change in the same transactions. The
schema changes with versions ([upgrades](../upgrade.md)). `make reference` writes this page from `core/orm`.
"""
ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def render() -> str:
    """The page."""
    return "\n".join([HEAD, *(_subject(module.__name__) for module in tables.MODULES)])


def _subject(module: str) -> str:
    classes = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__module__ == module]
    classes.sort(key=lambda one: inspect.getsourcelines(one)[1])
    return f"## {module.rpartition('.')[2].replace('_', ' ').capitalize()}\n\n" + "\n".join(map(_table, classes))


def _table(mapped: type[Base]) -> str:
    said, _, attributes = inspect.getdoc(mapped).partition("Attributes:\n")  # type: ignore[union-attr]
    meanings = {name: one_line(text) for name, text in ATTRIBUTE.findall(attributes)}
    made = mapped.__table__
    assert isinstance(made, Table)
    head = ("Column", "Type", "Key", *(["Meaning"] if meanings else []))
    rows = [(*_column(column), *([meanings.get(column.name, "")] if meanings else [])) for column in made.columns]
    return f"### {made.name}\n\n{said.strip()}\n\n{table(head, rows)}\n"


def _column(column: Column[object]) -> tuple[str, str, str]:
    kind = column.type.compile(dialect=postgresql.dialect()).lower()
    return f"`{column.name}`", kind + (" or null" if column.nullable else ""), ", ".join(_keys(column))


def _keys(column: Column[object]) -> Iterator[str]:
    if column.primary_key:
        yield "primary"
    if column.unique:
        yield "unique"
    for key in column.foreign_keys:
        yield f"`{key.target_fullname}`"

"""Give every constraint a name by one convention, so that later migrations can refer to it.

PostgreSQL renames in place. SQLite cannot rename a constraint, and copying every table would take minutes and twice the
disk. There a name is nothing but text of the schema, so only that text is edited: the procedure of section 7 in
https://sqlite.org/lang_altertable.html for changes that do not affect what is stored.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
runs_beside_old_workers = True

# A line of a definition as SQLAlchemy writes it, or a column that was added with a reference (0003).
UNNAMED = re.compile(
    r"(?m)^\t(?P<line>PRIMARY KEY \(|UNIQUE \((?P<unique>[^)]+)|FOREIGN KEY\((?P<key>\w+)\) REFERENCES (?P<refers>\w+))"
    r"|(?P<column>\w+) INTEGER (?P<added>REFERENCES (?P<target>\w+))"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _edit_schema()
    else:
        _rename(_names())


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":  # where names hinder no earlier version
        _rename((table, new, old) for table, old, new in _names(by_default=True))


def _pk(table: str) -> str:
    return f"pk_{table}"


def _uq(table: str, columns: Sequence[str]) -> str:
    return "_".join(("uq", table, *columns))


def _fk(table: str, column: str, target: str) -> str:
    return f"fk_{table}_{column}_{target}"


def _names(by_default: bool = False) -> Iterator[tuple[str, str, str]]:
    """Every constraint: its table, the name it has (or has by PostgreSQL's default), and its name from now on."""
    inspector = sa.inspect(op.get_bind())
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
        defaults = [(f"{table}_pkey", inspector.get_pk_constraint(table)["name"], _pk(table))]
        for unique in inspector.get_unique_constraints(table):
            columns = unique["column_names"]
            defaults.append(("_".join((table, *columns, "key")), unique["name"], _uq(table, columns)))
        for key in inspector.get_foreign_keys(table):
            (column,) = key["constrained_columns"]
            defaults.append((f"{table}_{column}_fkey", key["name"], _fk(table, column, key["referred_table"])))
        for default, name, new in defaults:
            yield table, default if by_default else str(name), new


def _rename(names: Iterator[tuple[str, str, str]]) -> None:
    for table, old, new in list(names):
        if old != new:  # in a new database, the earlier migrations follow the convention already
            op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")


def _edit_schema() -> None:
    connection = op.get_bind()
    driver: Any = connection.connection.driver_connection
    if sys.version_info >= (3, 12):  # macOS protects the schema unless told otherwise
        driver.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, False)
    tables = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").all()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, text in tables:
        if (named := _name_constraints(table, text)) != text:
            connection.exec_driver_sql(
                "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", (named, table)
            )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")  # every connection reads it again
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _name_constraints(table: str, text: str) -> str:
    def name(found: re.Match[str]) -> str:
        if found["added"]:
            return (
                f"{found['column']} INTEGER CONSTRAINT {_fk(table, found['column'], found['target'])} {found['added']}"
            )
        if found["unique"]:
            constraint = _uq(table, [column.strip(' "') for column in found["unique"].split(",")])
        elif found["key"]:
            constraint = _fk(table, found["key"], found["refers"])
        else:
            constraint = _pk(table)
        return f"\tCONSTRAINT {constraint} {found['line']}"

    return UNNAMED.sub(name, text)

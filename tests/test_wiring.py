"""What holds the parts together: migrations, queues, imports, pinned files."""

import ast
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint, column, select, table, text
from sqlalchemy.exc import IntegrityError

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import ConfigError
from core.messaging import broker
from core.orm.accounts import User
from core.orm.tables import metadata
from core.orm.uploads import Upload
from instance.base import programs
from migrations.run import make_config, migrate
from tests.support.paths import ROOT

REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))


def test_the_migrations_have_one_head() -> None:
    assert len(ScriptDirectory.from_config(make_config()).get_heads()) == 1


# The index on an expression is compared on PostgreSQL alone.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_build_exactly_the_tables_of_the_code(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def constraint_names(db: Database) -> set[str]:
    """Names of unique and foreign keys; on SQLite from the text, since a reference of a column is reflected without."""
    with db.read() as session:
        if db.engine.dialect.name == "sqlite":
            schema = "".join(session.scalars(text("SELECT sql FROM sqlite_schema WHERE type = 'table'")))
            return set(re.findall(r"CONSTRAINT (\w+) (?!PRIMARY)", schema))
        ours = "connamespace = 'public'::regnamespace AND contype IN ('u', 'f')"
        return set(session.scalars(text(f"SELECT conname FROM pg_constraint WHERE {ours}")))


def names_by_convention() -> set[str]:
    kinds = (UniqueConstraint, ForeignKeyConstraint)
    return {str(one.name) for table in metadata.tables.values() for one in table.constraints if isinstance(one, kinds)}


PERSON = ("id", "name", "created_at")
OLD_UPLOAD = {
    "uuid": UUID(int=1),
    "user_id": 0,
    "name": "cats",
    "labelled": False,
    "state": "receiving",
    "n_shards": 0,
    "n_images": 0,
    "n_bytes": 0,
    "n_skipped": 0,
    "skipped": [],
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "received_at": datetime(2026, 1, 1, tzinfo=UTC),
}


def test_an_older_installation_gets_names_for_its_constraints_and_keeps_its_data(
    sql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(f"sqlite:///{tmp_path / 'old.db'}" if sql_url.startswith("sqlite") else sql_url)
    with db.engine.execution_options(writes=True).begin() as connection, monkeypatch.context() as before:
        before.setattr(metadata, "naming_convention", {})
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        config = make_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0016")
    assert not constraint_names(db) & names_by_convention()
    with db.write() as session:
        people = table("users", *(column(one.name, one.type) for one in User.__table__.c if one.name in PERSON))
        session.execute(
            people.insert(), [{"name": name, "created_at": OLD_UPLOAD["created_at"]} for name in ("ada", "eve")]
        )
        ada, eve = session.scalars(select(people.c.id).order_by(people.c.id))
        old = table("uploads", *(column(name, metadata.tables["uploads"].c[name].type) for name in OLD_UPLOAD))
        session.execute(old.insert(), [OLD_UPLOAD | {"user_id": ada}])
        session.execute(people.delete().where(people.c.id == eve))
    migrate(db)
    assert constraint_names(db) == names_by_convention()
    with db.write() as session:
        assert session.scalars(select(Upload.user_id)).one() == ada
        session.add(bob := User(name="bob"))
        session.flush()
        assert bob.id == eve + 1, "the number of a deleted row is not used again"
    with pytest.raises(IntegrityError), db.write() as session:
        session.delete(session.get_one(User, ada))
    db.close()


def test_alembic_finds_nothing_to_generate(db: Database, sql_url: str) -> None:
    environment = {**os.environ, "PAWSORT_DATABASE_URL": sql_url}
    run = subprocess.run(
        [sys.executable, "-m", "alembic", "check"], capture_output=True, text=True, env=environment, cwd=ROOT
    )
    assert "No new upgrade operations detected" in run.stdout + run.stderr


def test_nothing_private_of_tensorflow_or_keras_is_used() -> None:
    sources = [file for folder in ("core", "model", "pretraining", "worker") for file in (ROOT / folder).rglob("*.py")]
    private = re.compile(r"\b(tensorflow\.python|keras\.src)\b")
    assert [str(file) for file in sources if private.search(file.read_text(encoding="utf-8"))] == []


def test_migrating_twice_changes_nothing(db: Database) -> None:
    migrate(db)
    db.ping()


def test_a_database_of_a_newer_version_is_refused_with_a_sentence(db: Database) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="newer"):
        migrate(db)


def test_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pawsort migrate"):
        Database(f"sqlite:///{tmp_path / 'empty.db'}").ping()


def test_every_queue_has_a_worker_of_its_own() -> None:
    started = {part for queue in programs.QUEUES for part in programs.worker(queue, Settings()).command}
    assert {broker.INFERENCE, broker.TRAINING, broker.MAINTENANCE} <= started


@pytest.mark.parametrize("module", ["web.wsgi", "worker.app", "pawsort.cli"])
def test_nothing_that_serves_or_spawns_imports_tensorflow(module: str, tmp_path: Path) -> None:
    code = f"import sys, {module}; print([name for name in sys.modules if name in ('tensorflow', 'keras')])"
    environment = {
        "PAWSORT_DATA_DIR": str(tmp_path),
        "PAWSORT_SECRET_KEY": "x" * 32,
        "PYTHONPATH": os.pathsep.join(programs.SOURCES),
    }
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert run.stdout.strip() == "[]", run.stderr


@pytest.mark.parametrize("part", ["model", "pretraining"])
def test_no_graph_is_rewritten_by_autograph(part: str) -> None:
    """It is not needed, and leaves a file among temporary ones for each function when its process is killed."""
    calls = [
        (path, node)
        for path in sorted((ROOT / part).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "tf.function"
    ]
    assert calls
    for path, call in calls:
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert given.get("autograph") == "False", f"{path}:{call.lineno}"


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_pinned_files_pin_everything_by_digest_and_carry_no_address(path: Path) -> None:
    lines = [line.split("#")[0].strip() for line in path.read_text().replace("\\\n", " ").splitlines()]
    assert all(re.match(r"[\w.\[\]-]+==\S+.*( --hash=sha256:[0-9a-f]{64})+$", line) for line in lines if line)
    assert "://" not in path.read_text()


def test_what_the_web_needs_comes_without_tensorflow() -> None:
    assert "tensorflow" not in (ROOT / "requirements" / "web.txt").read_text()


def test_the_makefile_has_every_command_that_the_readme_names() -> None:
    named = set(re.findall(r"`?make ([a-z][a-z-]+)", (ROOT / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets


def test_an_audit_that_checks_nothing_fails_with_a_sentence(tmp_path: Path) -> None:
    """Without --strict, pip-audit skips what its index does not know, and finds nothing."""
    program = tmp_path / "bin" / "pip-audit"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ncase "$*" in *--strict*) echo "not found"; exit 1;; esac\n')
    program.chmod(0o755)
    audit = subprocess.run(
        ["make", "audit", f"AUDIT={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert audit.returncode != 0
    assert "this machine does not reach PyPI" in audit.stdout

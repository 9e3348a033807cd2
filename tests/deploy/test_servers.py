"""Wrong settings, each with a real server that refuses: the program stops at its start, and `pawsort doctor` agrees."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis
from sqlalchemy import create_engine, select, text

from core.base.database import LOCK_TIMEOUT_S, STATEMENT_TIMEOUT_S, Database
from core.base.errors import BlobMissing, Refused, Unavailable
from core.orm.jobs import Job
from core.storage.blobs import Blobs
from pawsort.cli import cli
from tests.support import compose
from tests.support.compose_stack import Stack
from tests.support.pictures import jpeg
from tests.support.ports import free_port
from tests.support.soundness import check_sound, read_results
from tests.support.waiting import until

NAMES = ("PAWSORT_DATABASE_URL", "PAWSORT_REDIS_URL", "PAWSORT_BLOB_URL")
POOL_SIZE, N_POOLED = 2, 300  # more than a shard: several chunks
PROGRAMS = [("web", "pawsort", "web"), ("inference", "pawsort", "worker", "inference")]


@pytest.fixture(scope="module")
def servers(stack: Stack) -> Stack:
    """PostgreSQL with a schema, Valkey, and S3 with a bucket."""
    stack.start("postgres", "redis", "migrate")
    stack.wait_healthy("redis")
    stack.wait_completed("migrate")
    return stack


def wrong_password(servers: Stack) -> dict[str, str]:
    url = servers.value("web", "PAWSORT_DATABASE_URL")
    password = servers.secret("postgres_runtime_password")
    return {"PAWSORT_DATABASE_URL": url.replace(password, "wrong")}


def no_such_database(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_DATABASE_URL": servers.value("web", "PAWSORT_DATABASE_URL").removesuffix("/pawsort") + "/x"}


def no_tables(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_DATABASE_URL": servers.value("web", "PAWSORT_DATABASE_URL").removesuffix("pawsort") + "postgres"}


def wrong_redis_password(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_REDIS_URL": f"redis://pawsort:wrong@127.0.0.1:{servers.port('redis')}/0"}


def no_redis(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_REDIS_URL": "", "PAWSORT_REDIS_URL_FILE": ""}


def no_bucket(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_BLOB_URL": "s3://nothing/data"}


def wrong_keys(servers: Stack) -> dict[str, str]:
    return {"AWS_SECRET_ACCESS_KEY": "wrong"}


def tls_to_a_database_without(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_DATABASE_URL": servers.value("web", "PAWSORT_DATABASE_URL") + "?sslmode=require"}


def no_database_address(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_DATABASE_URL": "postgresql://pawsort@postgres:port/pawsort"}


def no_such_redis_database(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_REDIS_URL": servers.value("web", "PAWSORT_REDIS_URL").removesuffix("/0") + "/99"}


def tls_to_a_store_without(servers: Stack) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{servers.port('s3')}"}


def no_endpoint_address(servers: Stack) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": "s3:8333"}


def no_secret_key(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_SECRET_KEY": "short"}


def a_data_folder_that_is_a_file(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_DATA_DIR": str(servers.folder / "env")}


def a_folder_of_blobs_that_is_a_file(servers: Stack) -> dict[str, str]:
    return {"PAWSORT_BLOB_URL": (servers.folder / "env").as_uri()}


WRONG = {
    wrong_password: ("PAWSORT_DATABASE_URL", "password"),
    no_such_database: ("PAWSORT_DATABASE_URL", "does not exist"),
    no_tables: ("PAWSORT_DATABASE_URL", "pawsort migrate"),
    wrong_redis_password: ("PAWSORT_REDIS_URL", "password"),
    no_redis: ("PAWSORT_REDIS_URL", "expected redis://"),
    no_bucket: ("PAWSORT_BLOB_URL", "bucket"),
    wrong_keys: ("PAWSORT_BLOB_URL", "AWS_SECRET_ACCESS_KEY"),
    tls_to_a_database_without: ("PAWSORT_DATABASE_URL", "TLS"),
    no_database_address: ("PAWSORT_DATABASE_URL", "expected sqlite:///file or postgresql://"),
    no_such_redis_database: ("PAWSORT_REDIS_URL", "database"),
    tls_to_a_store_without: ("AWS_ENDPOINT_URL", "http://"),
    no_endpoint_address: ("AWS_ENDPOINT_URL", "expected http://"),
    no_secret_key: ("PAWSORT_SECRET_KEY", "16 random characters"),
    a_data_folder_that_is_a_file: ("PAWSORT_DATA_DIR", "not a folder"),
    a_folder_of_blobs_that_is_a_file: ("PAWSORT_BLOB_URL", "cannot be made or opened"),
}


def ask_doctor(servers: Stack, **variables: str) -> Result:
    """`pawsort doctor`, in this process: importing takes longer than asking."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**servers.environment("web"), **variables}.items():
            if name.startswith(("PAWSORT_", "AWS_")):
                patch.setenv(name, value)
        return CliRunner().invoke(cli, ["doctor"], standalone_mode=False)


NOT_FOR_THE_DOCTOR = (no_redis,)  # it may look after an installation whose broker is embedded


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_setting_stops_the_start_with_a_sentence_and_the_doctor_says_the_same(
    servers: Stack, wrong: object
) -> None:
    variables = wrong(servers)  # type: ignore[operator]
    runs = [servers.run(name, *command, **variables) for name, *command in PROGRAMS[: 2 if wrong is no_bucket else 1]]
    for run in runs:
        assert run.returncode == 1, run.stderr
        (line,) = run.stderr.splitlines()
        said = json.loads(line)
        assert (said["event"], said["level"]) == ("failed", "error")
        assert all(words in said["note"] for words in WRONG[wrong]), said  # type: ignore[index]
    if wrong not in NOT_FOR_THE_DOCTOR:
        doctor = ask_doctor(servers, **variables)
        assert doctor.return_value == 1, doctor.output
        assert all(words in doctor.output for words in WRONG[wrong]), doctor.output  # type: ignore[index]


def test_a_redis_that_evicts_is_refused(servers: Stack) -> None:
    password = servers.secret("redis_admin_password")
    with Redis(port=servers.port("redis"), password=password) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            run = servers.run("maintenance", "pawsort", "worker", "maintenance")
            doctor = ask_doctor(servers)
        finally:
            redis.config_set("maxmemory-policy", "noeviction")
    for said in (run.stderr, doctor.output):
        assert "PAWSORT_REDIS_URL" in said
        assert "allkeys-lru" in said
        assert "noeviction" in said
    assert (run.returncode, doctor.return_value) == (1, 1)


def test_an_old_schema_stops_the_start(servers: Stack) -> None:
    engine = create_engine(servers.value("migrate", "PAWSORT_DATABASE_URL"))
    with engine.begin() as connection:
        head = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        run = servers.run("web", "pawsort", "web")
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
        engine.dispose()
    assert run.returncode == 1
    assert "has schema 0001" in run.stderr
    assert "pawsort migrate" in run.stderr


def test_the_database_keeps_the_timeouts_that_migrate_gave_it(servers: Stack) -> None:
    database = Database(servers.value("web", "PAWSORT_DATABASE_URL"))
    with database.read() as session:
        shown = [session.execute(text(f"SHOW {one}")).scalar_one() for one in ("lock_timeout", "statement_timeout")]
    database.close()
    assert shown == [f"{LOCK_TIMEOUT_S}s", f"{STATEMENT_TIMEOUT_S // 60}min"]


@pytest.fixture
def keys(servers: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The keys of the store in the environment of this process."""
    for name, value in servers.environment("web").items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return servers


def test_the_store_takes_large_blobs_in_parts_and_gives_back_ranges(keys: Stack, tmp_path: Path) -> None:
    blobs = Blobs("s3://pawsort/tests")
    data = os.urandom(20 * 2**20)
    (tmp_path / "large").write_bytes(data)
    with (tmp_path / "large").open("rb") as file:
        blobs.put("large", file)
    assert blobs.get_range("large", 9 * 2**20, 1000) == data[9 * 2**20 :][:1000]
    assert bytes(blobs.get("large")) == data
    assert [key for key, _ in blobs.list("")] == ["large"]
    blobs.delete(["large", "large"])
    with pytest.raises(BlobMissing):
        blobs.get("large")


def test_a_store_that_refuses_is_told_from_one_that_is_away(keys: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="bucket"):
        Blobs("s3://nothing/tests").get("a")
    with pytest.raises(Refused, match="bucket"):
        Blobs("s3://nothing/tests").put("a", b"a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        Blobs("s3://pawsort/tests").get("a")
    assert not isinstance(caught.value, Refused)


def listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def pooler(servers: Stack, tmp_path: Path) -> Iterator[str]:
    """The address of the same database through PgBouncer, which hands connections on after each transaction."""
    if compose.missing("pgbouncer"):
        pytest.skip("PgBouncer is not installed")
    port, folder = free_port(), servers.folder / "pgbouncer"
    folder.mkdir(exist_ok=True)
    password = servers.secret("postgres_runtime_password")
    (folder / "users").write_text(f'"pawsort_runtime" "{password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\npawsort = host=127.0.0.1 port={servers.port('postgres')}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
        f"auth_file = {folder / 'users'}\npool_mode = transaction\ndefault_pool_size = {POOL_SIZE}\n"
    )
    user = {"user": "pgserver"} if os.getuid() == 0 else {}
    command = ["/usr/sbin/pgbouncer", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **user)  # type: ignore[call-overload]
    until(lambda: listens(port), what="PgBouncer to listen")
    yield f"postgresql://pawsort_runtime:{password}@127.0.0.1:{port}/pawsort"
    process.terminate()
    process.wait()


def test_a_pooler_that_hands_connections_on_is_enough(servers: Stack, pooler: str) -> None:
    run = servers.run("migrate", "pawsort", "migrate", PAWSORT_DATABASE_URL=pooler)
    assert run.returncode == 0, run.stderr
    database = Database(pooler)
    for _ in range(20):  # beyond the number after which the driver would prepare a statement
        with database.write() as session:
            assert session.execute(text("SELECT count(*) FROM jobs WHERE id < :id"), {"id": 5}).scalar_one() >= 0
    database.close()


@pytest.mark.slow
def test_a_job_goes_through_a_pooler_with_two_connections(
    servers: Stack, pooler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = ("web", "inference", "maintenance")
    names = [f"photos/{number:03}.jpg" for number in range(N_POOLED)]
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(jpeg(number, size=(48, 36)))
    for service in services:
        if service in servers.processes:
            servers.stop(service)
        monkeypatch.setitem(servers.services[service]["environment"], "PAWSORT_DATABASE_URL", pooler)
    direct = Database(servers.value("migrate", "PAWSORT_DATABASE_URL"))
    try:
        servers.start(*services)
        servers.wait_healthy("web")
        token = servers.run("web", "pawsort", "token", "create").stdout.strip()
        server = f"http://127.0.0.1:{servers.port('web')}"
        words = ("--server", server, "--token", token, "-o", str(tmp_path / "out.csv"))
        run = servers.run("web", "pawsort", "classify", str(tmp_path / "photos"), *words, NO_PROXY="*")
        assert run.returncode == 0, run.stdout + run.stderr + servers.log("web") + servers.log("inference")
        with direct.read() as session:
            job = session.scalars(select(Job.uuid).order_by(Job.id.desc()).limit(1)).one()
            clients = "backend_type = 'client backend' AND usename = 'pawsort_runtime' AND pid <> pg_backend_pid()"
            others = text(f"SELECT count(*) FROM pg_stat_activity WHERE {clients}")
            assert session.execute(others).scalar_one() <= POOL_SIZE, "somebody went past the pooler"
        check_sound(direct, str(job))
        assert sorted(read_results(direct, str(job))) == names
    finally:
        direct.close()
        for service in services:
            servers.stop(service)

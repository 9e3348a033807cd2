"""How many statements PostgreSQL gets for so many pictures, counted where they arrive: in the server's own log."""

import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from core.base.config import Settings
from core.base.database import Database
from tests.support.factories import draw_picture, make_tar
from tests.support.fakes import FakeRuntime
from worker.inference import chunk_results, classification

DATABASES = ("postgresql",)
MOST = 70  # for each 1,000 images, from sending to the end of the job; the goal is 64
THOUSANDS = 10  # of a job whose beginning and end are shared out among its images
N_EACH = 250
STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (\w+)")
BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK")  # of transactions; they ask for nothing


class Log:
    """The log of the server, which writes down every statement of one database."""

    def __init__(self, sql_url: str, path: Path) -> None:
        self._path = path
        engine = create_engine(sql_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f"ALTER DATABASE {name} SET log_statement = 'all'"))
        engine.dispose()

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The first words of the statements of the block, once it has ended."""
        found: list[str] = []
        begin = self._path.stat().st_size
        yield found
        with self._path.open("rb") as file:
            file.seek(begin)
            found += [word for word in STATEMENT.findall(file.read().decode()) if word not in BRACKETS]


@pytest.fixture
def log(sql_url: str, short_folder: Path) -> Log:
    (path,) = [path for path in (short_folder / "p").rglob("*log") if path.is_file()]
    return Log(sql_url, path)


def send(client: FlaskClient, n_shards: int) -> UUID:
    upload, job = uuid4(), uuid4()
    picture = draw_picture()
    assert client.put(f"/api/v1/uploads/{upload}", json={}).status_code == 201
    assert client.put(f"/api/v1/jobs/{job}", json={"upload": str(upload)}).status_code == 201
    for seq in range(n_shards):
        tar = make_tar({f"p/{seq}-{n}.jpg": picture + bytes([seq, n]) for n in range(N_EACH)})
        sent = client.put(f"/api/v1/uploads/{upload}/shards/{seq}", input_stream=io.BytesIO(tar))
        assert sent.status_code == 201
    assert client.post(f"/api/v1/uploads/{upload}/complete", json={"n_shards": n_shards}).status_code == 200
    return job


def classify(runtime: FakeRuntime) -> None:
    classification.classify_ready(runtime)
    runtime.meter.flush(runtime.db)


def test_statements_are_few_and_do_not_grow_with_the_job(
    client: FlaskClient, settings: Settings, sql_url: str, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_results, "RECORD_EVERY_S", math.inf)  # however slow the machine is
    db = Database(sql_url)  # a worker's own
    runtime = FakeRuntime(settings, db)
    counts = []
    for n_shards in (1, 4, 12):  # the first one: whoever connects asks the server what it can
        with log.counting() as sending:
            job = send(client, n_shards)
        with log.counting() as classifying:
            classify(runtime)
        shown = (client.get(f"/api/v1/jobs/{job}").json or {})["counts"]
        assert shown["done"] == shown["total"] == n_shards * N_EACH
        counts.append((len(sending), len(classifying)))
    db.close()
    _, small, large = counts
    sent, classified = ((many - few) / 2 for few, many in zip(small, large, strict=True))
    around = sum(small) - sent - classified  # once for each job
    in_all = sent + classified + around / THOUSANDS
    print(f"each 1,000 images: {sent:.0f} statements to send, {classified:.0f} to classify; each job: {around:.0f}")
    assert min(sent, classified) > 20  # the log is read
    assert in_all < MOST
    assert large[0] <= 3 * small[0]
    assert large[1] <= 3 * small[1]


def test_results_that_are_recorded_in_between_cost_four_statements(
    client: FlaskClient, settings: Settings, sql_url: str, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(sql_url)
    runtime = FakeRuntime(settings, db)
    counts = []
    for every_s in (math.inf, math.inf, 0.0):  # the first one: as above
        monkeypatch.setattr(chunk_results, "RECORD_EVERY_S", every_s)
        send(client, 1)
        with log.counting() as classifying:
            classify(runtime)
        counts.append(len(classifying))
    db.close()
    n_between = N_EACH // FakeRuntime(settings, db).classifier(1).batch_size - 1
    assert n_between == 2
    assert 0 < counts[2] - counts[1] <= 4 * n_between + 4

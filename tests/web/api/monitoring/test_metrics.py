"""What Prometheus is told: the truth of the tables, and what several processes have counted together."""

import shutil
import subprocess
from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import ErrorCode
from core.jobs import chunks, job_states
from core.jobs.chunks import claim_chunk
from core.operations import metrics, status, workers
from core.operations.metrics import Meter, MetricsSnapshot
from core.orm.jobs import Chunk
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_training, make_upload, run_job
from web.app import App, create_app


def scrape(client: FlaskClient) -> dict[str, float]:
    """Each value by its name with labels in the order of the alphabet, as they are now."""
    services = client.application.extensions["pawsort"]
    services.meter.flush(services.db)
    services.answers.clear()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    found = {_name(one.name, one.labels): one.value for one in samples}
    assert len(found) == len(samples)
    return found


def _name(name: str, labels: dict[str, str]) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name


@pytest.mark.folder
def test_jobs_images_and_chunks_equal_the_tables(stranger: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, n_files=5)
    run_job(db, make_job(db, upload), {"photos/2.jpg": ErrorCode.TRUNCATED})
    make_job(db, upload)
    stopped = make_job(db, upload)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), stopped)
    found = scrape(stranger)
    assert (found['pawsort_jobs{state="done"}'], found['pawsort_jobs{state="queued"}']) == (1, 1)
    assert found['pawsort_jobs{state="failed"}'] == 0
    by_outcome = {outcome: found[f'pawsort_images{{outcome="{outcome}"}}'] for outcome in ("done", "failed", "open")}
    assert by_outcome == {"done": 4, "failed": 1, "open": 5}
    assert (found['pawsort_chunks{state="ready"}'], found['pawsort_chunks{state="running"}']) == (1, 0)
    assert found["pawsort_broker_up"] == 1
    assert found['pawsort_queue_messages{queue="inference"}'] == 0
    assert found["pawsort_database_bytes"] > 10_000
    assert found["pawsort_disk_free_bytes"] > 0


def test_the_oldest_waiting_work_has_an_age(stranger: FlaskClient, db: Database, blobs: Blobs) -> None:
    assert scrape(stranger)['pawsort_oldest_waiting_seconds{queue="inference"}'] == 0
    make_job(db, make_upload(db, blobs))
    labelled = {f"pets/{kind}s/{n}.jpg": f"{kind} {n}".encode() for kind in ("cat", "dog") for n in range(30)}
    make_training(db, make_upload(db, blobs, files=labelled, labelled=True))
    before = scrape(stranger)
    after = scrape(stranger)
    for queue in ("inference", "training"):
        name = f'pawsort_oldest_waiting_seconds{{queue="{queue}"}}'
        assert 0 < before[name] < after[name] < 60


@pytest.mark.usefixtures("app")
def test_a_chunk_that_is_given_back_begins_to_wait_anew(db: Database, blobs: Blobs) -> None:
    make_job(db, make_upload(db, blobs))
    with db.write() as session:
        session.query(Chunk).update({"ready_at": None})
        claim = claim_chunk(session, 1, None, 60)
        assert claim is not None
        assert claim.waited_s is None
        chunks.release_chunk(session, claim)
    with db.write() as session:
        again = claim_chunk(session, 1, None, 60)
    assert again is not None
    assert again.waited_s is not None
    assert 0 <= again.waited_s < 30


@pytest.mark.usefixtures("app")
def test_a_lease_that_ran_out_is_told_from_one_given_back(db: Database, blobs: Blobs) -> None:
    make_job(db, make_upload(db, blobs))
    seen = []
    for lease_s, reason in ((-1, None), (60, None), (60, "MemoryError"), (-1, None), (-1, None), (60, None)):
        with db.write() as session:
            claim = claim_chunk(session, 1, None, lease_s)
            assert claim is not None
            if lease_s > 0:
                chunks.release_chunk(session, claim, reason)
        seen.append(claim.is_taken_over)
    assert seen == [False, True, False, False, True, True]


def test_workers_are_counted_by_queue_device_and_version(stranger: FlaskClient, db: Database) -> None:
    versions = {"pawsort": "1.2", "engine": "LiteRT 2.3.0, int8"}
    with db.write() as session:
        for _ in range(2):
            workers.add_worker(session, 1, "inference", "gpu x 1", versions)
        workers.stop_worker(session, workers.add_worker(session, 1, "training", "cpu", {}))
    found = scrape(stranger)
    alive = {queue: found[f'pawsort_workers_alive{{queue="{queue}"}}'] for queue in ("inference", "training")}
    assert alive == {"inference": 2, "training": 0}
    assert found['pawsort_workers{device="gpu x 1",engine="LiteRT 2.3.0, int8",queue="inference",version="1.2"}'] == 2


def test_every_process_tells_the_same_of_all(app: App, settings: Settings, db: Database) -> None:
    other = create_app(settings)
    for one in (app, other):
        assert one.test_client().get("/healthz").status_code == 200
        one.test_client().get("/nowhere")
        one.test_client().open("/healthz", method="BREW")
    other.extensions["pawsort"].meter.flush(db)
    found = scrape(app.test_client())
    assert found['pawsort_http_requests_total{method="GET",route="/healthz",status="200"}'] == 2
    assert found['pawsort_http_requests_total{method="OTHER",route="none",status="405"}'] == 2
    assert found['pawsort_http_seconds_count{method="GET",route="/healthz"}'] == 2
    assert found['pawsort_http_seconds_bucket{le="60.0",method="GET",route="/healthz"}'] == 2
    from_other = scrape(other.test_client())
    same = {name: value for name, value in found.items() if "healthz" in name}
    assert same == {name: from_other[name] for name in same}
    other.extensions["pawsort"].db.close()


def test_counters_are_there_from_the_start(stranger: FlaskClient) -> None:
    found = scrape(stranger)
    for code in ("good", *ErrorCode):
        assert found[f'pawsort_images_classified_total{{outcome="{code}"}}'] == 0
    assert found['pawsort_leases_lost_total{queue="inference"}'] == 0
    assert found['pawsort_messages_rung_again_total{reason="waiting"}'] == 0


def test_times_fall_into_buckets_that_add_up(db: Database) -> None:
    first, second = Meter(), Meter()
    for meter, seconds in ((first, 0.005), (first, 0.03), (second, 0.04), (second, 99.0)):
        meter.time(metrics.STAGES, seconds, stage="read")
    first.flush(db)
    second.flush(db)
    first.flush(db)
    with db.read() as session:
        (timed,) = MetricsSnapshot(session).times(metrics.STAGES)
    up_to = {bucket: timed.n_up_to[bucket] for bucket in ("0.005", "0.025", "0.05", "60.0", "+Inf")}
    assert up_to == {"0.005": 1, "0.025": 1, "0.05": 3, "60.0": 3, "+Inf": 4}
    assert timed.n == 4
    assert timed.sum_s == pytest.approx(99.075)


def test_what_could_not_be_written_is_written_the_next_time(db: Database) -> None:
    meter = Meter()
    meter.count(metrics.REQUEUED, 3, reason="waiting")
    away = Database("sqlite:////nowhere/at/all.db")
    with pytest.raises(Exception, match="unable to open"):
        meter.flush(away)
    meter.flush(db)
    with db.read() as session:
        assert MetricsSnapshot(session).total(metrics.REQUEUED) == 3


def test_promtool_finds_nothing_wrong_with_it(stranger: FlaskClient, db: Database, blobs: Blobs) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed here")
    run_job(db, make_job(db, make_upload(db, blobs)))
    meter = Meter()
    meter.time(metrics.STAGES, 0.1, stage="read")
    meter.flush(db)
    text = stranger.get("/metrics").text
    said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(
    "accept", ["application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.3", "a/b;version=abc"]
)
def test_openmetrics_is_written_where_it_is_accepted_with_the_same_names(stranger: FlaskClient, accept: str) -> None:
    plain = stranger.get("/metrics")
    assert plain.content_type == "text/plain; version=0.0.4; charset=utf-8"
    answer = stranger.get("/metrics", headers={"Accept": accept})
    parse = text_string_to_metric_families
    if "openmetrics" in accept:
        assert answer.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        parse = openmetrics.text_string_to_metric_families
    names = [
        {(one.name, *sorted(one.labels.items())) for family in families for one in family.samples}
        for families in (text_string_to_metric_families(plain.text), parse(answer.text))
    ]
    assert names[0] == names[1]
    assert len(names[0]) > 40


def test_strangers_cause_no_writes_and_one_reading_in_five_seconds(
    app: App, stranger: FlaskClient, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger.get("/healthz")
    read = Mock(wraps=status.read_status)
    monkeypatch.setattr(status, "read_status", read)
    first, second = (stranger.get("/metrics").text for _ in range(2))
    assert first == second
    assert read.call_count == 1
    with db.read() as session:
        assert MetricsSnapshot(session).total(metrics.REQUESTS) == 0


def test_a_token_keeps_strangers_out(settings: Settings, app: App) -> None:
    guarded = create_app(settings.model_copy(update={"metrics_token": SecretStr("s3cret")}))
    client = guarded.test_client()
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert client.get("/metrics", headers=headers).status_code == 401
        assert client.get("/readyz", headers=headers).get_json() == {"status": "not ready"}
    with_token = {"Authorization": "Bearer s3cret"}
    assert "pawsort_jobs" in client.get("/metrics", headers=with_token).text
    assert "checks" in client.get("/readyz", headers=with_token).get_json()
    guarded.extensions["pawsort"].db.close()

"""Images that take long to decode: set aside, then decoded last, within their upload's time."""

import pytest
from sqlalchemy import select

from core.base.config import Settings
from core.base.database import Database
from core.base.states import ChunkState, JobState
from core.jobs import jobs
from core.jobs.fair_share import Lane
from core.models import registry
from core.orm.jobs import Chunk
from core.orm.uploads import Upload
from core.storage.blobs import Blobs
from core.uploads import decode_budget
from tests.support import marked_decoder, pictures
from tests.support.deadlines import within
from tests.support.factories import make_job, make_manifest, make_upload, read_results
from tests.support.fakes import FakeRuntime
from tests.support.waiting import until
from worker.inference import classification, next_chunk
from worker.inference.next_chunk import NextChunk
from worker.inference.side_lanes import SideLane

FIRST_PASS_S, TIMEOUT_S = within(0.5), within(1.0)
GOOD = pictures.jpeg(1)
ENDLESS = {"p/1.jpg": GOOD, "p/endless.jpg": GOOD + marked_decoder.HOLD_THE_GIL, "p/2.jpg": pictures.jpeg(2)}


@pytest.fixture
def slow_runtime(settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    """A runtime with short deadlines and a decoder that obeys marks."""
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
    monkeypatch.setattr(next_chunk, "FIRST_PASS_S", FIRST_PASS_S)
    monkeypatch.setattr(classification, "FIRST_PASS_S", FIRST_PASS_S)
    changed = {"decoder": "tests.support.marked_decoder:decode", "decode_timeout_s": TIMEOUT_S, "reconcile_s": 0.05}
    return FakeRuntime(settings.model_copy(update=changed), db)


def chunk_of(db: Database) -> Chunk:
    with db.read() as session:
        return session.scalars(select(Chunk)).one()


def codes_of(db: Database, job) -> dict[str, str | None]:
    return {row.path: row.error_code for row in read_results(db, job)}


def test_what_takes_long_is_set_aside_and_its_neighbours_have_their_results(
    slow_runtime: FakeRuntime, blobs: Blobs
) -> None:
    db = slow_runtime.db
    job = make_job(db, make_upload(db, blobs, ENDLESS))
    classification.classify_ready(slow_runtime)
    assert codes_of(db, job) == {"p/1.jpg": None, "p/2.jpg": None}
    assert (chunk_of(db).state, chunk_of(db).is_slow) == (ChunkState.READY, True)


def test_the_slow_pass_gives_the_whole_time_and_then_says_so(slow_runtime: FakeRuntime, blobs: Blobs) -> None:
    db = slow_runtime.db
    job = make_job(db, make_upload(db, blobs, ENDLESS))
    classification.classify_ready(slow_runtime)
    assert classification.classify_next(slow_runtime, Lane.SLOW)
    assert codes_of(db, job) == {"p/1.jpg": None, "p/2.jpg": None, "p/endless.jpg": "decode_timeout"}
    with db.read() as session:
        assert jobs.get_job(session, job).state == JobState.DONE
        assert session.scalars(select(Upload.slow_decode_s)).one() == pytest.approx(TIMEOUT_S)


def test_an_upload_without_time_left_gets_its_timeouts_at_once(
    slow_runtime: FakeRuntime, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_budget, "BUDGET_S", 0.0)
    db = slow_runtime.db
    job = make_job(db, make_upload(db, blobs, ENDLESS))
    classification.classify_ready(slow_runtime)
    monkeypatch.setattr(FakeRuntime, "slow_decoders", None)
    assert classification.classify_next(slow_runtime, Lane.SLOW)
    assert codes_of(db, job)["p/endless.jpg"] == "decode_timeout"


def test_a_slow_image_that_can_be_read_is_labelled_by_the_slow_lane(
    slow_runtime: FakeRuntime, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_chunk, "FIRST_PASS_S", 0.01)
    slow_runtime.settings = slow_runtime.settings.model_copy(update={"decode_timeout_s": 20.0})
    picture = pictures.encode(pictures.Image.effect_noise((3000, 3000), 90), "PNG")
    db = slow_runtime.db
    job = make_job(db, make_upload(db, blobs, {"p/large.png": picture}))
    classification.classify_ready(slow_runtime)
    assert codes_of(db, job) == {}
    lane = SideLane(slow_runtime, Lane.SLOW, every_s=0.05)
    lane.start()
    until(lambda: codes_of(db, job) == {"p/large.png": None})
    lane.stop()
    lane._thread.join()


def test_a_worker_that_is_stopped_releases_the_chunk_that_it_was_about_to_decode(
    slow_runtime: FakeRuntime, blobs: Blobs
) -> None:
    db = slow_runtime.db
    make_job(db, make_upload(db, blobs, ENDLESS))
    chunk = NextChunk(slow_runtime)
    until(lambda: chunk_of(db).state == ChunkState.RUNNING)
    chunk.drop()
    until(lambda: chunk_of(db).state == ChunkState.READY)
    assert chunk_of(db).attempts == 0
    chunk._thread.join()

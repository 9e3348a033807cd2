"""The express lane: a job of which nothing runs is labelled between the batches of a large chunk."""

from core.base.config import Settings
from core.base.database import Database
from core.base.states import JobState
from core.jobs import jobs
from core.jobs.fair_share import Lane
from core.models import registry
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_manifest, make_upload
from tests.support.fakes import FakeClassifier, FakeRuntime
from tests.support.waiting import until
from worker.inference import classification
from worker.inference.side_lanes import SideLane

DATABASES = ("sqlite",)  # the choice of the job is tested with both


class WaitingClassifier(FakeClassifier):
    """Does not go on with its first chunk before another job is done."""

    def __init__(self, wait) -> None:
        super().__init__()
        self._wait = wait

    def predict_with_features(self, images, on_batch=lambda: None):
        wait, self._wait = self._wait, None
        if wait is not None:
            wait(on_batch)
        return super().predict_with_features(images, on_batch)


def test_a_job_that_comes_while_the_network_is_busy_is_done_first(
    settings: Settings, db: Database, blobs: Blobs
) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])

    def state_of(job):
        with db.read() as session:
            return jobs.get_job(session, job).state

    def wait(on_batch) -> None:
        small = make_job(db, make_upload(db, blobs, n_files=1))
        until(lambda: on_batch() or state_of(small) == JobState.DONE)
        assert state_of(large) == JobState.RUNNING

    runtime = FakeRuntime(settings, db, WaitingClassifier(wait))
    large = make_job(db, make_upload(db, blobs, n_files=2))
    lane = SideLane(runtime, Lane.EXPRESS, every_s=0.01)
    lane.start()
    classification.classify_next(runtime)
    lane.stop()
    lane._thread.join()
    assert state_of(large) == JobState.DONE

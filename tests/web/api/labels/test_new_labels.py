"""How many labels are new since a version was trained, wherever it is shown, and the click that trains on them."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from core.base.clock import db_now
from core.base.database import Database
from core.base.states import JobKind, JobState
from core.jobs import jobs
from core.labels.counts import count_since_each, count_since_training
from core.labels.labels import NewLabel, add_labels
from core.models import registry
from core.orm.evaluation import LabelQualityReport
from core.orm.jobs import Job
from core.orm.training import Training
from core.storage.blobs import Blobs
from core.training import features
from tests.support.evaluated_versions import judge, make_judged, right, wrong_at_first
from tests.support.factories import make_job, make_labelled, make_manifest, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("app")


def label(db: Database, job: UUID, n: int) -> None:
    with db.write() as session:
        add_labels(session, None, [NewLabel(row.image_id, "dog") for row in read_results(db, job)[:n]])


def train(client: FlaskClient, version: int) -> UUID:
    answer = client.post(f"/models/{version}/train")
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["Location"].rsplit("/", 1)[1])


def finish(db: Database, uuid: UUID, version: int) -> None:
    """As if the training had begun now and brought this version."""
    with db.write() as session:
        job = jobs.get_job(session, uuid)
        job.state, job.started_at, job.model_version_id = JobState.DONE, db_now(), version


def n_new(client: FlaskClient, version: int) -> int:
    answer = client.get(f"/api/v1/models/{version}")
    assert answer.json is not None
    return int(answer.json["n_new_labels"])


def test_labels_count_from_the_moment_they_are_given(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    assert n_new(client, 1) == 0
    label(db, job, 3)
    label(db, job, 1)  # the same picture again is no new one
    assert n_new(client, 1) == 3
    assert "<strong>3 new labels</strong> since it was trained" in client.get("/models").text
    for page in ("/models/1", "/system"):
        assert "<strong>3 new labels</strong> since version 1 was trained" in client.get(page).text
    label(db, job, 4)
    assert n_new(client, 1) == 4


def test_one_click_trains_a_new_head_on_everything_labelled(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    uuid = train(client, 1)
    with db.read() as session:
        job = jobs.get_job(session, uuid)
        parameters = session.get_one(Training, job.id).parameters
    assert (job.kind, job.state) == (JobKind.TRAIN, JobState.QUEUED)
    assert (parameters["what"], parameters["start_from"], parameters["network"]) == ("head", 1, "seed-cnn")
    assert "<dd>only the last layer</dd>" in client.get(f"/jobs/{uuid}").text


def test_what_a_version_was_trained_on_is_not_new_to_it(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    finish(db, train(client, 1), 1)
    assert n_new(client, 1) == 0
    label(db, job, 2)
    assert n_new(client, 1) == 2


def test_with_too_few_labels_the_click_says_what_is_missing(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    label(db, job, 2)
    answer = client.post("/models/1/train")
    assert answer.status_code == 422
    assert "All 2 pictures are of the class dog" in answer.text


def test_the_form_says_what_both_ways_need(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    page = client.get("/train/new?data=all&network=seed-cnn&what=head").text
    assert (
        "Keeps the features of version 1 and refits the last layer on 60 pictures (features of 60 are computed first)"
        in page
    )
    assert "Trains the whole network, up to 60 epochs over" in page
    assert 'name="what" value="head" checked' in page


def test_before_anybody_tried_the_form_says_how_to_find_out_what_a_head_would_bring(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    make_labelled(db, blobs)
    page = client.get("/train/new?data=all&network=seed-cnn").text
    assert "“Check all labels” on the page Labels estimates it in seconds." in page
    assert "its layers were never trained here" in page


def test_the_form_says_what_both_ways_would_bring(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    add_study(db)
    add_trained(db)
    page = client.get("/train/new?data=all&network=seed-cnn").text
    # 60 labels: 1 - 0.05 - 60 ** -0.5
    assert "about 82.1 % ± 2.5 points, estimated on 40 labels" in page
    assert "Version 1 is right on 80.0 % of 90 test pictures when it was made; these are other pictures." in page
    assert "The last version trained like this, 2, was not evaluated on the same pictures as version 1." in page
    contents = make_judged(db, blobs)
    judge(db, 1, contents, wrong_at_first)
    judge(db, 2, contents, right)
    page = client.get("/train/new?data=all&network=seed-cnn").text
    n = len(contents)
    same = f"is right on 100.0 % of {n} test pictures, version 1 on {100 - 300 / n:.1f} % of the same."
    assert f"The last version trained like this, 2, {same}" in page


def add_study(db: Database) -> None:
    """As if somebody had looked through 40 labels with the version in use."""
    with db.write() as session:
        version = registry.get_version(session, 1)
        version.manifest = version.manifest | {"metrics": {"judging": {"accuracy": 0.8, "n_images": 90}}}
        job = Job(uuid=uuid4(), kind=JobKind.LABEL_QUALITY, name="", state=JobState.DONE, model_version_id=1)
        session.add(job)
        session.flush()
        curve = {"formula": {"floor": 0.05, "scale": 1.0, "exponent": 0.5}, "half_width": 0.025, "more": 100}
        curve |= {"points": [{"n": 10, "accuracy": 0.7}], "now": 0.8, "with_more": 0.86, "with_twice": 0.84}
        session.add(Training(job_id=job.id, parameters={}))
        session.add(LabelQualityReport(job_id=job.id, version_id=1, n_labels=40, curve=curve, suspects=[], wanted=[]))


def add_trained(db: Database) -> None:
    """As if the layers had been trained, then a head."""
    with db.write() as session:
        for name, what, accuracy in (("layers", "all", 0.91), ("head", "head", 0.5)):
            metrics = {"judging": {"accuracy": accuracy, "n_images": 120}}
            version = registry.add_version(session, make_manifest(weights=name.encode()) | {"metrics": metrics})
            job = Job(uuid=uuid4(), kind=JobKind.TRAIN, name="", state=JobState.DONE, model_version_id=version.id)
            session.add(job)
            session.flush()
            session.add(Training(job_id=job.id, parameters={"network": "seed-cnn", "what": what}))


def test_a_head_has_no_epochs(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    head = {"network": "seed-cnn", "what": "head", "epochs": 3}
    refused = client.post("/api/v1/training-jobs", json={"data": "all"} | head)
    assert refused.status_code == 422
    assert "epochs: a head is fitted in one step, without epochs. Leave it out." in refused.text
    hidden_on_the_page = {name: str(value) for name, value in head.items()}
    assert client.post("/train/new", data={"data": "all"} | hidden_on_the_page).status_code == 303


def test_a_training_of_a_head_is_repeated_as_one(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    page = client.get(f"/train/new?again={train(client, 1)}").text
    assert 'name="what" value="head" checked' in page
    assert 'id="epochs" name="epochs" value=""' in page


def test_kept_features_are_counted(db: Database, blobs: Blobs) -> None:
    make_upload(db, blobs)
    with db.read() as session:
        assert features.count_kept(session, [], [b"\0" * 32]) == 0
        assert features.count_kept(session, ["ab"], [b"\0" * 32]) == 0


def test_a_deleted_training_still_tells_what_is_new(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    uuid = train(client, 1)
    finish(db, uuid, 1)
    client.delete(f"/api/v1/jobs/{uuid}")
    with db.read() as session:
        assert count_since_training(session, 1) == 0


def test_a_schedule_trains_a_head(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    body = {
        "name": "nightly", "kind": "retrain", "cron": "0 3 * * *", "parameters": {"training": {"what": "head"}}
    }  # fmt: skip
    answer = client.post("/api/v1/schedules", json=body)
    assert answer.status_code in (200, 201), answer.text
    assert answer.json is not None
    assert answer.json["parameters"]["training"] == {"what": "head"}
    body["parameters"] = {"training": {"what": "tail"}}
    assert "what: expected all or head" in client.post("/api/v1/schedules", json=body | {"name": "b"}).text


def test_the_pages_that_name_a_version_say_what_is_new_to_it(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    add_study(db)
    image = read_results(db, job)[0].image_id
    pages = (
        f"/jobs/{job}", f"/jobs/{job}/failed", f"/jobs/{job}/images/{image}", f"/jobs/{job}/again", "/", "/labels",
        "/labels/fit", "/deployments",
    )  # fmt: skip
    add_trained(db)
    for page in pages:
        assert "since it was trained" not in client.get(page).text, page
    label(db, job, 3)
    for page in pages:
        assert "3 new labels since it was trained" in client.get(page).text, page


def test_a_label_that_was_taken_back_is_no_new_one(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    label(db, job, 3)
    images = [row.image_id for row in read_results(db, job)]
    with db.write() as session:
        add_labels(session, None, [NewLabel(image, None) for image in (images[0], images[0], images[3], images[3])])
        add_labels(session, None, [NewLabel(images[1], "cat")])
    assert n_new(client, 1) == 2  # the first is withdrawn, and the last was never labelled


def test_each_version_counts_from_its_own_training(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    uuid = train(client, 1)
    add_trained(db)
    finish(db, uuid, 2)
    label(db, job, 2)
    with db.read() as session:
        assert count_since_each(session, [1, 2, 3]) == {1: 62, 2: 2, 3: 62}


@pytest.mark.parametrize(("kind", "words"), [("study", "Using version 1"), ("judge", "Evaluates version 1")])
def test_only_a_training_claims_that_a_version_came_of_it(
    client: FlaskClient, db: Database, kind: JobKind, words: str
) -> None:
    uuid = uuid4()
    with db.write() as session:
        job = Job(uuid=uuid, kind=kind, name="", state=JobState.DONE, model_version_id=1)
        session.add(job)
        session.flush()
        session.add(Training(job_id=job.id, parameters={}))
    page = client.get(f"/jobs/{uuid}").text
    assert words in page
    assert "produced" not in page + client.get(f"/jobs/{uuid}/delete").text

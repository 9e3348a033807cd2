"""Disagreements, near-duplicates and whether the model still fits, as pages show them."""

import re
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.base.database import Database
from core.base.states import LabelSource
from core.evaluation import drift
from core.jobs import jobs
from core.labels import disagreements
from core.labels.labels import NewLabel, add_labels
from core.orm.accounts import User
from core.orm.audit_log import AuditEntry
from core.orm.labels import Label
from core.orm.models import ModelVersion
from core.orm.review import AuditPicture
from core.orm.uploads import Image
from core.review import audits
from core.storage.blobs import Blobs
from core.training import near_duplicates
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

N = 60


@pytest.fixture
def job(client: FlaskClient, db: Database, blobs: Blobs) -> UUID:
    """A job over sixty pictures in labelled folders, all called cat."""
    files = {f"pets/{('cats', 'dogs')[n % 2]}/{n:02}.jpg": draw_picture(n) for n in range(N)}
    uuid = make_job(db, make_upload(db, blobs, files=files, labelled=True))
    run_job(db, uuid)
    return uuid


def say(db: Database, who: str, image_id: int, label: str | None) -> None:
    with db.write() as session:
        user = session.scalar(select(User).where(User.name == who)) or User(name=who)
        session.add(user)
        session.flush()
        add_labels(session, user.id, [NewLabel(image_id, label)])


def images(db: Database, job: UUID) -> list[int]:
    return [row.image_id for row in read_results(db, job)]


def test_people_who_contradict_each_other_are_shown_with_what_each_says(
    client: FlaskClient, db: Database, job: UUID
) -> None:
    first, second, third = images(db, job)[:3]
    say(db, "Ada", first, "cat")
    say(db, "Bob", first, "dog")
    say(db, "Ada", second, "dog")
    say(db, "Ada", second, "cat")  # she changed her mind
    say(db, "Ada", third, "dog")  # the folder says cat
    with db.read() as session:
        people, n_people = disagreements.list_disagreements(session, "people", 10)
        folders, n_folders = disagreements.list_disagreements(session, "folders", 10)
    assert (n_people, n_folders) == (1, 2)
    assert people[0].said == [("the folder", "cat"), ("Ada", "cat"), ("Bob", "dog")]
    assert {one.image_id for one in folders} == {second, third}
    page = client.get("/labels/disagreements").text
    assert "Bob: Dog" in page
    assert f'data-say="{third}"' in client.get("/labels/disagreements?between=folders").text


def test_who_withdraws_no_longer_disagrees(db: Database, job: UUID) -> None:
    first = images(db, job)[0]
    say(db, "Ada", first, "cat")
    say(db, "Bob", first, "dog")
    say(db, "Bob", first, None)
    with db.read() as session:
        assert disagreements.list_disagreements(session, "people", 10)[1] == 0


def test_a_kind_of_disagreement_that_does_not_exist_is_refused(client: FlaskClient) -> None:
    assert client.get("/labels/disagreements?between=cats").status_code == 422


def test_a_group_is_labelled_with_one_click_and_that_is_taken_back(
    client: FlaskClient, db: Database, job: UUID
) -> None:
    with db.write() as session:
        contents = {image.path: image.sha256 for image in session.scalars(select(Image))}
        pair = (contents["pets/cats/00.jpg"], contents["pets/dogs/01.jpg"])
        near_duplicates.record_groups(session, pair, [pair])
    page = client.get("/labels/twins").text
    assert "Their labels contradict each other" in page
    form = dict(re.findall(r'name="(group|batch)" value="([^"]+)"', page))
    done = client.post("/labels/twins", data=form | {"label": "dog"})
    assert client.post("/labels/twins", data=form | {"label": "dog"}).status_code == 303  # sent twice, said once
    assert labels_of(db, job)[:2] == ["dog", "dog"]
    page = client.get(done.headers["Location"]).text
    assert "The group was labelled." in page
    form = dict(re.findall(r'name="(group|batch)" value="([^"]+)"', page.split("Undo")[0]))
    client.post("/labels/twins", data=form | {"undo": "1"})
    assert labels_of(db, job)[:2] == ["cat", "dog"]
    with db.read() as session:
        people = session.scalars(select(Label).where(Label.source != LabelSource.FOLDER)).all()
        recorded = session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "near-duplicates")).all()
    assert len(people) == 4
    assert [(one.action, one.details["n_labels"]) for one in recorded] == [("labels.add", 2), ("labels.undo", 2)]


def labels_of(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def fit_of(db: Database, uuid: UUID) -> drift.JobFit:
    with db.read() as session:
        fit = drift.describe(session, jobs.get_job(session, uuid))
    assert fit is not None
    return fit


def expect_unsure(db: Database, share: float) -> None:
    with db.write() as session:
        version = session.get_one(ModelVersion, 1)
        version.manifest = version.manifest | {"metrics": {"judging": {"unsure": share}}}


def test_a_job_like_any_other_is_called_so(client: FlaskClient, db: Database, job: UUID) -> None:
    expect_unsure(db, 0.02)
    fit = fit_of(db, job)
    assert fit.shares == {"cat": 1.0, "dog": 0.0, "unsure": 0.0}
    assert fit.confidence == pytest.approx(0.9, abs=0.001)
    assert not fit.is_less_sure
    assert "About as confident as usual." in client.get(f"/jobs/{job}").text


def test_a_job_of_which_the_model_is_less_sure_says_so(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    expect_unsure(db, 0.02)
    uuid = make_job(db, make_upload(db, blobs, n_files=N))
    run_job(db, uuid, {f"photos/{n}.jpg": (0.5, 0.3) for n in range(20)})
    assert fit_of(db, uuid).is_less_sure
    for page in (f"/jobs/{uuid}", "/labels/fit"):
        assert "Less confident than usual: 33.3 % unsure (usually 2.0 %)" in client.get(page).text


def test_few_pictures_tell_nothing(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    uuid = make_job(db, make_upload(db, blobs, n_files=5))
    run_job(db, uuid, default=(0.4, 0.3))
    assert "Too few pictures to say." in client.get(f"/jobs/{uuid}").text


def test_what_people_corrected_and_what_a_sample_showed_stand_beside_it(
    client: FlaskClient, db: Database, job: UUID
) -> None:
    first, second = images(db, job)[:2]
    say(db, "Ada", first, "dog")
    say(db, "Ada", second, "cat")
    assert fit_of(db, job).corrected == pytest.approx(1 / N)
    assert fit_of(db, job).audit is None
    assert "not checked yet" in client.get("/labels/fit").text
    audit = audits.draw_audit(db, UUID(int=7), job, None, 100)
    with db.write() as session:
        sample = session.scalars(select(AuditPicture.image_id).where(AuditPicture.audit_id == audit.id)).all()
        add_labels(session, None, [NewLabel(image_id, "cat", LabelSource.AUDIT) for image_id in sample], audit.id)
    fit = fit_of(db, job)
    assert fit.audit is not None
    assert fit.audit.accuracy == 1.0
    assert "<strong>100.0 %</strong> (" in client.get("/labels/fit").text

"""The pages about labels, and the same over HTTP: forecast, suspects, what to label next."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.base.database import Database
from core.base.states import JobKind
from core.evaluation import label_quality
from core.jobs import jobs
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import claims
from tests.support.factories import LEASE_S, make_job, make_labelled, make_upload, read_results, run_job

CURVE = {
    "points": [
        {"n": 12, "accuracy": 0.8},
        {"n": 24, "accuracy": 0.85},
        {"n": 36, "accuracy": 0.88},
        {"n": 48, "accuracy": 0.9},
    ],
    "formula": {"floor": 0.02, "scale": 0.6, "exponent": 0.5},
    "now": 0.9025,
    "more": 100,
    "with_more": 0.9326,
    "with_twice": 0.9252,
    "half_width": 0.06,
}


@pytest.fixture
def findings(client: FlaskClient, db: Database, blobs: Blobs) -> tuple[list[int], list[int]]:
    """A study that suspects two labels and wants two pictures; their images."""
    make_labelled(db, blobs)
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    wanted = [row.image_id for row in read_results(db, job)[:2]]
    uuid = UUID(client.post("/labels/study").headers["Location"].rsplit("/", 1)[1])
    with db.write() as session:
        suspected = list(session.scalars(select(Image.id).where(Image.path.like("pets/dogs/%")).limit(2)))
        claim = claims.claim_training(session, jobs.get_job(session, uuid).id, None, LEASE_S)
        assert claim is not None
        suspects = [
            {"image_id": image_id, "label": "dog", "suggested": "cat", "p_label": 0.1 + 0.1 * n}
            for n, image_id in enumerate(suspected)
        ]
        label_quality.finish(session, claim, 1, 60, CURVE, suspects, wanted)
    return suspected, wanted


def test_the_page_answers_whether_there_are_enough(client: FlaskClient, findings: tuple[list[int], list[int]]) -> None:
    page = client.get("/labels").text
    assert "90.2 % accuracy now, ± 6.0 points. 100 more labels would add about 3.0 points" in page
    assert "160 labels (expected)" in page
    assert "The model disagrees with 2 labels" in page
    for image_id in findings[1]:
        assert f'data-say="{image_id}"' in page


def test_a_suspect_is_mended_or_kept_and_then_gone(
    client: FlaskClient, db: Database, findings: tuple[list[int], list[int]]
) -> None:
    first, second = findings[0]
    assert client.get("/labels/suspects").text.index(f'data-say="{first}"') > 0
    client.post("/labels/suspects", data={"image_id": first, "given": "dog", "label": "cat"})
    client.post("/labels/suspects", data={"image_id": second, "given": "dog", "label": "dog"})
    with db.read() as session:
        said = [(row.image_id, row.label, row.source) for row in session.scalars(select(Label)) if row.image_id]
    assert said == [(first, "cat", "correction"), (second, "dog", "confirmation")]
    assert f'data-say="{first}"' not in client.get("/labels/suspects").text


def test_a_suspect_whose_mending_is_taken_back_is_a_suspect_again(
    client: FlaskClient, findings: tuple[list[int], list[int]]
) -> None:
    (first, _), key = findings[0], str(uuid4())
    client.post("/api/v1/labels", json={"items": [{"image_id": first, "label": "cat", "key": key}]})
    assert f'data-say="{first}"' not in client.get("/labels/suspects").text
    client.post("/api/v1/labels", json={"items": [{"image_id": first, "undoes": key, "key": str(uuid4())}]})
    assert f'data-say="{first}"' in client.get("/labels/suspects").text


def test_the_findings_over_http(client: FlaskClient, findings: tuple[list[int], list[int]]) -> None:
    answer = client.get("/api/v1/studies/newest").json
    assert answer is not None
    assert (answer["version"], answer["n_labels"], answer["wanted"]) == (1, 60, findings[1])
    assert [one["image_id"] for one in answer["suspects"]] == findings[0]
    assert answer["suspects"][0]["suggested"] == "cat"


def test_without_a_study_there_is_a_sentence(client: FlaskClient) -> None:
    assert client.get("/api/v1/studies/newest").status_code == 404
    assert "The labels were not checked yet" in client.get("/labels/suspects").text
    assert "Check all labels" in client.get("/labels").text


def test_too_few_labels_are_said_on_the_page(client: FlaskClient) -> None:
    answer = client.post("/labels/study")
    assert answer.status_code == 422
    assert "There are too few labels to check" in answer.text
    assert client.post("/api/v1/studies", json={}).status_code == 422


def test_a_study_over_http_is_a_job(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs)
    answer = client.post("/api/v1/studies", json={})
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["kind"] == "study"
    page = client.get(f"/jobs/{answer.json['id']}").text
    assert "Label quality check" in page
    assert "See the result" not in page


def test_the_page_of_a_study_that_is_done_links_its_result(
    client: FlaskClient, db: Database, findings: tuple[list[int], list[int]]
) -> None:
    with db.read() as session:
        uuid = session.scalars(select(Job.uuid).where(Job.kind == JobKind.LABEL_QUALITY)).one()
    assert "See the result" in client.get(f"/jobs/{uuid}").text

"""Labels over HTTP: once each, in one go, by review, by random sample."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.actors import make_token
from tests.support.factories import (
    draw_picture,
    make_job,
    make_labelled,
    make_training,
    make_upload,
    read_results,
    run_job,
)
from web.app import App
from web.schemas.labels import MAX_UNDOES

OUTCOMES = {"p/1.jpg": (0.95, 0.01), "p/2.jpg": (0.1, 0.9), "p/3.jpg": (0.5, 0.4)}


@pytest.fixture
def job(client: FlaskClient, db: Database, blobs: Blobs) -> UUID:
    """A cat, a dog, one unsure."""
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}))
    run_job(db, job, OUTCOMES)
    return job


def post(client: FlaskClient, path: str, status: int = 200, **body: Any) -> Any:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == status, answer.json
    return answer.json


def words(client: FlaskClient, job: UUID) -> list[str | None]:
    return [row["human_label"] for row in client.get(f"/api/v1/jobs/{job}/results").json["items"]]


def test_labels_are_written_once_and_taken_back_by_their_key(client: FlaskClient, db: Database, job: UUID) -> None:
    image_id, key = read_results(db, job)[2].image_id, str(uuid4())
    said = {"image_id": image_id, "label": "dog", "key": key}
    assert [post(client, "labels", 201, items=[said])["n_labels"] for _ in range(2)] == [1, 0]
    assert words(client, job) == [None, None, "dog"]
    post(client, "labels", 201, items=[{"image_id": image_id, "undoes": key}])
    assert words(client, job) == [None, None, None]
    history = client.get(f"/api/v1/images/{image_id}/labels").json["items"]
    assert [(row["label"], row["source"], row["user"], row["is_undone"]) for row in history] == [
        (None, "correction", "owner", False),
        ("dog", "correction", "owner", True),
    ]


def test_a_content_is_labelled_wherever_it_is_and_an_unknown_one_is_reported(
    app: App, client: FlaskClient, db: Database, blobs: Blobs, job: UUID
) -> None:
    ben = app.test_client()
    ben.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {make_token(db, 'ben')}"
    again = make_job(db, make_upload(db, blobs, {"again.jpg": draw_picture(0)}, by="ben"), by="ben")
    run_job(db, again)
    sha256 = client.get(f"/api/v1/jobs/{job}/results").json["items"][0]["sha256"]
    said = [{"sha256": sha256.upper(), "label": "dog"}, {"sha256": "0" * 64, "label": "dog"}]
    answer = post(ben, "labels", 201, items=said)
    assert (answer["n_labels"], answer["unknown"]) == (1, ["0" * 64])
    assert (words(client, job)[0], words(client, again)) == ("dog", ["dog"])
    own = read_results(db, again)[0].image_id
    history = client.get(f"/api/v1/images/{own}/labels").json["items"]
    assert [(row["user"], row["image_id"]) for row in history] == [("ben", own)]


def test_a_list_is_one_batch_that_is_tried_first_and_undone_as_a_whole(client: FlaskClient, job: UUID) -> None:
    rows, batch = client.get(f"/api/v1/jobs/{job}/results").json["items"], str(uuid4())
    items = [{"sha256": row["sha256"], "label": "dog"} for row in rows]
    planned = post(client, "labels", 201, items=items, batch=batch, dry_run=True)
    assert planned["changes"] == [{"before": None, "label": "dog", "n": 3}]
    assert words(client, job) == [None] * 3
    assert post(client, "labels", 201, items=items[:2], batch=batch)["n_labels"] == 2
    rest = post(client, "labels", 201, items=items, batch=batch)
    assert (rest["n_labels"], rest["n_unchanged"]) == (1, 2)
    shown = client.get(f"/api/v1/label-batches/{batch}").json
    assert (shown["kind"], shown["job"], shown["n_labels"], shown["is_finished"]) == ("list", None, 3, True)
    assert post(client, f"label-batches/{batch}/undo", id=str(uuid4()))["n_labels"] == 3
    assert words(client, job) == [None] * 3
    post(client, "labels", 409, items=items, batch=batch)


@pytest.mark.parametrize(
    ("item", "extra", "message"),
    [
        ({"label": "cat"}, {}, "either image_id or sha256"),
        ({"label": "cat", "image_id": 1, "sha256": "0" * 64}, {}, "either image_id or sha256"),
        ({"label": "cat", "sha256": "0" * 64}, {"audit": str(uuid4())}, "together with audit"),
        ({"image_id": 1, "undoes": str(uuid4())}, {"batch": str(uuid4())}, "undo the batch instead"),
    ],
)
def test_what_is_labelled_must_be_clear(
    client: FlaskClient, item: dict[str, Any], extra: dict[str, str], message: str
) -> None:
    assert message in post(client, "labels", 422, items=[item], **extra)["detail"]


def test_a_call_undoes_a_limited_number_of_labels(client: FlaskClient) -> None:
    items = [{"image_id": 1, "undoes": str(UUID(int=n + 1))} for n in range(MAX_UNDOES + 1)]
    assert "expected at most 5,000 items with undoes" in post(client, "labels", 422, items=items)["detail"]


@pytest.mark.parametrize("extra", [{}, {"label": "cat", "undoes": str(uuid4())}])
def test_an_item_is_either_a_label_or_an_undo(client: FlaskClient, extra: dict[str, str]) -> None:
    problem = post(client, "labels", 422, items=[{"image_id": 1} | extra])
    assert "either label" in problem["detail"]


def test_the_history_of_an_image_that_is_not_there_is_404(client: FlaskClient) -> None:
    assert client.get("/api/v1/images/999/labels").status_code == 404


def test_all_that_a_filter_shows_is_confirmed_and_that_is_taken_back(client: FlaskClient, job: UUID) -> None:
    uuid = str(uuid4())
    batch = post(client, f"jobs/{job}/labels", id=uuid, confirm=True, filter={"label": "cat"})
    assert (batch["n_labels"], batch["is_finished"], batch["undone_by"]) == (1, True, None)
    assert words(client, job) == ["cat", None, None]
    undo = post(client, f"label-batches/{uuid}/undo", id=str(uuid4()))
    assert (undo["n_labels"], undo["is_finished"]) == (1, True)
    assert words(client, job) == [None, None, None]
    assert client.get(f"/api/v1/label-batches/{uuid}").json["undone_by"] == undo["id"]


@pytest.mark.parametrize("extra", [{}, {"label": "cat", "confirm": True}, {"confirm": True, "filter": {"labl": "cat"}}])
def test_a_batch_that_is_not_clear_is_refused(client: FlaskClient, job: UUID, extra: dict[str, Any]) -> None:
    post(client, f"jobs/{job}/labels", 422, id=str(uuid4()), **extra)


def test_two_reviewers_are_handed_different_pictures(client: FlaskClient, job: UUID) -> None:
    one, two = str(uuid4()), str(uuid4())
    first = post(client, f"jobs/{job}/review", reviewer=one, wanted=2)
    assert [(item["path"], item["label"]) for item in first["items"]] == [("p/3.jpg", "unsure"), ("p/2.jpg", "dog")]
    second = post(client, f"jobs/{job}/review", reviewer=two, wanted=2)
    assert [item["path"] for item in second["items"]] == ["p/1.jpg"]
    assert (second["n_others"], second["n_skipped"]) == (1, 0)
    post(client, f"jobs/{job}/review", reviewer=one, leaving=True)
    held = [item["image_id"] for item in second["items"]]
    third = post(client, f"jobs/{job}/review", reviewer=two, wanted=2, holding=held)
    assert [item["path"] for item in third["items"]] == ["p/3.jpg", "p/2.jpg"]
    assert third["holding"] == held


def test_progress_says_what_is_left(client: FlaskClient, db: Database, job: UUID) -> None:
    post(client, "labels", 201, items=[{"image_id": read_results(db, job)[0].image_id, "label": "dog"}])
    progress = client.get(f"/api/v1/jobs/{job}/review").json
    assert progress == {"n_good": 3, "n_reviewed": 1, "n_unsure_left": 1, "n_neither_left": 0, "n_other": 1}


def test_a_training_cannot_be_reviewed(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    training = make_training(db, make_labelled(db, blobs))
    post(client, f"jobs/{training}/review", 422, reviewer=str(uuid4()))
    post(client, f"jobs/{training}/labels", 422, id=str(uuid4()), confirm=True)


def test_a_random_sample_is_judged_blind_and_says_how_often_the_model_is_right(client: FlaskClient, job: UUID) -> None:
    audit = post(client, f"jobs/{job}/audits", 201)
    assert (audit["size"], audit["n_images"], audit["n_population"], audit["accuracy"]) == (100, 3, 3, None)
    asked = {"reviewer": str(uuid4()), "audit": audit["id"]}
    items = post(client, f"jobs/{job}/review", **asked)["items"]
    assert {(item["path"], item["label"], item["probabilities"]) for item in items} == {(None, None, None)}
    said = [{"image_id": item["image_id"], "label": "cat", "key": str(uuid4())} for item in items]
    post(client, "labels", 201, items=said, audit=audit["id"])
    done = client.get(f"/api/v1/audits/{audit['id']}").json
    assert done["is_complete"]
    assert (done["n_labelled"], done["n_right"], done["accuracy"]) == (2, 1, 0.5)
    assert done["accuracy_low"] < 0.1
    assert done["accuracy_high"] > 0.9
    assert done["guess_accuracy"] == pytest.approx(2 / 3)
    assert client.get(f"/api/v1/jobs/{job}/audits").json["items"] == [done]
    history = client.get(f"/api/v1/images/{items[0]['image_id']}/labels").json["items"]
    assert [(row["source"], row["audit"]) for row in history] == [("audit", audit["id"])]


def test_only_pictures_of_the_sample_can_be_judged_for_it(
    client: FlaskClient, db: Database, blobs: Blobs, job: UUID
) -> None:
    other = make_job(db, make_upload(db, blobs, n_files=1))
    run_job(db, other)
    audit = post(client, f"jobs/{other}/audits", 201)
    said = [{"image_id": read_results(db, job)[0].image_id, "label": "cat"}]
    assert "not in it" in post(client, "labels", 422, items=said, audit=audit["id"])["detail"]
    post(client, f"jobs/{job}/review", 422, reviewer=str(uuid4()), audit=audit["id"])


@pytest.mark.parametrize(("body", "status"), [({"size": 7}, 422), ({"size": "many"}, 422)])
def test_a_sample_of_another_size_is_refused(client: FlaskClient, job: UUID, body: dict[str, Any], status: int) -> None:
    post(client, f"jobs/{job}/audits", status, **body)


def test_the_labels_of_an_upload_are_withdrawn_with_one_call(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    files = {"cats/1.jpg": draw_picture(1), "dogs/2.jpg": draw_picture(2)}
    upload = make_upload(db, blobs, files, labelled=True)
    job = make_job(db, upload)
    run_job(db, job)
    assert words(client, job) == ["cat", "dog"]
    assert client.delete(f"/api/v1/uploads/{upload}/labels").json == {"n_labels": 2}
    assert words(client, job) == [None, None]
    assert client.delete(f"/api/v1/uploads/{uuid4()}/labels").status_code == 404

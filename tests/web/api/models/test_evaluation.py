"""How good versions are, over HTTP."""

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.evaluated_versions import judge, make_judged, right, wrong_at_first
from tests.support.factories import make_version

MODELS = "/api/v1/models"


@pytest.fixture
def said(app: object, db: Database, blobs: Blobs) -> dict[bytes, str]:
    """Version 1 is wrong on three pictures of the judging part, version 2 on none."""
    contents = make_judged(db, blobs)
    judge(db, 1, contents, wrong_at_first)
    judge(db, make_version(db, "another"), contents, right)
    return contents


def test_a_version_is_judged_by_a_job_that_is_created_once(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_judged(db, blobs)
    first, second = (client.post(f"{MODELS}/1/judge") for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json is not None
    assert second.json is not None
    assert first.json["kind"] == "judge"
    assert first.json["id"] == second.json["id"]


def test_without_labelled_pictures_judging_gets_a_sentence(client: FlaskClient) -> None:
    answer = client.post(f"{MODELS}/1/judge")
    assert answer.status_code == 422
    assert answer.json is not None
    assert "nothing to evaluate on" in answer.json["detail"]


def test_figures_count_what_was_judged_here(client: FlaskClient, said: dict[bytes, str]) -> None:
    body = client.get(f"{MODELS}/1/figures").json
    assert body is not None
    assert body["figures"]["n_images"] == len(said)
    assert body["figures"]["accuracy"] == pytest.approx(1 - 3 / len(said))


def test_judgements_come_page_by_page_worst_first(client: FlaskClient, said: dict[bytes, str]) -> None:
    rows, cursor = [], ""
    while True:
        body = client.get(f"{MODELS}/1/judgements?sort=error&limit=2{cursor}").json
        assert body is not None
        rows += body["items"]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert len({row["sha256"] for row in rows}) == len(said)
    assert [row["label"] == row["called"] for row in rows] == [False] * 3 + [True] * (len(said) - 3)
    assert rows[0]["path"].startswith("pets/")


def test_a_cell_of_the_confusion_matrix_can_be_listed(client: FlaskClient, said: dict[bytes, str]) -> None:
    body = client.get(f"{MODELS}/1/judgements?true=dog&called=dog").json
    assert body is not None
    assert {(row["label"], row["called"]) for row in body["items"]} == {("dog", "dog")}


def test_a_judged_picture_has_a_thumbnail_though_nothing_classified_it(
    client: FlaskClient, said: dict[bytes, str]
) -> None:
    body = client.get(f"{MODELS}/1/judgements?limit=1").json
    assert body is not None
    assert client.get(f"/api/v1/images/{body['items'][0]['image_id']}/thumbnail?size=128").status_code == 200


def test_two_versions_are_compared_on_the_same_pictures(client: FlaskClient, said: dict[bytes, str]) -> None:
    body = client.get(f"{MODELS}/1/compare/2").json
    assert body is not None
    assert (body["only_first"], body["only_second"], body["both_right"]) == (0, 3, len(said) - 3)
    assert body["p_value"] == pytest.approx(0.25)
    differing = client.get(f"{MODELS}/1/compare/2/differences").json
    assert differing is not None
    assert len(differing["items"]) == body["n_differ"] == 3


@pytest.mark.parametrize("path", ["/7/figures", "/7/judgements", "/1/compare/7", "/7/compare/1/differences"])
def test_a_version_that_does_not_exist_gets_404(client: FlaskClient, path: str) -> None:
    assert client.get(MODELS + path).status_code == 404

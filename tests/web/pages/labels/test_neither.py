"""What is probably neither: counted, listed, and labelled all together, after a question with the number."""

import io
import re
import zipfile
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.labels.labels import NewLabel, add_labels
from core.review import review_progress
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

SAID = {
    "p/cat.jpg": (0.95, 0.01),
    "p/doubt.jpg": (0.5, 0.4),
    "p/corridor.jpg": (0.004, 0.02),
    "p/squirrel.jpg": (0.3, 0.1),
    "p/known.jpg": (0.1, 0.1),
}


@pytest.fixture
def job(client: FlaskClient, db: Database, blobs: Blobs) -> UUID:
    """A cat, one in doubt, three of neither, one of which a person called a dog."""
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(SAID)}))
    run_job(db, job, SAID)
    with db.write() as session:
        image = next(row.image_id for row in read_results(db, job) if row.path == "p/known.jpg")
        add_labels(session, None, [NewLabel(image, "dog")])
    return job


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def _fields(page: str, *names: str) -> dict[str, str]:
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in names}
    return {name: match[1] for name, match in found.items() if match}


def test_they_are_counted_next_to_the_labels_and_listed_by_a_filter(client: FlaskClient, job: UUID) -> None:
    view = client.get(f"/api/v1/jobs/{job}").json
    assert view is not None
    assert view["counts"]["by_label"] == {"cat": 1, "dog": 0, "unsure": 4}
    assert view["counts"]["probably_neither"] == 3
    listed = client.get(f"/api/v1/jobs/{job}/results?neither=probable&sort=confidence").json
    assert listed is not None
    assert [(item["path"], item["label"]) for item in listed["items"]] == [
        ("p/corridor.jpg", "unsure"),
        ("p/known.jpg", "unsure"),
        ("p/squirrel.jpg", "unsure"),
    ]
    assert client.get(f"/api/v1/jobs/{job}/results?neither=maybe").status_code == 422
    histogram = client.get(f"/api/v1/jobs/{job}/histogram").json
    assert histogram is not None
    assert histogram["neither"] == [[20, 1], [100, 1], [300, 1]]


def test_tiles_say_how_probable_neither_is(client: FlaskClient, job: UUID) -> None:
    page = client.get(f"/jobs/{job}?neither=probable").text
    assert 'data-count="probably_neither">3<' in page
    assert '<span class="dot" title="Probably neither">Neither?</span><span>97 %</span>' in page
    assert "the model: probably neither, 80 %" in page
    assert "p/doubt.jpg" not in page
    image = re.search(r'data-image="(\d+)"', page)
    assert image is not None
    assert "Unsure, probably neither" in client.get(f"/jobs/{job}/images/{image[1]}").text


def test_all_of_them_are_labelled_in_one_act_and_undone_in_one(browser: FlaskClient, db: Database, job: UUID) -> None:
    page = browser.get(f"/jobs/{job}/neither").text
    assert "Label 2 pictures “neither”?" in page
    sent = _fields(page, "csrf_token", "id", "n")
    done = browser.post(f"/jobs/{job}/neither", data=sent, follow_redirects=True).text
    assert "2 pictures labelled “neither”." in done
    assert "Nothing left to label" in done
    assert words(db, job) == [None, None, "neither", "neither", "dog"]
    undo = _fields(done, "csrf_token", "id", "batch")
    undone = browser.post(f"/jobs/{job}/neither/undo", data=undo, follow_redirects=True).text
    assert "2 labels undone." in undone
    assert words(db, job) == [None, None, None, None, "dog"]


def test_when_their_number_has_changed_nothing_is_labelled(browser: FlaskClient, db: Database, job: UUID) -> None:
    sent = _fields(browser.get(f"/jobs/{job}/neither").text, "csrf_token", "id", "n")
    browser.patch(f"/api/v1/jobs/{job}", json={"threshold": 0.2}, headers={"X-CSRF-Token": sent["csrf_token"]})
    page = browser.post(f"/jobs/{job}/neither", data=sent, follow_redirects=True).text
    assert "The number of pictures has changed" in page
    assert "Label 1 picture “neither”?" in page
    assert words(db, job) == [None, None, None, None, "dog"]


def test_in_the_sorted_zip_they_have_a_folder_of_their_own(client: FlaskClient, job: UUID) -> None:
    def names(query: str) -> set[str]:
        answer = client.get(f"/api/v1/jobs/{job}/export.zip{query}")
        return {name for name in zipfile.ZipFile(io.BytesIO(answer.data)).namelist() if name.endswith(".jpg")}

    rest = {"cat/p/cat.jpg", "unsure/p/doubt.jpg"}
    neither = {f"unsure/probably_neither/p/{name}.jpg" for name in ("corridor", "squirrel")}
    assert names("") == rest | neither | {"dog/p/known.jpg"}
    assert names("?by=model") == rest | neither | {"unsure/probably_neither/p/known.jpg"}


def test_the_review_says_what_is_left_of_both_kinds(client: FlaskClient, job: UUID) -> None:
    page = client.get(f"/jobs/{job}/review").text
    assert 'data-count="unsure">1<' in page
    assert 'data-count="neither">2<' in page
    squirrel = client.get(f"/api/v1/jobs/{job}/results?path=squirrel").json
    assert squirrel is not None
    shown = client.get(f"/jobs/{job}/review?image={squirrel['items'][0]['image_id']}").text
    assert "Probably neither 60 %" in shown


def test_the_review_appears_before_many_labels_are_counted(
    client: FlaskClient, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_progress, "FEW", 0)
    page = client.get(f"/jobs/{job}/review").text
    assert "data-uncounted" in page
    assert 'data-count="reviewed">…<' in page
    counted = client.get(f"/jobs/{job}/review?count=1").text
    assert "data-uncounted" not in counted
    assert 'data-count="reviewed">1<' in counted

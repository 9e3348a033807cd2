"""Withdrawing the labels of folders, after a question with their number."""

from flask.testing import FlaskClient

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_labelled, make_training, make_upload


def test_the_page_says_how_many_labels_there_are_and_withdraws_them(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_labelled(db, blobs, n_each=2))
    assert f"/jobs/{job}/folder-labels" in client.get(f"/jobs/{job}/corrections").text
    assert "Withdraw 4 labels of folders?" in client.get(f"/jobs/{job}/folder-labels").text
    answer = client.post(f"/jobs/{job}/folder-labels", follow_redirects=True)
    assert "4 labels withdrawn" in answer.text
    assert "No labels of folders" in answer.text
    assert f"/jobs/{job}/folder-labels" not in client.get(f"/jobs/{job}/corrections").text


def test_a_training_may_have_labels_of_several_uploads(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    training = make_training(db, make_labelled(db, blobs, n_each=30))
    assert "Withdraw 60 labels" in client.get(f"/jobs/{training}/folder-labels").text
    assert "60 labels withdrawn" in client.post(f"/jobs/{training}/folder-labels", follow_redirects=True).text


def test_an_upload_without_labels_has_nothing_to_withdraw(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, {"a.jpg": draw_picture(1)}))
    assert "folder-labels" not in client.get(f"/jobs/{job}/corrections").text
    assert "<form" not in client.get(f"/jobs/{job}/folder-labels").text.partition("<main")[2].partition("</main")[0]

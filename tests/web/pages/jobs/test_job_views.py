"""A job's pictures as pages and over HTTP: landmarks, the histogram, one picture, the threshold."""

import re
from html import unescape
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from core.base.database import Database
from core.base.errors import ErrorCode
from core.ingest import shard_rows
from core.jobs.navigation import Bin
from core.orm.results import Result
from core.storage.blobs import Blobs
from core.uploads import uploads
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job
from web.pages.jobs.histogram import HEIGHT, N_BARS, make_bars

DATABASES = ("sqlite",)
SAID: dict[str, tuple[float, float] | ErrorCode] = {
    "zoo/a/tiger.jpg": (0.95, 0.03),
    "zoo/a/wolf.jpg": (0.02, 0.97),
    "zoo/b/fox.jpg": (0.41, 0.45),
    "zoo/b/broken.jpg": ErrorCode.TRUNCATED,
}


@pytest.fixture
def job(app: object, db: Database, blobs: Blobs) -> UUID:
    job = make_job(db, make_upload(db, blobs, files={path: draw_picture(n) for n, path in enumerate(SAID)}))
    run_job(db, job, SAID)
    return job


def image_of(db: Database, job: UUID, name: str) -> int:
    return next(row.image_id for row in read_results(db, job) if row.path.endswith(name))


def test_landmarks_count_a_view(client: FlaskClient, job: UUID) -> None:
    body = client.get(f"/api/v1/jobs/{job}/results/landmarks?every=10&folder=zoo/a").json
    assert body == {"n": 2, "every": 10, "cursors": []}


def test_the_histogram_has_every_good_result(client: FlaskClient, job: UUID) -> None:
    body = client.get(f"/api/v1/jobs/{job}/histogram").json
    bins = {"cat": [[950, 1]], "dog": [[450, 1], [970, 1]]}
    assert body == {"threshold": 0.8, "bins": bins, "neither": [], "n_failed": 1}


def test_the_histogram_and_the_counts_follow_the_filter(client: FlaskClient, job: UUID) -> None:
    body = client.get(f"/api/v1/jobs/{job}/histogram?folder=zoo/b").json
    assert body == {"threshold": 0.8, "bins": {"cat": [], "dog": [[450, 1]]}, "neither": [], "n_failed": 1}
    page = client.get(f"/jobs/{job}?folder=zoo/b").text
    counts = dict(re.findall(r'data-count="(\w+)">([\d,]+)<', page))
    assert counts == {"sorted": "2", "cat": "0", "dog": "0", "unsure": "1", "probably_neither": "0", "failed": "1"}


def test_bars_stand_on_each_other_and_none_is_too_small_to_see() -> None:
    bars = make_bars([Bin(0, 1000, 10_000, 0), Bin(1, 999, 10_000, 0), Bin(0, 0, 1, 0)])
    assert len(bars) == 3
    lone, cat, dog = sorted(bars, key=lambda bar: (bar.x, bar.label))
    assert lone.height >= 2
    assert (cat.x, cat.height) == (dog.x, dog.height)
    assert cat.height + dog.height == pytest.approx(HEIGHT)
    assert dog.y == pytest.approx(cat.y - dog.height)
    assert cat.x > 1000 - 1000 / N_BARS - 1


def test_a_job_of_an_earlier_time_says_that_it_has_no_order_of_looks(
    browser: FlaskClient, db: Database, job: UUID
) -> None:
    chosen, refused = '<option value="alike">', '<option value="alike" disabled>'
    page = browser.get(f"/jobs/{job}").text
    assert chosen in page
    with db.write() as session:
        session.execute(update(Result).values(similarity_key=0))  # as the migration left them
    page = browser.get(f"/jobs/{job}").text
    assert refused in page
    assert "Pictures can’t be sorted by similarity here" in page
    assert f'<a href="/jobs/{job}/again">Classify it again</a>' in page


def test_a_picture_has_a_page_with_everything_known_of_it(client: FlaskClient, db: Database, job: UUID) -> None:
    page = unescape(client.get(f"/jobs/{job}/images/{image_of(db, job, 'fox.jpg')}?sort=confidence").text)
    assert "Unsure; 45 % is below the threshold of 80 %" in page
    assert "zoo/b/fox.jpg" in page
    assert re.search(r"Neither</dt><dd[^>]*><meter[^>]*></meter> 14\.00 %", page)
    assert f"/jobs/{job}/images/{image_of(db, job, 'tiger.jpg')}?sort=confidence" in page  # the next one


def test_a_broken_picture_says_what_to_do(client: FlaskClient, db: Database, job: UUID) -> None:
    broken = image_of(db, job, "broken.jpg")
    page = client.get(f"/jobs/{job}/images/{broken}").text
    assert ErrorCode.TRUNCATED.sentence in unescape(page)
    assert f"/api/v1/images/{broken}/thumbnail" not in page


def test_a_picture_of_another_job_is_not_found(client: FlaskClient, db: Database, blobs: Blobs, job: UUID) -> None:
    other = make_job(db, make_upload(db, blobs))
    run_job(db, other)
    assert client.get(f"/jobs/{job}/images/{read_results(db, other)[0].image_id}").status_code == 404


def test_the_threshold_moves_without_javascript(client: FlaskClient, job: UUID) -> None:
    assert client.post(f"/jobs/{job}/threshold", data={"threshold": "40"}).status_code == 303
    body = client.get(f"/api/v1/jobs/{job}").json
    assert body is not None
    assert (body["threshold"], body["counts"]["by_label"]) == (0.4, {"cat": 1, "dog": 2, "unsure": 0})


def test_folders_narrow_the_pictures(client: FlaskClient, job: UUID) -> None:
    page = client.get(f"/jobs/{job}").text
    links = [unescape(link) for link in re.findall(r'href="(/jobs/[^"]*folder=[^"]*)"', page)]
    assert sorted(link.rpartition("=")[2] for link in links) == ["zoo/a", "zoo/b"]
    below = client.get(links[0]).text
    assert ("tiger.jpg" in below) != ("fox.jpg" in below)
    assert "All folders" in below


def draw(db: Database, job: UUID, name: str, heat: bytes | None) -> None:
    with db.write() as session:
        session.execute(update(Result).where(Result.image_id == image_of(db, job, name)).values(heat=heat))


@pytest.mark.parametrize(
    ("place", "words"), [(0, "at the top left"), (24, "in the middle"), (27, "at the right"), (45, "at the bottom")]
)
def test_a_heat_map_lies_over_the_picture_and_is_told_in_words(
    client: FlaskClient, db: Database, job: UUID, place: int, words: str
) -> None:
    draw(db, job, "tiger.jpg", bytes(255 if n == place else 0 for n in range(49)))
    page = client.get(f"/jobs/{job}/images/{image_of(db, job, 'tiger.jpg')}").text
    assert f"The evidence for “cat” is {words}." in page
    darkness = re.findall(r'<rect [^>]*fill="#000" fill-opacity="([\d.]+)"', page)
    assert [n for n, dark in enumerate(darkness) if dark == "0.00"] == [place]
    assert len(darkness) == 49


@pytest.mark.parametrize(("heat", "says"), [(None, False), (bytes(49), True)])
def test_nothing_is_drawn_where_there_is_nothing_to_see(
    client: FlaskClient, db: Database, job: UUID, heat: bytes | None, says: bool
) -> None:
    draw(db, job, "tiger.jpg", heat)
    page = client.get(f"/jobs/{job}/images/{image_of(db, job, 'tiger.jpg')}").text
    assert "data-heat" not in page
    assert ("found no particular evidence" in page) == says


def test_a_job_without_a_picture_offers_only_what_makes_sense(client: FlaskClient, db: Database) -> None:
    upload = uuid4()
    with db.write() as session:
        uploads.create_upload(session, as_owner(session), upload, "nothing")
        shard_rows.complete_upload(session, as_owner(session), upload, partial=True)
    page = client.get(f"/jobs/{make_job(db, upload)}").text
    assert "none of the uploaded files could be sorted" in page
    for offer in ("Is it right?", "How sure the model was", "downloads-title", "Confirm all"):
        assert offer not in page


def test_a_job_that_is_done_can_be_filtered_and_an_empty_one_has_nothing_to_filter(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    done = make_job(db, make_upload(db, blobs))
    run_job(db, done)
    nothing = uuid4()
    with db.write() as session:
        uploads.create_upload(session, as_owner(session), nothing, "Nothing in it")
        shard_rows.complete_upload(session, as_owner(session), nothing, partial=True)
    empty = make_job(db, nothing)
    assert "data-filter " in client.get(f"/jobs/{done}").text
    assert "data-filter " not in client.get(f"/jobs/{empty}").text


def test_a_form_labels_a_picture_shows_the_next_one_and_undoes(client: FlaskClient, db: Database, job: UUID) -> None:
    tiger, wolf = (f"/jobs/{job}/images/{image_of(db, job, name)}?sort=path" for name in ("tiger.jpg", "wolf.jpg"))
    answer = client.post(tiger, data={"label": "dog"})
    assert answer.location.startswith(f"{wolf}&steps=")
    page = client.get(answer.location).text
    assert [row.human_label for row in read_results(db, job)] == ["dog", None, None, None]
    steps = re.findall(r'name="steps" value="([^"]+)"', page)[0]
    assert client.post(wolf, data={"undo": "1", "steps": steps}).location == tiger
    assert {row.human_label for row in read_results(db, job)} == {None}
    assert 'name="undo"' not in client.get(tiger).text


@pytest.mark.parametrize(("name", "proposed"), [("tiger.jpg", "cat"), ("fox.jpg", None)])
def test_the_form_confirms_what_the_model_is_sure_of(
    client: FlaskClient, db: Database, job: UUID, name: str, proposed: str | None
) -> None:
    page = client.get(f"/jobs/{job}/images/{image_of(db, job, name)}").text
    confirms = re.findall(r'value="(\w+)" aria-keyshortcuts="Enter"', page)
    assert confirms == ([proposed] if proposed else [])


def test_only_neighbours_that_can_be_shown_are_fetched_ahead(client: FlaskClient, db: Database, job: UUID) -> None:
    page = client.get(f"/jobs/{job}/images/{image_of(db, job, 'fox.jpg')}").text
    ahead = re.findall(r'rel="(\w+)" data-ahead="/api/v1/images/(\d+)/', page)
    assert ahead == [("prev", str(image_of(db, job, "wolf.jpg")))]
    assert f"/images/{image_of(db, job, 'broken.jpg')}" in page

"""What people and folders say: the newest counts, people outrank folders, nothing is overwritten."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select

from core.accounts import accounts
from core.base.database import Database
from core.base.errors import Invalid, NotFound
from core.labels import history, labels
from core.labels.labels import NewLabel, label_of_path
from core.labels.undo import find_newest_labels, find_valid_labels
from core.orm.labels import Label
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")


def classified(db: Database, blobs: Blobs, files: dict[str, bytes], labelled: bool = False) -> UUID:
    job = make_job(db, make_upload(db, blobs, files, labelled=labelled))
    run_job(db, job)
    return job


def say(db: Database, image_id: int, label: str | None) -> None:
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, label)])


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("photos/cats/1.jpg", "cat"),
        ("photos/Dog/old/1.jpg", "dog"),
        ("cats/dogs/1.jpg", "dog"),
        ("neither/1.jpg", "neither"),
        ("photos/cats.jpg", None),
        ("catsss/1.jpg", None),
        ("unsure/1.jpg", None),
    ],
)
def test_the_nearest_folder_with_a_known_name_gives_the_label(path: str, label: str | None) -> None:
    assert label_of_path(path) == label


def test_a_labelled_upload_takes_its_labels_from_the_folders(db: Database, blobs: Blobs) -> None:
    files = {"p/cats/1.jpg": draw_picture(1), "p/dogs/2.jpg": draw_picture(2), "p/3.jpg": draw_picture(3)}
    job = classified(db, blobs, files, labelled=True)
    assert [row.human_label for row in read_results(db, job)] == ["cat", "dog", None]


def test_a_correction_counts_wherever_its_content_appears(db: Database, blobs: Blobs) -> None:
    same = draw_picture(1)
    first = classified(db, blobs, {"a/1.jpg": same, "a/2.jpg": draw_picture(2)})
    second = classified(db, blobs, {"b/other name.jpg": same})
    say(db, read_results(db, first)[0].image_id, "dog")
    assert [row.human_label for row in read_results(db, first)] == ["dog", None]
    (row,) = read_results(db, second)
    assert (row.label, row.human_label, row.final_label) == ("cat", "dog", "dog")


def test_people_outrank_folders_and_undoing_brings_the_folder_back(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"cats/1.jpg": draw_picture(1)}, labelled=True)
    image_id = read_results(db, job)[0].image_id
    key = uuid4()
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, "neither", key=key)])
    assert read_results(db, job)[0].human_label == "neither"
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, None, undoes=key)])
    assert read_results(db, job)[0].human_label == "cat"


def test_the_newest_word_counts_and_the_older_ones_are_kept(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"x/1.jpg": draw_picture(1)})
    image_id = read_results(db, job)[0].image_id
    for label in ("cat", "dog", None, "cat"):
        say(db, image_id, label)
    assert read_results(db, job)[0].human_label == "cat"
    with db.read() as session:
        assert [row.label for row in session.query(Label).order_by(Label.id)] == ["cat", "dog", None, "cat"]


def test_an_unknown_label_writes_nothing(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"x/1.jpg": draw_picture(1), "x/2.jpg": draw_picture(2)})
    one, two = (row.image_id for row in read_results(db, job))
    with pytest.raises(Invalid, match="bird"), db.write() as session:
        labels.add_labels(session, None, [NewLabel(one, "cat"), NewLabel(two, "bird")])
    assert read_results(db, job)[0].human_label is None


def test_a_label_for_an_unknown_image_writes_nothing(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"x/1.jpg": draw_picture(1)})
    image_id = read_results(db, job)[0].image_id
    with pytest.raises(NotFound), db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, "cat"), NewLabel(10**9, "cat")])
    assert read_results(db, job)[0].human_label is None


def test_a_label_that_is_sent_twice_is_written_once(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"x/1.jpg": draw_picture(1), "x/2.jpg": draw_picture(2)})
    one, two = (row.image_id for row in read_results(db, job))
    key = uuid4()
    with db.write() as session:
        assert labels.add_labels(session, None, [NewLabel(one, "cat", key=key)]) == 1
    with db.write() as session:
        both = [NewLabel(one, "cat", key=key), NewLabel(two, "dog", key=uuid4())]
        assert labels.add_labels(session, None, both) == 1
    with db.read() as session:
        assert [row.label for row in session.query(Label).order_by(Label.id)] == ["cat", "dog"]


def test_taking_back_restores_what_was_said_before_to_any_depth(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"dogs/1.jpg": draw_picture(1)}, labelled=True)
    image_id = read_results(db, job)[0].image_id
    keys = [uuid4() for _ in range(3)]
    with db.write() as session:
        said = [NewLabel(image_id, label, key=key) for label, key in zip(("cat", "dog", "neither"), keys, strict=True)]
        labels.add_labels(session, None, said)
    seen = []
    for key in reversed(keys):
        with db.write() as session:
            labels.add_labels(session, None, [NewLabel(image_id, None, undoes=key)])
        seen.append(read_results(db, job)[0].human_label)
    assert seen == ["dog", "cat", "dog"], "the last one is the folder's again"
    with db.read() as session:
        assert session.query(Label).count() == 7, "nothing is ever removed"


def test_labels_and_their_undoing_in_one_call_end_as_one_after_the_other(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"x/1.jpg": draw_picture(1), "x/2.jpg": draw_picture(2)})
    one, two = (row.image_id for row in read_results(db, job))
    first, second, third = uuid4(), uuid4(), uuid4()
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(one, "cat", key=first), NewLabel(two, "dog")])
    items = [
        NewLabel(one, "dog", key=second),
        NewLabel(one, None, undoes=second),
        NewLabel(one, None, undoes=first),
        NewLabel(one, "neither", key=third),
        NewLabel(two, None, undoes=third),  # of the other picture
    ]
    with db.write() as session:
        assert labels.add_labels(session, None, items) == 4
    assert [row.human_label for row in read_results(db, job)] == ["neither", "dog"]
    with db.write() as session:
        assert labels.add_labels(session, None, [NewLabel(one, None, undoes=third)]) == 1
    assert [row.human_label for row in read_results(db, job)] == [None, "dog"]


def test_a_thousand_labels_and_their_undoing_take_a_few_statements(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {f"x/{n}.jpg": draw_picture(n) for n in range(4)})
    images = [row.image_id for row in read_results(db, job)]
    keys = [uuid4() for _ in range(500)]
    pairs = [
        (NewLabel(images[n % 4], "cat", key=key), NewLabel(images[n % 4], None, undoes=key))
        for n, key in enumerate(keys)
    ]
    statements: list[str] = []
    with db.write() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *said: statements.append(said[2]))
        assert labels.add_labels(session, None, [one for pair in pairs for one in pair]) == 1000
    assert len(statements) < 10
    assert [row.human_label for row in read_results(db, job)] == [None] * 4


def test_undoing_reads_the_newest_labels_of_a_long_history_alone(db: Database, blobs: Blobs) -> None:
    image_id = read_results(db, classified(db, blobs, {"x/1.jpg": draw_picture(1)}))[0].image_id
    key = uuid4()
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, "cat")] * 50 + [NewLabel(image_id, "dog", key=key)])
        sha256 = session.scalars(select(Label.sha256).limit(1)).one()
        newest = find_newest_labels(session, {sha256: 2})[sha256]
        assert [one.label for one in newest] == ["cat", "dog"]
        assert newest == find_valid_labels(session, [sha256])[sha256][-2:]


def test_what_somebody_said_since_then_is_not_taken_back(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"x/1.jpg": draw_picture(1)})
    image_id = read_results(db, job)[0].image_id
    key = uuid4()
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, "cat", key=key), NewLabel(image_id, "dog")])
    with db.write() as session:
        assert labels.add_labels(session, None, [NewLabel(image_id, None, undoes=key)]) == 0
    assert read_results(db, job)[0].human_label == "dog"


def test_the_history_of_an_image_says_who_why_and_what_counts(db: Database, blobs: Blobs) -> None:
    job = classified(db, blobs, {"cats/1.jpg": draw_picture(1)}, labelled=True)
    image_id = read_results(db, job)[0].image_id
    key = uuid4()
    with db.write() as session:
        owner = accounts.get_or_create_owner(session)
        labels.add_labels(session, owner.id, [NewLabel(image_id, "dog"), NewLabel(image_id, "neither", key=key)])
        labels.add_labels(session, owner.id, [NewLabel(image_id, None, undoes=key)])
    with db.read() as session:
        page = history.list_history(session, image_id, None, 3)
        rest = history.list_history(session, image_id, page.next, 3)
    rows = [*page.items, *rest.items]
    assert [(row.label, row.source, row.user, row.is_undone, row.counts) for row in rows] == [
        ("dog", "correction", "owner", False, False),
        ("neither", "correction", "owner", True, False),
        ("dog", "correction", "owner", False, True),
        ("cat", "folder", "owner", False, False),
    ]
    assert rows[0].undoes == rows[1].id
    assert rows[0].path == "cats/1.jpg"

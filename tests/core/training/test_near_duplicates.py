"""Contents that are nearly the same share a part; what is like two parts is used for none."""

import pytest
from sqlalchemy import select

from core.base.database import Database
from core.labels.labels import NewLabel, add_labels
from core.orm.training import ContentSplit
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import near_duplicates
from core.training.splits import Split, find_splits, split_of
from tests.support.factories import make_upload


def content(part: Split, number: int = 0) -> bytes:
    """A content that the rule would put into a part."""
    digit = {Split.TRAINING: 0, Split.VALIDATION: 8, Split.TEST: 9}[part]
    sha256 = (digit + 10 * number).to_bytes(8, "big") + bytes(24)
    assert split_of(sha256) == part
    return sha256


def settle(db: Database, *pairs: tuple[bytes, bytes], known: dict[bytes, Split] | None = None) -> dict[bytes, Split]:
    with db.write() as session:
        session.add_all(ContentSplit(sha256=sha256, part=part) for sha256, part in (known or {}).items())
        session.flush()
        contents = {one for pair in pairs for one in pair}
        near_duplicates.record_groups(session, contents, pairs)
    with db.read() as session:
        return find_splits(session, contents)


T, T2, V, J = (content(Split.TRAINING), content(Split.TRAINING, 1), content(Split.VALIDATION), content(Split.TEST))


def bridges(db: Database) -> set[bytes]:
    with db.read() as session:
        return near_duplicates.find_bridges(session)


def test_new_contents_that_are_alike_get_one_part(db: Database) -> None:
    parts = settle(db, (T, J), (J, V))
    assert len(set(parts.values())) == 1
    assert bridges(db) == set()


def test_a_new_content_takes_the_part_of_what_it_is_like(db: Database) -> None:
    assert settle(db, (J, T), known={J: Split.TEST})[T] == Split.TEST
    assert bridges(db) == set()


def test_a_part_is_handed_on_from_one_to_the_next(db: Database) -> None:
    parts = settle(db, (J, T), (T, T2), (T2, V), known={J: Split.TEST})
    assert set(parts.values()) == {Split.TEST}


def test_what_is_like_two_parts_is_used_for_none(db: Database) -> None:
    settle(db, (J, V), (V, T), known={J: Split.TEST, T: Split.TRAINING})
    assert bridges(db) == {V}


def test_of_two_that_had_parts_before_the_one_that_judges_stays(db: Database) -> None:
    parts = settle(db, (J, T), known={J: Split.TEST, T: Split.TRAINING})
    assert (parts[J], parts[T]) == (Split.TEST, Split.TRAINING)
    assert bridges(db) == {T}


def test_settling_again_changes_nothing_and_forgets_what_is_no_longer_alike(db: Database) -> None:
    first = settle(db, (J, T))
    assert settle(db, (J, T)) == first
    with db.write() as session:
        near_duplicates.record_groups(session, [J, T], [])
        assert near_duplicates.find_images(session, min(J, T)) == []


def test_groups_that_contradict_themselves_come_first(db: Database, blobs: Blobs) -> None:
    make_upload(db, blobs)
    with db.write() as session:
        images = session.scalars(select(Image).order_by(Image.id)).all()
        a, b, c, d = (image.sha256 for image in images)
        near_duplicates.record_groups(session, [a, b, c, d], [(a, b), (c, d)])
        add_labels(session, None, [NewLabel(images[2].id, "cat"), NewLabel(images[3].id, "dog")])
    with db.read() as session:
        groups, n = near_duplicates.list_groups(session, 10)
        second, _ = near_duplicates.list_groups(session, 10, skipped=1)
    assert n == 2
    assert [group.group_id for group in second] == [groups[1].group_id]
    assert [sorted(member.image_id for member in group.members) for group in groups] == [
        [images[2].id, images[3].id],
        [images[0].id, images[1].id],
    ]
    assert groups[0].labels == {"cat", "dog"}
    assert [(len(group.labels), group.n_unlabelled) for group in groups] == [(2, 0), (0, 2)]


def test_groups_are_found_by_name_and_by_whether_their_labels_agree(db: Database, blobs: Blobs) -> None:
    make_upload(db, blobs)
    with db.write() as session:
        images = session.scalars(select(Image).order_by(Image.id)).all()
        a, b, c, d = (image.sha256 for image in images)
        near_duplicates.record_groups(session, [a, b, c, d], [(a, b), (c, d)])
        add_labels(session, None, [NewLabel(image.id, "cat") for image in images[2:]])
    with db.read() as session:

        def found(path: str = "", *, is_decided: bool | None = None) -> list[int]:
            groups, _ = near_duplicates.list_groups(session, 10, path, is_decided=is_decided)
            return [min(member.image_id for member in group.members) for group in groups]

        assert found(is_decided=True) == found(images[3].path.upper()) == [images[2].id]
        assert found(is_decided=False) == found(images[0].path) == [images[0].id]
        assert found(images[0].path, is_decided=True) == []


@pytest.mark.parametrize("n", [0, 1200])
def test_sketches_are_kept_once(db: Database, n: int) -> None:
    drawn = {number.to_bytes(32, "big"): bytes([number % 256]) * 1024 for number in range(n)}
    with db.write() as session:
        near_duplicates.add_sketches(session, drawn)
        near_duplicates.add_sketches(session, dict.fromkeys(list(drawn)[:3], b"other"))
        assert near_duplicates.find_sketches(session, drawn.keys()) == drawn

"""Parts: given once, kept for good, the same for equal contents."""

import hashlib
import threading

from sqlalchemy import select

from core.base.database import Database
from core.orm.training import ContentSplit
from core.training.splits import Split, assign_splits, find_splits, split_of

CONTENTS = [hashlib.sha256(b"%d" % n).digest() for n in range(1200)]


def test_the_rule_reads_the_first_eight_bytes_modulo_ten() -> None:
    digits = [(split_of(n.to_bytes(8, "big") + bytes(24))) for n in (10, 7, 8, 9, 19, 28)]
    assert digits == [Split.TRAINING, Split.TRAINING, Split.VALIDATION, Split.TEST, Split.TEST, Split.VALIDATION]


def test_about_eight_in_ten_contents_are_for_training(db: Database) -> None:
    with db.write() as session:
        given = list(assign_splits(session, CONTENTS).values())
    assert 0.75 < given.count(Split.TRAINING) / len(CONTENTS) < 0.85
    assert given.count(Split.VALIDATION) > 80
    assert given.count(Split.TEST) > 80


def test_a_content_keeps_the_part_that_it_has_whatever_the_rule_says(db: Database) -> None:
    kept = next(content for content in CONTENTS if split_of(content) == Split.TRAINING)
    with db.write() as session:
        session.add(ContentSplit(sha256=kept, part=Split.TEST))
    with db.write() as session:
        assert find_splits(session, [kept]) == {kept: Split.TEST}
        assert assign_splits(session, [*CONTENTS[:10], kept])[kept] == Split.TEST


def test_looking_assigns_nothing(db: Database) -> None:
    with db.write() as session:
        assert find_splits(session, CONTENTS[:3]) == {content: split_of(content) for content in CONTENTS[:3]}
    with db.read() as session:
        assert session.scalars(select(ContentSplit)).all() == []


def test_two_who_assign_the_same_contents_at_once_both_succeed(db: Database) -> None:
    given: list[dict[bytes, Split]] = []

    def assign(contents: list[bytes]) -> None:
        with db.write() as session:
            given.append(assign_splits(session, contents))

    threads = [threading.Thread(target=assign, args=(list(reversed(CONTENTS)) if n else CONTENTS,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 2
    assert given[0] == given[1]

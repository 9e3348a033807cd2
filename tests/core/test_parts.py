"""Parts: given once, kept for good, the same for equal contents."""

import hashlib
import threading

from sqlalchemy import select

from core.base.database import Database
from core.orm.training import ContentPart
from core.training.splits import Part, assign_parts, find_parts, part_of

CONTENTS = [hashlib.sha256(b"%d" % n).digest() for n in range(1200)]


def test_the_rule_reads_the_first_eight_bytes_modulo_ten() -> None:
    digits = [(part_of(n.to_bytes(8, "big") + bytes(24))) for n in (10, 7, 8, 9, 19, 28)]
    assert digits == [Part.TRAINING, Part.TRAINING, Part.VALIDATION, Part.JUDGING, Part.JUDGING, Part.VALIDATION]


def test_about_eight_in_ten_contents_are_for_training(db: Database) -> None:
    with db.write() as session:
        given = list(assign_parts(session, CONTENTS).values())
    assert 0.75 < given.count(Part.TRAINING) / len(CONTENTS) < 0.85
    assert given.count(Part.VALIDATION) > 80
    assert given.count(Part.JUDGING) > 80


def test_a_content_keeps_the_part_that_it_has_whatever_the_rule_says(db: Database) -> None:
    kept = next(content for content in CONTENTS if part_of(content) == Part.TRAINING)
    with db.write() as session:
        session.add(ContentPart(sha256=kept, part=Part.JUDGING))
    with db.write() as session:
        assert find_parts(session, [kept]) == {kept: Part.JUDGING}
        assert assign_parts(session, [*CONTENTS[:10], kept])[kept] == Part.JUDGING


def test_looking_assigns_nothing(db: Database) -> None:
    with db.write() as session:
        assert find_parts(session, CONTENTS[:3]) == {content: part_of(content) for content in CONTENTS[:3]}
    with db.read() as session:
        assert session.scalars(select(ContentPart)).all() == []


def test_two_who_assign_the_same_contents_at_once_both_succeed(db: Database) -> None:
    given: list[dict[bytes, Part]] = []

    def assign(contents: list[bytes]) -> None:
        with db.write() as session:
            given.append(assign_parts(session, contents))

    threads = [threading.Thread(target=assign, args=(list(reversed(CONTENTS)) if n else CONTENTS,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 2
    assert given[0] == given[1]

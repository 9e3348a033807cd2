"""Near-duplicates: almost identical contents share a split, and are labelled together.

    pairs ─► groups ─► splits: a new content gets that of its near-duplicates; with two of them, it is used in none

An assigned split stays. Where near-duplicates were assigned to different splits before they were compared, the one
outside the test split is the bridge: the test split does not change.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from core.base.database import insert_or, slices
from core.labels.labels import human_label_of
from core.orm.training import NearDuplicate, Sketch
from core.orm.uploads import Image, Upload
from core.training.splits import Split, assign, find_assigned, split_of

Pair = tuple[bytes, bytes]


def find_sketches(session: Session, contents: Collection[bytes]) -> dict[bytes, bytes]:
    """The sketches that are known of these contents."""
    sketches: dict[bytes, bytes] = {}
    for some in slices(sorted(contents)):
        rows = session.execute(select(Sketch.sha256, Sketch.greys).where(Sketch.sha256.in_(some)))
        sketches |= {row.sha256: row.greys for row in rows}
    return sketches


def add_sketches(session: Session, sketches: Mapping[bytes, bytes]) -> None:
    """Keep sketches; those that are known stay."""
    once = insert_or(session, Sketch)
    rows = [{"sha256": sha256, "greys": greys} for sha256, greys in sorted(sketches.items())]
    if rows:
        session.execute(once.on_conflict_do_nothing(index_elements=["sha256"]), rows)


def record_groups(session: Session, contents: Collection[bytes], pairs: Collection[Pair]) -> None:
    """Write the groups of near-duplicates, and assign splits to those of them that have none.

    Args:
        contents: All that were compared with each other.
        pairs: Which of them are near-duplicates.
    """
    near: dict[bytes, set[bytes]] = defaultdict(set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    known = find_assigned(session, near)
    given, bridges = _share_out(near, known)
    group_of = {sha256: min(group) for group in _groups(near) for sha256 in group}
    for some in slices(sorted(contents)):
        session.execute(delete(NearDuplicate).where(NearDuplicate.sha256.in_(some)))
    if group_of:
        rows = [
            {"sha256": sha256, "group_id": group_id, "is_bridge": sha256 in bridges}
            for sha256, group_id in sorted(group_of.items())
        ]
        session.execute(insert(NearDuplicate), rows)
    assign(session, {sha256: part for sha256, part in given.items() if sha256 not in known})


def _share_out(near: Mapping[bytes, set[bytes]], known: Mapping[bytes, Split]) -> tuple[dict[bytes, Split], set[bytes]]:
    """The split of each content, and those that are used in none."""
    given = dict(known)
    bridges = {
        one
        for one, part in known.items()
        if part != Split.TEST and any(given.get(other, part) != part for other in near[one] if other in known)
    }
    waiting = sorted(near.keys() - known.keys())
    while waiting:
        touched = [one for one in waiting if any(other in given and other not in bridges for other in near[one])]
        for one in touched or waiting[:1]:
            parts = {given[other] for other in near[one] if other in given and other not in bridges}
            if len(parts) > 1:
                bridges.add(one)
            given[one] = parts.pop() if parts else split_of(one)
        done = set(touched or waiting[:1])
        waiting = [one for one in waiting if one not in done]
    return given, bridges


def _groups(near: Mapping[bytes, set[bytes]]) -> Iterator[set[bytes]]:
    left = set(near)
    while left:
        group, edge = set[bytes](), {left.pop()}
        while edge:
            group |= edge
            edge = {other for one in edge for other in near[one]} - group
        left -= group
        yield group


def list_duplicates(session: Session) -> set[bytes]:
    """All contents that have near-duplicates."""
    return set(session.scalars(select(NearDuplicate.sha256)))


def find_bridges(session: Session) -> set[bytes]:
    """Contents that are used in no split."""
    return set(session.scalars(select(NearDuplicate.sha256).where(NearDuplicate.is_bridge)))


@dataclass(frozen=True, slots=True)
class Member:
    """One picture of a group."""

    image_id: int
    path: str
    n_bytes: int
    label: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that are near-duplicates of each other."""

    group_id: bytes
    members: list[Member]

    @property
    def labels(self) -> set[str]:
        """Their labels; more than one is a contradiction."""
        return {member.label for member in self.members if member.label is not None}

    @property
    def is_decided(self) -> bool:
        """Whether all have the same label."""
        return self.n_unlabelled == 0 and len(self.labels) == 1

    @property
    def n_unlabelled(self) -> int:
        """How many have no label."""
        return sum(member.label is None for member in self.members)


def list_groups(
    session: Session, limit: int, path_part: str = "", *, is_decided: bool | None = None, skipped: int = 0
) -> tuple[list[Group], int]:
    """Some groups of pictures that are there, and how many match the filter.

    Those whose labels contradict each other come first, then those with the most unlabelled pictures.

    Args:
        path_part: Text that the path of one of the pictures contains, ignoring case.
        is_decided: Whether all pictures of a group have the same label; None for all groups.
        skipped: How many of the first groups are left out.
    """
    query = select(NearDuplicate.group_id, Image.id, Image.path, Image.n_bytes, human_label_of(Image)).join(
        NearDuplicate, NearDuplicate.sha256 == Image.sha256
    )
    members: dict[bytes, list[Member]] = defaultdict(list)
    for group_id, image_id, path, n_bytes, label in session.execute(
        query.where(Image.id.in_(_first_images())).order_by(Image.id)
    ):
        members[group_id].append(Member(image_id, path, n_bytes, label))
    groups = [
        group
        for group in (Group(group_id, some) for group_id, some in members.items() if len(some) > 1)
        if is_decided in (None, group.is_decided)
        and any(path_part.casefold() in member.path.casefold() for member in group.members)
    ]
    groups.sort(key=lambda group: (len(group.labels) < 2, -group.n_unlabelled))
    return groups[skipped : skipped + limit], len(groups)


def find_images(session: Session, group_id: bytes) -> list[int]:
    """One image of each content of a group."""
    return sorted(session.scalars(_first_images().where(NearDuplicate.group_id == group_id)))


def _first_images() -> Select[int]:
    """One image of each content that is in a group and still there."""
    there = select(func.min(Image.id)).join(NearDuplicate, NearDuplicate.sha256 == Image.sha256)
    alive = there.join(Upload, Upload.id == Image.upload_id).where(Upload.deleted_at.is_(None))
    return alive.group_by(Image.sha256)

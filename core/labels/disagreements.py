"""Disagreements: contents that people label differently, from each other or from a folder.

Of each person the newest word counts, and of folders the newest; what was undone or withdrawn says nothing.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts import accounts
from core.base.database import slices
from core.base.states import LabelSource
from core.labels.labels import human_label_of
from core.labels.undo import is_undone, stands
from core.orm.labels import Label
from core.orm.uploads import Image, Upload

PEOPLE, FOLDERS = "people", "folders"
BETWEEN = (PEOPLE, FOLDERS)
LOOKED_AT = 5000  # contents that ever had different labels, the newest first
FOLDER = "the folder"


@dataclass
class Disagreement:
    """One picture and who says what of it, the newest word last. `counts` is what counts now."""

    image_id: int
    path: str
    counts: str | None
    said: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_between_people(self) -> bool:
        """Whether two people contradict each other."""
        return len({label for who, label in self.said if who != FOLDER}) > 1


def list_disagreements(session: Session, between: str, limit: int) -> tuple[list[Disagreement], int]:
    """Pictures over which there is a disagreement, the latest first, and how many there are.

    Args:
        between: `people`: two people contradict each other. `folders`: people contradict a folder.
    """
    found = [one for one in _find(session) if one.is_between_people == (between == PEOPLE)]
    return found[:limit], len(found)


def _find(session: Session) -> list[Disagreement]:
    newest = func.max(Label.id)
    ever = (
        select(Label.sha256)
        .where(Label.label.is_not(None), Label.undoes_id.is_(None), ~is_undone(Label))
        .group_by(Label.sha256)
        .having(func.count(Label.label.distinct()) > 1)
        .order_by(newest.desc())
        .limit(LOOKED_AT)
    )
    contents = list(session.scalars(ever))
    names = accounts.list_names(session)
    words: dict[bytes, dict[str, str]] = defaultdict(dict)
    for some in slices(contents):
        says = Label.label.is_not(None) & stands(Label)
        columns = (Label.sha256, Label.label, Label.source, Label.user_id)
        rows = session.execute(select(*columns).where(Label.sha256.in_(some), says).order_by(Label.id))
        for row in rows:
            who = FOLDER if row.source == LabelSource.FOLDER else names.get(row.user_id or 0, "somebody")
            words[row.sha256].pop(who, None)  # so that the newest word is the last
            words[row.sha256][who] = row.label
    divided = [sha256 for sha256 in contents if len(set(words[sha256].values())) > 1]
    images = _first_images(session, divided)
    return [
        Disagreement(image_id, path, counts, list(words[sha256].items()))
        for sha256 in divided
        if sha256 in images
        for image_id, path, counts in [images[sha256]]
    ]


def _first_images(session: Session, contents: list[bytes]) -> dict[bytes, tuple[int, str, str | None]]:
    images: dict[bytes, tuple[int, str, str | None]] = {}
    for some in slices(contents):
        query = (
            select(Image.sha256, Image.id, Image.path, human_label_of(Image).label("counts"))
            .join(Upload, Upload.id == Image.upload_id)
            .where(Image.sha256.in_(some), Upload.deleted_at.is_(None))
            .order_by(Image.id)
        )
        for sha256, image_id, path, counts in session.execute(query):
            images.setdefault(sha256, (image_id, path, counts))
    return images

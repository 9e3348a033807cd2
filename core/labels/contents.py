"""Contents of images, and images of contents: labels belong to contents."""

from collections.abc import Iterable

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.base.database import slices
from core.base.errors import NotFound
from core.orm.uploads import Image, Upload


def digests_of(session: Session, image_ids: set[int]) -> dict[int, bytes]:
    """The contents of images.

    Raises:
        NotFound: One of them does not exist, or was deleted.
    """
    found: dict[int, bytes] = {}
    for some in slices(sorted(image_ids)):
        alive = Image.id.in_(some) & Upload.deleted_at.is_(None)
        rows = session.execute(select(Image.id, Image.sha256).join(Upload, Upload.id == Image.upload_id).where(alive))
        found |= dict(rows.all())
    if missing := image_ids - found.keys():
        raise NotFound(f"There is no image {min(missing)}; no label was written.")
    return found


def find_images(session: Session, user_id: int, contents: Iterable[bytes]) -> dict[bytes, int]:
    """The image to name in a label of a content: the newest of this person's, else the newest of anybody's.

    A content that is in no upload, or is empty, is left out.
    """
    found: dict[bytes, int] = {}
    own = func.max(case((Upload.user_id == user_id, Image.id)))
    newest = select(Image.sha256, func.coalesce(own, func.max(Image.id))).join(Upload, Upload.id == Image.upload_id)
    is_there = Upload.deleted_at.is_(None) & (Image.n_bytes > 0)
    for some in slices(sorted(set(contents))):
        found |= dict(session.execute(newest.where(Image.sha256.in_(some), is_there).group_by(Image.sha256)).all())
    return found

"""The folders of a job's upload as a filter. A complete upload never changes, so it is counted once and remembered."""

from collections import OrderedDict

from flask import current_app
from sqlalchemy.orm import Session

from core.base.states import UploadState
from core.orm.jobs import Job
from core.orm.uploads import Upload
from core.uploads import folders

REMEMBERED = 64  # uploads; a folder is a hundred bytes
EXTENSION = "pawsort-folders"

QUICK = 5000  # images whose folders are counted in the blink of an eye

Counts = dict[str, int]


def list_folders(session: Session, job: Job, folder: str, *, must_count: bool) -> list[tuple[str, int]] | None:
    """The folders directly in one, with how many files each holds; `""` is the top. One lone folder is passed by.

    Args:
        must_count: Whether somebody asks for them; else None for an upload whose folders would take long to count.
    """
    upload = session.get(Upload, job.upload_id) if job.upload_id else None
    if upload is None:
        return []
    if not must_count and upload.n_images > QUICK and upload.id not in _remembered():
        return None
    counts = _counts(session, upload)
    children = folders.list_children(counts, folder)
    while not folder and len(children) == 1 and (deeper := folders.list_children(counts, children[0][0])):
        children = deeper
    return children


def _counts(session: Session, upload: Upload) -> Counts:
    remembered = _remembered()
    known = remembered.get(upload.id)
    if known is None:
        known = folders.count_folders(session, upload.id)
        if upload.state == UploadState.COMPLETE:
            remembered[upload.id] = known
            while len(remembered) > REMEMBERED:
                remembered.popitem(last=False)
    return known


def _remembered() -> OrderedDict[int, Counts]:
    remembered: OrderedDict[int, Counts] = current_app.extensions.setdefault(EXTENSION, OrderedDict())
    return remembered

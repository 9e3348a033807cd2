"""The folders of a job's upload as a filter. A complete upload never changes, so its counts are cached."""

from collections import OrderedDict

from flask import current_app
from sqlalchemy.orm import Session

from core.base.states import UploadState
from core.orm.jobs import Job
from core.orm.uploads import Upload
from core.uploads import folders

CACHED_UPLOADS = 64  # a folder takes about a hundred bytes
EXTENSION = "pawsort-folders"

QUICK_IMAGES = 5000  # the folders of this many images are counted in a few milliseconds

Counts = dict[str, int]


def list_folders(session: Session, job: Job, folder: str, *, must_count: bool) -> list[tuple[str, int]] | None:
    """The subfolders of a folder with their numbers of files; `""` is the top. A single folder at the top is skipped.

    Args:
        must_count: Count them even if that takes long; otherwise the result is None then.
    """
    upload = session.get(Upload, job.upload_id) if job.upload_id else None
    if upload is None:
        return []
    if not must_count and upload.n_images > QUICK_IMAGES and upload.id not in _cache():
        return None
    counts = _counts(session, upload)
    children = folders.list_children(counts, folder)
    while not folder and len(children) == 1 and (deeper := folders.list_children(counts, children[0][0])):
        children = deeper
    return children


def _counts(session: Session, upload: Upload) -> Counts:
    cache = _cache()
    counted = cache.get(upload.id)
    if counted is None:
        counted = folders.count_folders(session, upload.id)
        if upload.state == UploadState.COMPLETE:
            cache[upload.id] = counted
            while len(cache) > CACHED_UPLOADS:
                cache.popitem(last=False)
    return counted


def _cache() -> OrderedDict[int, Counts]:
    cache: OrderedDict[int, Counts] = current_app.extensions.setdefault(EXTENSION, OrderedDict())
    return cache

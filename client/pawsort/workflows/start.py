"""Starting a job from files on this disk: the upload goes on in a thread of its own."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pawsort.api.errors import ClientError
from pawsort.api.transport import Transport
from pawsort.operations.jobs import Jobs
from pawsort.operations.references import new_id
from pawsort.operations.uploads import Uploads
from pawsort.schemas import Job
from pawsort.uploads.archive_kinds import find_unsupported, is_archive
from pawsort.uploads.background_upload import BackgroundUpload
from pawsort.uploads.display import NO_DISPLAY, UploadDisplay
from pawsort.uploads.shards import Shard
from pawsort.uploads.sources import Found, SkippedPath, count_files, files_of, walk
from pawsort.uploads.transfer import check_quota, limits_of, upload_files
from pawsort.workflows.archives import send_archive
from pawsort.workflows.follow import wait_until_there
from pawsort.workflows.options import JobOptions, name_of, shown_name


class NothingToUpload(ClientError):
    """There are no files; `background` says what there is instead."""

    def __init__(self, places: str, background: BackgroundUpload) -> None:
        super().__init__(f"There are no files in {places}. Give a folder with pictures.")
        self.background = background


@dataclass(frozen=True, slots=True)
class Start:
    """A job that has begun, and the upload of its files."""

    job: Job
    background: BackgroundUpload


def check_paths(paths: Sequence[Path]) -> None:
    """Check that all paths are there and can be uploaded.

    Raises:
        ClientError: One is not, or is an archive that the server does not unpack.
    """
    for path in paths:
        if not path.exists():
            raise ClientError(f"{path} does not exist. Give a folder with pictures, files, or an archive.")
        if kind := find_unsupported(path):
            raise ClientError(
                f"{path}: {kind} archives are not supported. Unpack it and give the folder, or give a tar, a zip,"
                " or a tar compressed with gzip, bzip2, xz or Zstandard. Nothing was uploaded."
            )


def start_classification(transport: Transport, paths: Sequence[Path], options: JobOptions) -> Start:
    """Upload folders and files, or one archive, and classify them.

    Raises:
        ClientError: There is nothing to upload, or it is refused.
    """
    check_paths(paths)
    archives = [path for path in paths if is_archive(path)]
    if archives and len(paths) > 1:
        raise ClientError(f"{archives[0]} is an archive: it is a job of its own. Classify archives one by one.")
    if archives:
        return start_archive(transport, archives[0], options)
    return start_files(transport, name_of(paths), partial(walk, paths, options.everything), options)


def start_files(
    transport: Transport,
    name: str,
    find: Callable[[], Iterator[Found]],
    options: JobOptions,
    display: UploadDisplay = NO_DISPLAY,
) -> Start:
    """Upload files, and classify them while they arrive.

    Args:
        name: Of the job, unless the options have one.
        find: Finds the files; called twice, to count and to send them.
    Raises:
        NothingToUpload: There are none.
    """
    jobs, uploads, background = Jobs(transport), Uploads(transport), BackgroundUpload()
    counts = count_files(find())
    background.ignored += counts.ignored
    if counts.n_files == 0:
        background.skipped += [item for item in find() if isinstance(item, SkippedPath)]
        raise NothingToUpload(name, background)
    display.show_ignored(counts.ignored)
    upload, name = new_id(), shown_name(options.name or name)
    created = uploads.create(upload, name=name, discard_originals=options.discard_originals)
    check_quota(uploads, created, counts)
    job = jobs.create(new_id(), upload=upload, name=name, **options.of_model)
    display.start_upload(name, counts.n_files)

    def note(shard: Shard) -> None:
        background.note(shard)
        display.add_uploaded(shard.n_files)

    files, on_skip = files_of(find(), background.skipped.append), background.skipped.append
    limits = limits_of(created)
    background.start(lambda: upload_files(uploads, upload, files, limits, on_uploaded=note, on_skip=on_skip))
    return Start(job, background)


def start_archive(transport: Transport, path: Path, options: JobOptions, display: UploadDisplay = NO_DISPLAY) -> Start:
    """Upload an archive, and classify its files while they arrive. The job begins with the first of them.

    Raises:
        BadArchive: It cannot be read.
    """
    # The server stores the files of an archive one after another.
    job, background = new_id(), BackgroundUpload(n_in_order=sys.maxsize)
    background.start(lambda: send_archive(Uploads(transport), job, path, options, background, display))
    return Start(transport.run(wait_until_there(job, background)), background)


def resume_classification(transport: Transport, job: str, paths: Sequence[Path], *, everything: bool = False) -> Start:
    """Send the files of an interrupted upload that the server does not have yet."""
    view, uploads = Jobs(transport).get(job), Uploads(transport)
    if not view.upload:
        raise ClientError(f"Job {job} classifies no upload. Only classifications can be resumed.")
    upload = uploads.get(view.upload)
    if view.state != "receiving":
        return Start(view, BackgroundUpload())
    known = {(file.path, file.n_bytes) for file in uploads.files(upload.id)}
    first_seq = 1 + max((shard.seq for shard in uploads.shards(upload.id)), default=-1)
    background = BackgroundUpload(first_seq, upload.n_images)
    files = files_of(walk(paths, everything), background.skipped.append)
    missing = (file for file in files if (file.path, file.n_bytes) not in known)
    background.start(lambda: _send_rest(uploads, upload.id, missing, background, first_seq))
    return Start(view, background)


def _send_rest(uploads: Uploads, upload: str, files: Any, background: BackgroundUpload, first_seq: int) -> None:
    """Send the rest of an upload. Shards that were lost between others leave gaps, so it is completed as it is."""
    limits = limits_of(uploads.get(upload))
    upload_files(
        uploads,
        upload,
        files,
        limits,
        on_uploaded=background.note,
        on_skip=background.skipped.append,
        first_seq=first_seq,
    )

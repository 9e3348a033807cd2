"""Starting a job from files on this disk: the upload goes on in a thread of its own."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pawsort.api.errors import BadArchive, ClientError, Invalid
from pawsort.api.transport import Transport
from pawsort.operations.jobs import Jobs
from pawsort.operations.references import new_id
from pawsort.operations.trainings import Trainings
from pawsort.operations.uploads import Uploads
from pawsort.schemas import Job
from pawsort.uploads.archive_kinds import find_unsupported, is_archive
from pawsort.uploads.background_upload import BackgroundUpload
from pawsort.uploads.sources import FileCounts, count_files, files_of, walk
from pawsort.uploads.transfer import check_quota, limits_of, upload_files
from pawsort.workflows.classify import JobOptions, name_of, shown_name
from pawsort.workflows.follow import wait_until_there


@dataclass(frozen=True, slots=True)
class Start:
    """A job that has begun, and the upload of its files."""

    job: Job
    background: BackgroundUpload


def start_classification(transport: Transport, paths: Sequence[Path], options: JobOptions) -> Start:
    """Upload folders and files, or one archive, and classify them.

    Raises:
        ClientError: There is nothing to upload, or it is refused.
    """
    archives = [path for path in paths if is_archive(path)]
    if archives and len(paths) > 1:
        raise ClientError(f"{archives[0]} is an archive: it is a job of its own. Classify archives one by one.")
    if archives:
        return _start_archive(transport, archives[0], options)
    counts = _count(paths, options.everything)
    jobs, uploads = Jobs(transport), Uploads(transport)
    upload, name = new_id(), shown_name(options.name or name_of(paths))
    created = uploads.create(upload, name=name, discard_originals=options.discard_originals)
    check_quota(uploads, created, counts)
    job = jobs.create(new_id(), upload=upload, name=name, **_of_model(options))
    background = BackgroundUpload()
    files = files_of(walk(paths, options.everything), background.skipped.append)
    limits = limits_of(created)
    background.start(
        lambda: upload_files(
            uploads, upload, files, limits, on_uploaded=background.note, on_skip=background.skipped.append
        )
    )
    return Start(job, background)


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


def start_training(
    transport: Transport, folders: Sequence[Path], parameters: Mapping[str, Any], name: str | None
) -> Job:
    """Upload labelled folders, and train on them.

    Raises:
        ClientError: The training was refused. Nothing of it stays on the server.
    """
    trainings, uploads = Trainings(transport), Uploads(transport)
    trainings.check(**parameters)
    counts = _count(folders, everything=False)
    upload, name = new_id(), shown_name(name or name_of(folders))
    created = uploads.create(upload, name=name, labelled=True, for_training=True)
    check_quota(uploads, created, counts)
    try:
        background = BackgroundUpload()
        files = files_of(walk(folders), background.skipped.append)
        upload_files(
            uploads, upload, files, limits_of(created), on_uploaded=background.note, on_skip=background.skipped.append
        )
        data = trainings.preview([upload])
        if data.problem:
            raise ClientError(data.problem)
        return trainings.start([upload], name=name, **parameters)
    except ClientError:
        uploads.delete(upload)
        raise


def _start_archive(transport: Transport, path: Path, options: JobOptions) -> Start:
    # The server stores the files of an archive one after another.
    job, background = new_id(), BackgroundUpload(n_in_order=sys.maxsize)
    background.start(lambda: _send_archive(Uploads(transport), job, path, options))
    return Start(transport.run(wait_until_there(job, background)), background)


def _send_archive(uploads: Uploads, job: str, path: Path, options: JobOptions) -> None:
    with path.open("rb") as body:
        try:
            uploads.put_archive(
                job,
                body,
                name=shown_name(options.name or path.name),
                discard_originals=options.discard_originals or None,
                names=options.names,
                everything=options.everything or None,
                **_of_model(options),
            )
        except Invalid as refusal:
            if kept := refusal.problem.get("job"):
                uploads.complete(kept)  # the id of an archive is that of its upload, too
            raise BadArchive(f"{path}: {refusal.message}", kept) from refusal


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


def _count(paths: Sequence[Path], everything: bool) -> FileCounts:
    for path in paths:
        if not path.exists():
            raise ClientError(f"{path} does not exist. Give a folder with pictures, files, or an archive.")
        if kind := find_unsupported(path):
            raise ClientError(f"{path}: {kind} archives are not supported. Unpack it and give the folder.")
    counts = count_files(walk(paths, everything))
    if counts.n_files == 0:
        raise ClientError(f"There are no files in {', '.join(map(str, paths))}. Give a folder with pictures.")
    return counts


def _of_model(options: JobOptions) -> dict[str, Any]:
    given = {"model": options.model, "threshold": options.threshold}
    return {name: value for name, value in given.items() if value is not None}

"""Sending an archive as it is: the server unpacks it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pawsort.api.errors import BadArchive, Invalid
from pawsort.operations.uploads import Uploads
from pawsort.uploads.background_upload import BackgroundUpload
from pawsort.uploads.display import UploadDisplay
from pawsort.uploads.ignored_names import is_kind
from pawsort.uploads.sources import SkippedPath
from pawsort.workflows.options import JobOptions, shown_name


def send_archive(
    uploads: Uploads, job: str, path: Path, options: JobOptions, background: BackgroundUpload, display: UploadDisplay
) -> None:
    """Send an archive, and note what of it was skipped.

    Args:
        job: The id of the job that begins with its first files.
    Raises:
        BadArchive: It is incomplete or cannot be read. The files before that point are kept.
    """
    display.start_upload(path.name, path.stat().st_size)
    with path.open("rb") as file:
        body: Any = _CountingReader(file, display)
        try:
            answer = uploads.put_archive(
                job,
                body,
                name=shown_name(options.name or path.name),
                discard_originals=options.discard_originals or None,
                names=options.names,
                everything=options.everything or None,
                **options.of_model,
            )
        except Invalid as refusal:
            # Sending the same file again would not help. Go on with the files that arrived.
            if kept := refusal.problem.get("job"):  # the id of an archive is that of its upload, too
                uploads.complete(kept)
                note_skipped(uploads, kept, background)
            raise BadArchive(f"{path}: {refusal.message}", kept) from refusal
    note_skipped(uploads, job, background, answer.skipped.by_reason)
    display.show_ignored(background.ignored)


def note_skipped(
    uploads: Uploads, upload: str, background: BackgroundUpload, by_reason: Mapping[str, int] | None = None
) -> None:
    """Note what the server skipped of an archive, or of a folder that it read itself.

    Args:
        by_reason: How many entries it skipped for each reason, where it says so. Its list is cut.
    """
    skipped = uploads.get(upload).skipped
    counts = Counter(by_reason or (one.reason for one in skipped))
    background.ignored += Counter({reason: n for reason, n in counts.items() if is_kind(reason)})
    background.skipped += [SkippedPath(one.path, one.reason) for one in skipped if not is_kind(one.reason)]


class _CountingReader:
    """A file that reports how much of it has been read."""

    def __init__(self, file: BinaryIO, display: UploadDisplay) -> None:
        self._file, self._display = file, display
        self._n_counted = 0

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        # A retry reads the same bytes again. Count them once.
        new = self._file.tell() - self._n_counted
        if new > 0:
            self._display.add_uploaded(new)
            self._n_counted += new
        return block

    def seek(self, position: int) -> int:
        return self._file.seek(position)

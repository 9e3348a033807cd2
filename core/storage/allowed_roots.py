"""Which folders and bucket prefixes this server may read pictures from by itself: those below the operator's roots."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.base.errors import Invalid
from core.storage.buckets import BucketPrefix

MAX_SOURCE = 4096


def check_source(source: str, roots: Sequence[str]) -> str:
    """A folder or bucket prefix as it is stored: without a final slash; links in the path are followed first.

    Args:
        source: An absolute path, or `s3://bucket/prefix`.
        roots: As the operator gave them.
    Raises:
        Invalid: It is neither, lies outside of the roots, or is not there.
    """
    if not roots:
        raise Invalid("source: no folder may be read yet. Ask your administrator to allow one.")
    if not 0 < len(source) <= MAX_SOURCE or not source.isprintable():
        raise Invalid(f"source: expected the path of a folder, or s3://bucket/prefix; got {source[:100]!r}.")
    return _check_prefix(source, roots) if is_bucket(source) else _check_folder(source, roots)


def is_bucket(source: str) -> bool:
    """Whether it is a prefix in a bucket, and no folder."""
    return "://" in source


def name_of_source(source: str) -> str:
    """The name of a source's own folder."""
    return PurePosixPath(source).name or "files"


def find_root(source: str, roots: Sequence[str]) -> str | None:
    """The root that a source, as `check_source` gives it, lies below; None when it lies below none."""
    if is_bucket(source):
        return next((root.rstrip("/") for root in roots if is_bucket(root) and _is_below(source, root)), None)
    folders = [Path(root).resolve() for root in roots if not is_bucket(root)]
    return next((str(root) for root in folders if Path(source).is_relative_to(root)), None)


def _is_below(source: str, root: str) -> bool:
    try:
        return BucketPrefix.parse(source).is_below(BucketPrefix.parse(root))
    except ValueError:
        return False


def _check_prefix(source: str, roots: Sequence[str]) -> str:
    try:
        place = str(BucketPrefix.parse(source))
    except ValueError as error:
        raise Invalid(f"source: {error}") from error
    if find_root(place, roots) is None:
        raise _outside(source, roots)
    return place


def _check_folder(source: str, roots: Sequence[str]) -> str:
    if not PurePosixPath(source).is_absolute():
        raise Invalid(f"source: expected an absolute path, such as /srv/photos, or s3://bucket/prefix; got {source!r}.")
    try:
        folder = Path(source).resolve()
    except (OSError, RuntimeError) as error:  # a circle of links
        raise Invalid(f"source: the folder {source!r} cannot be opened ({error}). Choose another one.") from error
    root = find_root(str(folder), roots)
    if root is None:
        raise _outside(source, roots)
    if Path(root).is_dir() and not folder.is_dir():  # else this is not the machine that has it
        raise Invalid(f"source: there is no folder {source!r} on this server. Create it, or correct the path.")
    return str(folder)


def _outside(source: str, roots: Sequence[str]) -> Invalid:
    return Invalid(
        f"source: {source!r} is outside the folders that this server may read ({', '.join(roots)}). Choose one below,"
        " or ask your administrator to allow it."
    )

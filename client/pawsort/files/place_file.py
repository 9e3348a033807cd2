"""Put one file into its place: as a hard link, as a copy, or by moving it. Nothing is ever overwritten."""

import errno
import hashlib
import os
import secrets
import shutil
from enum import StrEnum
from pathlib import Path

from pawsort.api.errors import ClientError

BLOCK = 2**20
NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK)


class PlacementMode(StrEnum):
    """How a file gets to its place."""

    LINK = "link"
    COPY = "copy"
    MOVE = "move"


def place_file(source: Path, target: Path, sha256: bytes, mode: PlacementMode) -> None:
    """Put a file where there is none yet. Missing folders are created.

    Raises:
        FileExistsError: There is a file already.
        ClientError: It failed. Nothing has changed.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClientError(f"The folder {target.parent} cannot be created: {error.strerror}.") from error
    try:
        if mode == PlacementMode.COPY:
            _copy(source, target, sha256)
        else:
            _link(source, target, sha256, mode)
    except FileExistsError:
        raise
    except OSError as error:
        raise ClientError(f"{target} cannot be written: {error.strerror}.") from error


def finish_move(source: Path, target: Path) -> bool:
    """Remove the old name if both are names of one file: the rest of an interrupted move. Return whether it was one."""
    try:
        if not source.samefile(target) or source.resolve() == target.resolve():
            return False
        source.unlink()
    except OSError:
        return False
    return True


def _link(source: Path, target: Path, sha256: bytes, mode: PlacementMode) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if mode == PlacementMode.LINK:
            raise ClientError(
                f"{target} cannot be a hard link to {source}: {_reason(error)} Use --copy to copy the pictures, or"
                " --move to move them."
            ) from error
        _copy(source, target, sha256)
    if mode == PlacementMode.MOVE:
        source.unlink()


def _reason(error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return "they are on different disks."
    return f"this file system does not allow it ({error.strerror})."


def _copy(source: Path, target: Path, sha256: bytes) -> None:
    """Copy under a temporary name first, so that the target is complete or not there."""
    partial = target.with_name(f".pawsort-{secrets.token_hex(8)}.part")
    try:
        digest = hashlib.sha256()
        with source.open("rb") as opened, partial.open("xb") as out:
            while block := opened.read(BLOCK):
                digest.update(block)
                out.write(block)
        if digest.digest() != sha256:
            raise ClientError(f"{source} changed while it was copied. Run the command again.")
        shutil.copystat(source, partial)
        _rename(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _rename(partial: Path, target: Path) -> None:
    """Rename without overwriting: a hard link fails if the target exists, but not every file system has hard links."""
    try:
        os.link(partial, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        partial.rename(target)

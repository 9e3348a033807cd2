"""The data directory of an installation, and the key in it that signs sessions."""

import os
import secrets
import stat
from pathlib import Path

from pawsort.api.errors import ClientError

OTHER_FOLDER = "Give it to the user that runs Pawsort, or name another folder."
KEY_FILE = "secret_key"


def prepare_data_dir(data_dir: Path) -> None:
    """Create the data directory if it is missing, accessible by its owner only.

    Raises:
        ClientError: It cannot be created or written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = "it is not a folder" if isinstance(error, FileExistsError) else error.strerror
        raise ClientError(f"PAWSORT_DATA_DIR: {data_dir} cannot be created ({reason}). {OTHER_FOLDER}") from error
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise ClientError(f"PAWSORT_DATA_DIR: {data_dir} cannot be written. {OTHER_FOLDER}")


def describe_access(data_dir: Path) -> str | None:
    """Say what is wrong if other users of this machine can enter the data directory; None if they cannot."""
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if not mode & 0o077:
        return None
    return f"Other users of this machine can enter {data_dir} (mode {mode:o}). Close it: chmod 700 {data_dir}"


def secret_key(data_dir: Path) -> str:
    """Return the key that signs sessions. It is created at the first start, readable by its owner only."""
    path = data_dir / KEY_FILE
    if not path.exists():
        partial = data_dir / f"{KEY_FILE}.part"
        partial.unlink(missing_ok=True)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        partial.replace(path)
    return path.read_text(encoding="ascii").strip()

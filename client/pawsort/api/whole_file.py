"""A file that appears under its name only when it is complete."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pawsort.api.errors import ClientError


@contextmanager
def whole_file(target: Path) -> Iterator[IO[bytes]]:
    """Open a file to write it completely or not at all. An older one stays until then.

    Raises:
        ClientError: The file cannot be written.
    """
    # A name that nobody can guess: a link that waits under it would be followed.
    partial = target.with_name(f"{target.name}.{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as out:
            yield out
        partial.replace(target)
    except OSError as error:
        raise ClientError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)

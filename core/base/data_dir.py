"""Which data directory is set: all that a command needs to find a running instance, and soon read.

The other settings take a tenth of a second.

It imports nothing that is not part of Python.
"""

import os
from pathlib import Path

VARIABLE = "PAWSORT_DATA_DIR"
DOTENV = ".env"


def default_data_dir() -> Path:
    """Where an installation keeps everything by default."""
    return Path("~/.local/share/pawsort").expanduser()


def find_data_dir() -> Path | None:
    """The data directory as the environment has it; None if a file may say otherwise, which `load_settings` reads."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute()
    default = default_data_dir()
    has_file = f"{VARIABLE}_FILE" in os.environ or any(os.path.lexists(folder / DOTENV) for folder in (Path(), default))
    return None if has_file or any(name.upper() == VARIABLE for name in os.environ) else default

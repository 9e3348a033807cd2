"""What comes before every start: the schema, the shipped versions, and a fresh token for the owner.

`pawsort up` runs this file as a process of its own and reads the token from its output: threads that the blob store or
a database driver starts would not go well with the supervisor's children.
"""

import importlib.util
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from instance.supervisor.error_messages import sentences
from pawsort.api.errors import ClientError

if TYPE_CHECKING:
    from core.base.config import Settings
    from core.base.database import Database

TOKEN_NAME = "pawsort up"  # noqa: S105 - what it is called in lists
OTHER_FOLDER = "Give it to the user that runs Pawsort, or name another folder."
KEY_FILE = "secret_key"


def prepare_data_dir(data_dir: Path) -> None:
    """Make the data directory, for its owner alone.

    Raises:
        ClientError: It cannot be made, or not be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = "it is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise ClientError(f"PAWSORT_DATA_DIR: {data_dir} cannot be made ({reason}). {OTHER_FOLDER}") from error
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise ClientError(f"PAWSORT_DATA_DIR: {data_dir} cannot be written. {OTHER_FOLDER}")


def secret_key(data_dir: Path) -> str:
    """The key that signs sessions: made at the first start, readable by its owner alone."""
    path = data_dir / KEY_FILE
    if not path.exists():
        partial = data_dir / f"{KEY_FILE}.part"
        partial.unlink(missing_ok=True)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        partial.replace(path)
    return path.read_text(encoding="ascii").strip()


def migrate_installation(settings: "Settings") -> "Database":
    """Bring the schema up and register the versions that are shipped with this program.

    Returns:
        The database, open.
    Raises:
        PawsortError: The database or the blob store does not answer, or is of a newer make.
    """
    from core.models.registry import register_shipped, store_weights
    from core.storage.blobs import Blobs

    db = migrate_database(settings)
    manifests = store_weights(Blobs(settings.store_url), shipped_folder(), settings.default_network)
    with db.write() as session:
        register_shipped(session, manifests)
    return db


def migrate_database(settings: "Settings") -> "Database":
    """The first half of it: the schema alone, for which the networks need not be installed (the web's image has none).

    Returns:
        The database, open.
    Raises:
        PawsortError: The database does not answer, or is of a newer make.
    """
    from core.base.database import Database
    from migrations.run import migrate

    prepare_data_dir(settings.data_dir)
    db = Database(settings.sql_url)
    migrate(db)
    return db


def shipped_folder() -> Path:
    """Where weights and manifests lie; found without importing the networks."""
    model = importlib.util.find_spec("model")
    if model is None or model.origin is None:
        raise RuntimeError("The package `model` is not installed; install Pawsort with all its parts.")
    return Path(model.origin).parent / "pretrained"


def main() -> None:
    """Migrate, and print the owner's new token."""
    from core.accounts.accounts import replace_token
    from core.base.config import load_settings

    try:
        with sentences():
            db = migrate_installation(load_settings())
            with db.write() as session:
                token = replace_token(session, TOKEN_NAME)
            db.close()
    except ClientError as error:
        error.show(sys.stderr)
        sys.exit(error.exit_code)
    print(token)  # noqa: T201 - read by the supervisor


if __name__ == "__main__":
    main()

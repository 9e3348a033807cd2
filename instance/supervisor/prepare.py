"""Before every start: migrate the schema, register the included model versions, make a new token for the owner.

`pawsort up` runs this module in a process of its own and reads the token from its output: the supervisor forks, and
must not have the threads that the blob store or a database driver start.
"""

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from instance.supervisor.core_errors import translate_core_errors
from instance.supervisor.data_dir import prepare_data_dir
from pawsort.api.errors import ClientError

if TYPE_CHECKING:
    from core.base.config import Settings
    from core.base.database import Database

TOKEN_NAME = "pawsort up"  # noqa: S105 - its name in lists


def migrate_installation(settings: "Settings") -> "Database":
    """Migrate the schema and register the included model versions.

    Returns:
        The database, open.
    Raises:
        PawsortError: The database or the blob store does not answer, or was made by a newer version.
    """
    from core.models.registry import register_shipped, store_weights
    from core.storage.blobs import Blobs

    db = migrate_database(settings)
    manifests = store_weights(Blobs(settings.store_url), shipped_folder(), settings.default_network)
    with db.write() as session:
        register_shipped(session, manifests)
    return db


def migrate_database(settings: "Settings") -> "Database":
    """Migrate the schema only. It does not need the networks, which the web server's image does not have.

    Returns:
        The database, open.
    Raises:
        PawsortError: The database does not answer, or was made by a newer version.
    """
    from core.base.database import Database
    from migrations.run import migrate

    prepare_data_dir(settings.data_dir)
    db = Database(settings.sql_url)
    migrate(db)
    return db


def shipped_folder() -> Path:
    """Return the folder with weights and manifests, without importing `model`."""
    model = importlib.util.find_spec("model")
    if model is None or model.origin is None:
        raise RuntimeError("The package `model` is not installed; install Pawsort with all its parts.")
    return Path(model.origin).parent / "pretrained"


def main() -> None:
    """Migrate, and print the owner's new token."""
    from core.accounts.accounts import replace_token
    from core.base.config import load_settings

    try:
        with translate_core_errors():
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

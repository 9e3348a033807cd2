"""Migrate an installation: the schema, and the model versions that are included in this program."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from instance.base.data_dir import prepare_data_dir

if TYPE_CHECKING:
    from core.base.config import Settings
    from core.base.database import Database


def migrate_installation(settings: "Settings") -> "Database":
    """Migrate the schema and register the included model versions.

    Returns:
        The database, open.
    Raises:
        PawsortError: The database or the blob store does not answer, or was made by a newer version.
    """
    from core.models import conversions
    from core.models.registry import register_shipped, store_weights
    from core.operations.workers import stop_silent
    from core.storage.blobs import Blobs

    db = migrate_database(settings)
    blobs = Blobs(settings.store_url)
    manifests = store_weights(blobs, shipped_folder(), settings.default_network)
    converted = conversions.store_shipped(blobs, shipped_folder())
    with db.write() as session:
        stop_silent(session, settings.alive_s)
        register_shipped(session, manifests)
        conversions.register_shipped(session, converted)
    return db


def migrate_database(settings: "Settings") -> "Database":
    """Migrate the schema only. It does not need the networks, which the web server's image does not have.

    Returns:
        The database, open.
    Raises:
        PawsortError: The database does not answer, or was made by a newer version.
    """
    from core.base.database import Database
    from migrations.run import MIGRATION_TIMEOUT_S, migrate

    prepare_data_dir(settings.data_dir)
    db = Database(settings.sql_url, answer_s=MIGRATION_TIMEOUT_S)
    migrate(db)
    db.keep_reserve()
    return db


def shipped_folder() -> Path:
    """Return the folder with weights and manifests, without importing `model`."""
    model = importlib.util.find_spec("model")
    if model is None or model.origin is None:
        raise RuntimeError("The package `model` is not installed; install Pawsort with all its parts.")
    return Path(model.origin).parent / "pretrained"

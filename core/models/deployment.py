"""Promote a version and roll back, once its weights are known to be intact.

The weights are read before the transaction begins, so a slow blob store blocks no other request.
"""

from core.accounts.rights import Actor, Right, check_right
from core.base.database import Database
from core.models import registry
from core.orm.models import Deployment
from core.storage.blobs import Blobs


def promote(db: Database, blobs: Blobs, actor: Actor, version_id: int) -> Deployment:
    """Use a version for the jobs that are created from now on.

    Raises:
        Forbidden: The actor may not promote.
        NotFound, Gone: The version does not exist, or was deleted.
        BadWeights: Its weights are missing or damaged.
    """
    check_right(actor, Right.MODELS)
    with db.read() as session:
        version = registry.get_version(session, version_id)
    registry.fetch_weights(blobs, version)
    with db.write() as session:
        return registry.promote(session, version_id, actor)


def roll_back(db: Database, blobs: Blobs, actor: Actor, in_use: int | None) -> Deployment:
    """Restore the version that was in use before the current one.

    Args:
        in_use: The version that the caller takes for the current one; None skips this check.
    Raises:
        Forbidden: The actor may not roll back.
        Conflict: Another version than `in_use` is in use, or there was none before it.
        BadWeights: The weights of the previous version are missing or damaged.
    """
    check_right(actor, Right.MODELS)
    with db.read() as session:
        earlier = registry.find_rollback(session)
        version = registry.get_version(session, earlier.model_version_id) if earlier else None
    if version is not None:
        registry.fetch_weights(blobs, version)
    with db.write() as session:
        return registry.roll_back(session, in_use, actor)

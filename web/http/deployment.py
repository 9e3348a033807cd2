"""Putting a version into use and taking it back, for the API and the pages alike: never one whose weights are spoilt.

The bytes are read before the transaction begins; a store that is slow keeps nobody waiting.
"""

from core.models import registry
from core.orm.models import Deployment
from web.http.context import Services


def promote(services: Services, version_id: int, user_id: int) -> Deployment:
    """Put a version into use for the jobs that begin from now on.

    Raises:
        NotFound, Gone: There is no such version.
        BadWeights: Its weights are missing or damaged.
    """
    with services.db.read() as session:
        wanted = registry.get_version(session, version_id)
    registry.fetch_weights(services.blobs, wanted)
    with services.db.write() as session:
        return registry.promote(session, version_id, user_id)


def roll_back(services: Services, in_use: int | None, user_id: int) -> Deployment:
    """Put back the version that was in use before the present one.

    Raises:
        Conflict: Another version is in use than `in_use`, or nothing was before it.
        BadWeights: The weights of the one before are missing or damaged.
    """
    with services.db.read() as session:
        earlier = registry.find_rollback(session)
        wanted = registry.get_version(session, earlier.model_version_id) if earlier else None
    if wanted is not None:
        registry.fetch_weights(services.blobs, wanted)
    with services.db.write() as session:
        return registry.roll_back(session, in_use, user_id)

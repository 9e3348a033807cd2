"""Model versions and which of them is in use. Versions are immutable; deployments are an append-only history."""

import hashlib
import json
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor
from core.base.database import locked, shared
from core.base.errors import BadWeights, BlobMissing, Conflict, EditConflict, Gone, NotFound
from core.base.manifest import Manifest
from core.base.names import MAX_SHORT_NAME
from core.base.network_catalog import DEFAULT_TRAINED, TRAINABLE
from core.base.paging import Page, page_newest_first
from core.orm.models import Deployment, ModelVersion
from core.storage.blobs import Blobs
from core.storage.blobs import weights_key as weights_key
from core.webhooks import events
from core.webhooks.events import Event

MAX_DIGITS = 9  # of the number of a version that a person names
SHIPPED = "shipped"  # who made it, in the manifest of what comes with Pawsort
FIRST_START, PROMOTED, ROLLED_BACK = "first start", "promoted", "rolled back"


class NoPreviousVersion(Conflict):
    """There is nothing to roll back to."""


def store_weights(blobs: Blobs, folder: Path, default: str) -> list[Manifest]:
    """Copy the shipped weights into the blob store.

    Args:
        folder: Holds `<network>.json` (manifest) and `<network>.npz` (weights) for each network.
        default: The network that a new installation puts into use.
    Returns:
        The manifests: that of the default network first, then by name.
    Raises:
        BadWeights: A file of weights does not have the digest that its manifest promises.
    """
    manifests = []
    for path in sorted(folder.glob("*.json"), key=lambda path: (path.stem != default, path.stem)):
        manifest = json.loads(path.read_text())
        weights = path.with_suffix(".npz").read_bytes()
        digest = hashlib.sha256(weights).hexdigest()
        if digest != manifest["digest"]:
            raise BadWeights(
                f"{path.with_suffix('.npz').name} has the digest {digest}, but its manifest promises"
                f" {manifest['digest']}. Install Pawsort again."
            )
        blobs.put(weights_key(digest), weights)
        manifests.append(manifest)
    return manifests


def register_shipped(session: Session, manifests: list[Manifest]) -> list[ModelVersion]:
    """Add the versions that are new; put the first of them into use when nothing has ever been deployed.

    Args:
        manifests: As `store_weights` gives them; at least one.
    Returns:
        The versions that were added.
    """
    known = set(session.scalars(select(ModelVersion.digest)))
    added = [
        ModelVersion(network=manifest["network"], digest=manifest["digest"], manifest=manifest)
        for manifest in manifests
        if manifest["digest"] not in known
    ]
    session.add_all(added)
    session.flush()
    if session.scalar(select(Deployment.id).limit(1)) is None:
        default = find_version(session, manifests[0]["network"])
        session.add(Deployment(model_version_id=default.id, reason=FIRST_START))
        session.flush()
    return added


def add_version(session: Session, manifest: Manifest) -> ModelVersion:
    """Add a trained version, a candidate that is not in use; the same weights are one version, even after deletion."""
    version = session.scalar(locked(select(ModelVersion).where(ModelVersion.digest == manifest["digest"])))
    if version is None:
        version = ModelVersion(network=manifest["network"], digest=manifest["digest"], manifest=manifest)
        session.add(version)
    version.deleted_at = version.purged_at = None
    session.flush()
    return version


def fetch_weights(blobs: Blobs, version: ModelVersion) -> bytes:
    """The weights of a version, whole: before it is loaded, and before it is put into use.

    Raises:
        BadWeights: The store has none for it, or not those that the manifest promises.
    """
    return fetch_digest(blobs, version.digest, f"weights of model version {version.id}")


def fetch_digest(blobs: Blobs, digest: str, what: str) -> bytes:
    """The blob of a version with this SHA-256, whole.

    Args:
        what: Its name in the sentences.
    Raises:
        BadWeights: The store has none, or another one.
    """
    key = weights_key(digest)
    try:
        data = bytes(blobs.get(key))
    except BlobMissing as error:
        raise BadWeights(
            f"The {what} are missing: the blob store has no {key}. Restore it, or use another version."
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise BadWeights(
            f"The {what} have the digest {found}, expected {digest}: the blob store was changed. Restore it, or use"
            " another version."
        )
    return data


def promote(
    session: Session,
    version_id: int,
    actor: Actor | None = None,
    reason: str = PROMOTED,
    instead_of: int | None = None,
) -> Deployment:
    """Put a version into use for the jobs that begin from now on; promoting the one in use writes nothing.

    Args:
        reason: Why, for the history.
        instead_of: The version that it was compared with; without it, it replaces whichever is in use.
    Raises:
        NotFound, Gone: There is no such version.
        Conflict: Another version is in use than `instead_of`.
    """
    version = hold_version(session, version_id)
    newest = _lock_history(session)
    if instead_of is not None and (newest is None or newest.model_version_id != instead_of):
        raise EditConflict(f"Version {instead_of} is no longer in use: another version was promoted. Compare again.")
    if newest is not None and newest.model_version_id == version.id:
        return newest
    instead = newest.model_version_id if newest else None
    record(session, actor, Action.VERSION_PROMOTE, "version", version.id, instead_of=instead, reason=reason)
    events.publish_deployment(session, Event.VERSION_PROMOTED, version.id, instead)
    return _deploy(session, version.id, newest.id if newest else None, actor, reason)


def roll_back(session: Session, in_use: int | None = None, actor: Actor | None = None) -> Deployment:
    """Put back the version that was in use before the present one. Repeated, it walks further back.

    Args:
        in_use: The version to roll back from; without it whichever is in use.
    Raises:
        Conflict: Another version is in use than `in_use`, or there is nothing before the present one.
    """
    newest = _lock_history(session)
    if newest is None:
        raise _nothing_deployed()
    if in_use is not None and newest.model_version_id != in_use:
        raise EditConflict(
            f"Version {newest.model_version_id} is in use now, not {in_use}. Reload the page and check again."
        )
    earlier = find_rollback(session, newest)
    if earlier is None:
        raise NoPreviousVersion(
            f"There is nothing to roll back to: no version was in use before version {newest.model_version_id}."
            " Promote another one instead."
        )
    version = hold_version(session, earlier.model_version_id)
    record(session, actor, Action.VERSION_ROLLBACK, "version", version.id, instead_of=newest.model_version_id)
    events.publish_deployment(session, Event.VERSION_ROLLED_BACK, version.id, newest.model_version_id)
    return _deploy(session, version.id, earlier.previous_id, actor, ROLLED_BACK)


def find_rollback(session: Session, newest: Deployment | None = None) -> Deployment | None:
    """The line that rolling back would repeat: the one before, past those whose version has been deleted."""
    line = newest or session.scalar(select(Deployment).order_by(Deployment.id.desc()).limit(1))
    while line is not None and line.previous_id is not None:
        line = session.get_one(Deployment, line.previous_id)
        if session.get_one(ModelVersion, line.model_version_id).deleted_at is None:
            return line
    return None


def _lock_history(session: Session) -> Deployment | None:
    """The newest line, with everybody else who wants to add one kept waiting: the first line is the lock."""
    session.execute(locked(select(Deployment).order_by(Deployment.id).limit(1)))
    return session.scalar(select(Deployment).order_by(Deployment.id.desc()).limit(1))


def _deploy(session: Session, version_id: int, previous_id: int | None, actor: Actor | None, reason: str) -> Deployment:
    user_id = actor.user_id if actor else None
    deployment = Deployment(model_version_id=version_id, previous_id=previous_id, user_id=user_id, reason=reason)
    session.add(deployment)
    session.flush()
    return deployment


def current_version(session: Session) -> ModelVersion:
    """The version in use.

    Raises:
        NotFound: Nothing has been deployed yet.
    """
    newest = select(ModelVersion).join(Deployment, Deployment.model_version_id == ModelVersion.id)
    version = session.scalar(newest.order_by(Deployment.id.desc()).limit(1))
    if version is None:
        raise _nothing_deployed()
    return version


def find_in_use(session: Session) -> int | None:
    """The number of the version in use; None before anything was deployed."""
    return session.scalar(select(Deployment.model_version_id).order_by(Deployment.id.desc()).limit(1))


def network_to_train(session: Session) -> str:
    """The network that is trained by default: that of the version in use, if it can be trained here."""
    in_use = find_in_use(session)
    network = DEFAULT_TRAINED if in_use is None else find_trained(session, get_version(session, in_use)).network
    return network if network in TRAINABLE else DEFAULT_TRAINED


def find_teacher(session: Session, version: ModelVersion) -> ModelVersion | None:
    """The accurate version that a light one leaves images to; None if it answers alone.

    Raises:
        BadWeights: It is not there.
    """
    cascade = version.manifest.get("cascade")
    if cascade is None:
        return None
    teacher = session.scalar(select(ModelVersion).where(ModelVersion.digest == cascade["teacher"]))
    if teacher is None:
        raise BadWeights(
            f"Model version {version.id} needs an accurate version, which is missing. Run `pawsort migrate`."
        )
    return teacher


def find_trained(session: Session, version: ModelVersion) -> ModelVersion:
    """The version that a training from this one starts from.

    That is itself, or its teacher if it is a light one, or if neither can be trained the newest of the default network.
    """
    accurate = find_teacher(session, version) or version
    if accurate.network in TRAINABLE:
        return accurate
    return _find_newest(session, DEFAULT_TRAINED) or accurate


def _find_newest(session: Session, network: str) -> ModelVersion | None:
    there = select(ModelVersion).where(ModelVersion.deleted_at.is_(None), ModelVersion.network == network)
    return session.scalar(there.order_by(ModelVersion.id.desc()).limit(1))


def _nothing_deployed() -> NotFound:
    return NotFound("No model version is in use. Run `pawsort migrate`, which registers the shipped ones.")


def get_version(session: Session, version_id: int) -> ModelVersion:
    """One version by its number.

    Raises:
        NotFound: There is none with this number.
        Gone: It has been deleted.
    """
    return _alive(session.get(ModelVersion, version_id), version_id)


def get_any(session: Session, version_id: int | None) -> ModelVersion | None:
    """One version by its number, also a deleted one: for what was done with it."""
    return None if version_id is None else session.get(ModelVersion, version_id)


def hold_version(session: Session, version_id: int) -> ModelVersion:
    """One version by its number, kept from being deleted until the transaction ends.

    Raises:
        NotFound, Gone: As `get_version`.
    """
    return _alive(session.scalar(shared(select(ModelVersion).where(ModelVersion.id == version_id))), version_id)


def _alive(version: ModelVersion | None, version_id: int) -> ModelVersion:
    if version is None:
        raise NotFound(f"There is no model version {version_id}. GET /api/v1/models lists those there are.")
    if version.deleted_at is not None:
        raise Gone(f"Model version {version_id} has been deleted. Use another one; GET /api/v1/models lists them.")
    return version


def is_shipped(version: ModelVersion) -> bool:
    """Whether it came with Pawsort, and would come back with it."""
    who, command = version.manifest.get("who"), version.manifest.get("command", "")
    return who == SHIPPED or (who is None and command.startswith("make pretrained"))


def find_version(session: Session, model: str) -> ModelVersion:
    """The version that a person names: by number, or by network (its newest version).

    Raises:
        NotFound: Neither a number nor a network that exists.
        Gone: The version has been deleted.
    """
    if model.isdecimal() and len(model) <= MAX_DIGITS:
        return get_version(session, int(model))
    version = _find_newest(session, model)
    if version is None:
        there = select(ModelVersion).where(ModelVersion.deleted_at.is_(None))
        networks = ", ".join(sorted({version.network for version in session.scalars(there)})) or "none yet"
        raise NotFound(
            f"There is no model {model[:MAX_SHORT_NAME]!r}: expected a version's number or a network's name"
            f" ({networks})."
        )
    return version


def page_versions(session: Session, cursor: str | None, limit: int) -> Page[ModelVersion]:
    """One page of all versions but deleted ones, newest first.

    Raises:
        Invalid: The cursor belongs to another list.
    """
    there = select(ModelVersion).where(ModelVersion.deleted_at.is_(None))
    return page_newest_first(session, there, ModelVersion.id, cursor, limit)


def page_deployments(session: Session, cursor: str | None, limit: int) -> Page[Deployment]:
    """One page of the history of what was in use, newest first.

    Raises:
        Invalid: The cursor belongs to another list.
    """
    return page_newest_first(session, select(Deployment), Deployment.id, cursor, limit)

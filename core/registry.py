"""Model versions and which of them is in use. Versions are immutable; deployments are an append-only history."""

import hashlib
import json
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.blobs import Blobs
from core.errors import BadWeights, NotFound
from core.networks import DEFAULT_NETWORK
from core.orm import Deployment, ModelVersion


def weights_key(digest: str) -> str:
    """The blob of the weights with this SHA-256."""
    return f"models/{digest}"


def store_weights(blobs: Blobs, folder: Path) -> list[dict[str, Any]]:
    """Copy the shipped weights into the blob store.

    Args:
        folder: Holds `<network>.json` (manifest) and `<network>.npz` (weights) for each network.
    Returns:
        The manifests, in the order of their names.
    Raises:
        BadWeights: A file of weights does not have the digest that its manifest promises.
    """
    manifests = []
    for path in sorted(folder.glob("*.json")):
        manifest = json.loads(path.read_text())
        weights = path.with_suffix(".npz").read_bytes()
        digest = hashlib.sha256(weights).hexdigest()
        if digest != manifest["digest"]:
            raise BadWeights(
                f"{path.with_suffix('.npz').name} has the digest {digest}, but its manifest promises"
                f" {manifest['digest']}. Get both files again from where Pawsort came from."
            )
        blobs.put(weights_key(digest), weights)
        manifests.append(manifest)
    return manifests


def register_shipped(session: Session, manifests: list[dict[str, Any]]) -> list[ModelVersion]:
    """Add the versions that are new; deploy the default one when nothing has ever been deployed.

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
        default = find_version(session, DEFAULT_NETWORK)
        session.add(Deployment(model_version_id=default.id, reason="first start"))
        session.flush()
    return added


def current_version(session: Session) -> ModelVersion:
    """The version in use.

    Raises:
        NotFound: Nothing has been deployed yet.
    """
    newest = select(ModelVersion).join(Deployment, Deployment.model_version_id == ModelVersion.id)
    version = session.scalar(newest.order_by(Deployment.id.desc()).limit(1))
    if version is None:
        raise NotFound("No model version is in use. Run `pawsort migrate`, which registers the shipped ones.")
    return version


def get_version(session: Session, version_id: int) -> ModelVersion:
    """One version by its number.

    Raises:
        NotFound: There is none with this number.
    """
    version = session.get(ModelVersion, version_id)
    if version is None:
        raise NotFound(f"There is no model version {version_id}. GET /api/v1/models lists those there are.")
    return version


def find_version(session: Session, model: str) -> ModelVersion:
    """The version that a person names: by number, or by network (its newest version).

    Raises:
        NotFound: Neither a number nor a network that exists.
    """
    if model.isdecimal():
        return get_version(session, int(model))
    newest = select(ModelVersion).where(ModelVersion.network == model).order_by(ModelVersion.id.desc()).limit(1)
    version = session.scalar(newest)
    if version is None:
        networks = ", ".join(sorted(set(session.scalars(select(ModelVersion.network))))) or "none yet"
        raise NotFound(f"There is no model {model!r}: expected a version's number or a network's name ({networks}).")
    return version


def list_versions(session: Session) -> list[ModelVersion]:
    """All versions, newest first."""
    return list(session.scalars(select(ModelVersion).order_by(ModelVersion.id.desc())))


def list_deployments(session: Session) -> list[Deployment]:
    """The history of what was in use, newest first."""
    return list(session.scalars(select(Deployment).order_by(Deployment.id.desc())))

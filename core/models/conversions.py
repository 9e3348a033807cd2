"""Conversions: the bodies of versions as LiteRT runs them, without TensorFlow. Each has a manifest of its own.

A version without a row has not been converted yet. One whose row has no digest stays with TensorFlow, for the reason
in its document. Versions with the same body can share a blob.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.orm.models import Conversion, ModelVersion
from core.storage.blobs import Blobs, weights_key

CONVERTED = "converted"  # the folder of the shipped ones, next to the shipped weights


def store_shipped(blobs: Blobs, folder: Path) -> list[dict[str, Any]]:
    """Copy the shipped converted bodies into the blob store.

    Args:
        folder: Holds `converted/<network>.json` (manifest) and the bodies, as `read_bodies` finds them.
    Returns:
        The manifests.
    """
    for digest, body in read_bodies(folder).items():
        blobs.put(weights_key(digest), body)
    return [json.loads(path.read_text()) for path in sorted((folder / CONVERTED).glob("*.json"))]


def read_bodies(folder: Path) -> dict[str, bytes]:
    """The shipped converted bodies by digest; several networks can use the same.

    Args:
        folder: Holds `converted/<network>.tflite`.
    """
    bodies = [path.read_bytes() for path in sorted((folder / CONVERTED).glob("*.tflite"))]
    return {hashlib.sha256(body).hexdigest(): body for body in bodies}


def register_shipped(session: Session, documents: list[dict[str, Any]]) -> None:
    """Add the conversions of shipped versions; one that came with an earlier Pawsort is replaced.

    Args:
        documents: As `store_shipped` returns them.
    """
    for document in documents:
        version = session.scalar(select(ModelVersion.id).where(ModelVersion.digest == document["weights"]))
        if version is not None:
            add(session, version, document)


def add(session: Session, version_id: int, document: dict[str, Any]) -> None:
    """Add the conversion of a version, or replace the one it had.

    Args:
        document: Its manifest, or `{"reason": ...}` if it stays with TensorFlow.
    """
    session.merge(Conversion(model_version_id=version_id, digest=document.get("digest"), document=document))
    session.flush()


def find(session: Session, version_id: int) -> Conversion | None:
    """The conversion of a version; None if it has not been converted yet."""
    return session.get(Conversion, version_id)


def list_missing(session: Session) -> list[int]:
    """The versions that have not been converted yet, the newest first."""
    alive = select(ModelVersion.id).where(ModelVersion.deleted_at.is_(None))
    missing = alive.where(ModelVersion.id.not_in(select(Conversion.model_version_id)))
    return list(session.scalars(missing.order_by(ModelVersion.id.desc())))


def bodies_of(session: Session, version: ModelVersion) -> set[str]:
    """The bodies whose features a version can use, by what runs it: TensorFlow or LiteRT."""
    conversion = find(session, version.id)
    return {body for body in (version.body, conversion and conversion.digest) if body}


def forget(session: Session, version_id: int) -> str | None:
    """Remove the conversion of a version. Returns the digest of its blob if no other version needs it."""
    digest = session.scalar(select(Conversion.digest).where(Conversion.model_version_id == version_id))
    session.execute(delete(Conversion).where(Conversion.model_version_id == version_id))
    still_used = select(Conversion.model_version_id).where(Conversion.digest == digest).limit(1)
    return digest if digest is not None and session.scalar(still_used) is None else None

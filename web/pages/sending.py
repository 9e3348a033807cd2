"""What whoever wants to send pictures should know before: the server's limits, its pace, the versions there are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core import registry
from core.orm import ModelVersion
from core.progress import find_pace
from web.services import Services


@dataclass(frozen=True)
class Terms:
    """Sizes are in bytes; `room_bytes` is None where nobody knows, `images_per_s` before anything was sorted."""

    max_image_bytes: int
    max_upload_bytes: int
    room_bytes: int | None
    images_per_s: float | None
    versions: Sequence[ModelVersion]
    in_use: int | None

    @property
    def as_json(self) -> str:
        """The numbers for static/upload/offer.js."""
        return json.dumps(
            {
                "maxImageBytes": self.max_image_bytes,
                "maxUploadBytes": self.max_upload_bytes,
                "roomBytes": self.room_bytes,
                "imagesPerS": self.images_per_s,
            }
        )


def look_at_terms(session: Session, services: Services) -> Terms:
    """The terms at this moment."""
    return Terms(
        max_image_bytes=services.settings.max_image_bytes,
        max_upload_bytes=services.settings.max_upload_bytes,
        room_bytes=services.blobs.find_room(),
        images_per_s=find_pace(session),
        versions=registry.list_versions(session),
        in_use=registry.find_in_use(session),
    )

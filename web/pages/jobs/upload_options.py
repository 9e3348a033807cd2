"""What the upload form needs: the limits of the server, its speed, and the versions to choose from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.base.config import Settings
from core.base.network_catalog import NETWORKS
from core.jobs.progress import find_paces
from core.labels import counts
from core.messaging.broker import INFERENCE
from core.models import registry
from core.models.version_choices import offer_versions
from core.operations import workers
from core.orm.models import ModelVersion
from core.uploads import usage
from core.uploads.usage import PersonUsage, Quota
from web.http.auth import current_user_id
from web.http.context import Services


@dataclass(frozen=True)
class SortingSpeed:
    """Pictures sorted per second, measured in a job here or estimated before the first job."""

    images_per_s: float
    is_measured: bool


@dataclass(frozen=True)
class UploadOptions:
    """Limits and choices of an upload.

    Attributes:
        room_bytes: Free space for uploads; None if it is unknown.
        used: What this person has sent, and may send.
        speeds: By version, for versions of known networks.
        n_more: The number of versions that are not offered.
        n_new: By version, the labels added since it was trained.
        in_use: The version in use.
    """

    max_image_bytes: int
    max_upload_bytes: int
    room_bytes: int | None
    used: PersonUsage
    speeds: Mapping[int, SortingSpeed]
    versions: Sequence[ModelVersion]
    n_more: int
    n_new: Mapping[int, int]
    in_use: int | None

    @property
    def as_json(self) -> str:
        """The numbers for static/upload/view/offer.js."""
        return json.dumps(
            {
                "maxImageBytes": self.max_image_bytes,
                "maxUploadBytes": self.max_upload_bytes,
                "roomBytes": self.room_bytes,
                "bytesLeft": self.used.bytes_left,
                "picturesLeft": self.used.images_left,
                "inUse": self.in_use,
                "paces": {
                    version: {"imagesPerS": speed.images_per_s, "isMeasured": speed.is_measured}
                    for version, speed in self.speeds.items()
                },
            }
        )


def find_upload_options(session: Session, services: Services) -> UploadOptions:
    """The options at this moment."""
    offered = offer_versions(session)
    return UploadOptions(
        max_image_bytes=services.settings.max_image_bytes,
        max_upload_bytes=services.settings.max_upload_bytes,
        room_bytes=services.blobs.find_room(),
        used=usage.read_usage(session, current_user_id(), Quota.from_settings(services.settings)),
        speeds=_find_speeds(session, offered.versions, services.settings),
        versions=offered.versions,
        n_more=offered.n_more,
        n_new=counts.count_since_each(session, offered.ids),
        in_use=registry.find_in_use(session),
    )


def _find_speeds(session: Session, versions: Sequence[ModelVersion], settings: Settings) -> dict[int, SortingSpeed]:
    measured = find_paces(session)
    n_workers = max(workers.count_alive(session, INFERENCE, settings.alive_s), 1)
    paces = {
        one.id: SortingSpeed(NETWORKS[one.network].images_per_s * n_workers, False)
        for one in versions
        if one.network in NETWORKS
    }
    return paces | {version: SortingSpeed(rate, True) for version, rate in measured.items()}

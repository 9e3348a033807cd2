"""What whoever wants to send pictures should know before: the server's limits, its pace, the versions there are."""

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
from web.http.context import Services


@dataclass(frozen=True)
class SortingSpeed:
    """How many pictures are sorted in a second: by a job here, or, before there was one, as a guess."""

    images_per_s: float
    is_measured: bool


@dataclass(frozen=True)
class UploadOptions:
    """Sizes are in bytes; `room_bytes` is None where nobody knows. `paces` has the versions whose network is known.

    `n_more` counts the versions that are not offered; `n_new` the labels that each version has not learned from.
    """

    max_image_bytes: int
    max_upload_bytes: int
    room_bytes: int | None
    paces: Mapping[int, SortingSpeed]
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
                "inUse": self.in_use,
                "paces": {
                    version: {"imagesPerS": pace.images_per_s, "isMeasured": pace.is_measured}
                    for version, pace in self.paces.items()
                },
            }
        )


def find_upload_options(session: Session, services: Services) -> UploadOptions:
    """The terms at this moment."""
    offered = offer_versions(session)
    return UploadOptions(
        max_image_bytes=services.settings.max_image_bytes,
        max_upload_bytes=services.settings.max_upload_bytes,
        room_bytes=services.blobs.find_room(),
        paces=_find_paces(session, offered.versions, services.settings),
        versions=offered.versions,
        n_more=offered.n_more,
        n_new=counts.count_since_each(session, offered.ids),
        in_use=registry.find_in_use(session),
    )


def _find_paces(session: Session, versions: Sequence[ModelVersion], settings: Settings) -> dict[int, SortingSpeed]:
    measured = find_paces(session)
    n_workers = max(workers.count_alive(session, INFERENCE, settings.alive_s), 1)
    paces = {
        one.id: SortingSpeed(NETWORKS[one.network].images_per_s * n_workers, False)
        for one in versions
        if one.network in NETWORKS
    }
    return paces | {version: SortingSpeed(rate, True) for version, rate in measured.items()}

"""What a request needs, put together once in `create_app` and reached through the app, never through globals."""

from dataclasses import dataclass

from flask import current_app

from core.base.config import Settings
from core.base.database import Database
from core.messaging.broker import Bell
from core.operations.metrics import Meter
from core.storage.blobs import Blobs

EXTENSION = "pawsort"


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, database, blob store, the bell that wakes workers, and what this process counts."""

    settings: Settings
    db: Database
    blobs: Blobs
    bell: Bell
    meter: Meter


def get_services() -> Services:
    """The services of the app that handles the present request."""
    services: Services = current_app.extensions[EXTENSION]
    return services

"""What a request needs, put together once in `create_app` and reached through the app, never through globals."""

from dataclasses import dataclass

from flask import current_app

from core.blobs import Blobs
from core.broker import Bell
from core.config import Settings
from core.db import Database

EXTENSION = "pawsort"


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, database, blob store and the bell that wakes workers."""

    settings: Settings
    db: Database
    blobs: Blobs
    bell: Bell


def get_services() -> Services:
    """The services of the app that handles the present request."""
    services: Services = current_app.extensions[EXTENSION]
    return services

"""What requests share, built once in `create_app` and reached through the app, never through globals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

from core.accounts.limits import RateLimiter
from core.base.config import Settings
from core.base.database import Database
from core.messaging.broker import TaskSender
from core.operations.metrics import Meter
from core.review.review_progress import ReviewTallies
from core.storage.blobs import Blobs
from web.http.delivery.answer_cache import AnswerCache
from web.http.limits.at_once import AtOnce
from web.http.streams.job_watcher import JobWatcher
from web.http.thumbnails import Thumbnails

if TYPE_CHECKING:
    from core.accounts.openid.provider import ProviderClient

EXTENSION = "pawsort"


@dataclass(frozen=True, slots=True)
class Services:
    """What every request shares.

    Attributes:
        meter: The counters and timers of this process.
        thumbnails: Makes small pictures in processes of its own.
        watcher: Sends events about jobs.
        answers: What anybody may ask for, kept for a few seconds.
        reviews: How far the reviews of jobs are.
        rates: Counts requests and attempts to log in, and refuses too many.
        at_once: Counts work that takes long while it runs, and refuses too much.
        provider: Logs people in by OpenID Connect, where that is set up.
    """

    settings: Settings
    db: Database
    blobs: Blobs
    tasks: TaskSender
    meter: Meter
    thumbnails: Thumbnails
    reviews: ReviewTallies
    rates: RateLimiter
    at_once: AtOnce
    answers: AnswerCache
    watcher: JobWatcher
    provider: "ProviderClient | None"


def get_services() -> Services:
    """The services of the app that handles this request."""
    services: Services = current_app.extensions[EXTENSION]
    return services

"""The app factory: builds everything that the web needs, once, and passes it on."""

from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from apiflask import APIFlask
from flask import Request
from werkzeug.exceptions import BadRequest

from core.accounts.limits import RateLimiter
from core.accounts.openid.settings import read_provider_settings
from core.base.config import Settings, check_secret_key
from core.base.database import Database
from core.messaging.broker import TaskSender, make_celery
from core.operations.metrics import Meter
from core.review.review_progress import ReviewTallies
from core.storage.blobs import Blobs
from web.api.jobs.job_events import describe_jobs
from web.api.monitoring.metrics import register_measuring
from web.api.registry import register_api
from web.http.auth import register_auth, register_login_check
from web.http.context import EXTENSION, Services
from web.http.delivery.answer_cache import AnswerCache
from web.http.delivery.compression import register_compression
from web.http.delivery.static_files import register_static_files
from web.http.limits.at_once import AtOnce
from web.http.limits.requests import register_limits
from web.http.openapi.document import configure_document
from web.http.openapi.pages import api_docs
from web.http.problems import register_problems
from web.http.rights import check_views, register_rights
from web.http.security import register_security
from web.http.streams.job_watcher import JobWatcher
from web.http.thumbnails import Thumbnails
from web.pages.registry import register_pages

if TYPE_CHECKING:
    from core.accounts.openid.provider import ProviderClient

# For JSON and forms. Shards and archives are streams with their own limits.
MAX_JSON_BYTES = 4 * 2**20


class JsonRequest(Request):
    """Reads a missing body as an empty object, so that calls without required fields need no body."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        if not self.get_data(cache=True):
            return {}
        try:
            return super().get_json(force=force, silent=silent, cache=cache)
        except RecursionError:
            raise BadRequest("The body is nested too deeply. Expected a JSON object of a few levels.") from None

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        raise BadRequest(f"The body is not valid JSON: {e}. Expected a JSON object in UTF-8.") from e


class App(APIFlask):
    """Flask with OpenAPI. APIFlask's own documentation pages load scripts from other sites and stay off."""

    request_class = JsonRequest


def create_app(settings: Settings) -> App:
    """Build the web application.

    Raises:
        ConfigError: A setting that the web needs is missing or wrong.
        RuntimeError: A view does not say which right it needs.
    """
    app = App(
        "web",
        title="Pawsort",
        version=_version(),
        docs_path=None,
        spec_path=None,
        static_folder=None,  # type: ignore[arg-type]
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = MAX_JSON_BYTES
    app.extensions[EXTENSION] = make_services(settings)
    register_measuring(app)
    register_problems(app)
    register_security(app, settings)
    register_auth(app, settings)
    register_limits(app, settings)
    register_login_check(app)
    register_rights(app)
    register_compression(app)
    register_static_files(app)
    configure_document(app)
    app.register_blueprint(api_docs)
    register_api(app)
    register_pages(app)
    check_views(app)
    return app


def make_services(settings: Settings) -> Services:
    """Create what every request shares. Nothing connects before its first use."""
    check_secret_key(settings)
    db = Database(settings.sql_url, pool_size=settings.web_threads)
    return Services(
        settings=settings,
        db=db,
        blobs=Blobs(settings.store_url, settings.min_free_bytes),
        tasks=TaskSender(make_celery(settings)),
        meter=Meter(),
        thumbnails=Thumbnails(settings),
        reviews=ReviewTallies(),
        rates=RateLimiter(settings),
        at_once=AtOnce(settings),
        answers=AnswerCache(),
        watcher=JobWatcher(db, partial(describe_jobs, responding_s=settings.responding_s)),
        provider=_make_provider(settings),
    )


def _make_provider(settings: Settings) -> "ProviderClient | None":
    provider = read_provider_settings(settings)
    if provider is None:
        return None
    from core.accounts.openid.provider import ProviderClient  # takes a while to import, and few need it

    return ProviderClient(provider)


def _version() -> str:
    try:
        return version("pawsort")
    except PackageNotFoundError:  # run from a checkout without installation
        return "0.0.0"

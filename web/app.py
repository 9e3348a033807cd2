"""The app factory: everything the web needs is put together here, once, and passed on from here."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from apiflask import APIFlask
from flask import Request
from werkzeug.exceptions import BadRequest

from core.base.config import Settings, check_secret_key
from core.base.database import Database
from core.messaging.broker import Bell, make_celery
from core.operations.metrics import Meter
from core.storage.blobs import Blobs
from web.api.jobs import exports, images, jobs, results
from web.api.labels import audits, bulk_labels, corrections, label_quality, labels, reviews
from web.api.models import evaluation, models
from web.api.monitoring import health, metrics
from web.api.schedules import schedules
from web.api.training import training
from web.api.uploads import archives, uploads
from web.http import openapi
from web.http.auth import register_auth
from web.http.context import EXTENSION, Services
from web.http.problems import register_problems
from web.http.security import register_security
from web.pages.jobs import corrections as _correction_pages  # noqa: F401  adds its routes to `pages`
from web.pages.jobs import failures as _failure_pages  # noqa: F401
from web.pages.jobs import pictures as _picture_pages  # noqa: F401
from web.pages.jobs import uploads as _upload_pages  # noqa: F401
from web.pages.jobs.jobs import pages
from web.pages.labels import label_views as _label_view_pages  # noqa: F401
from web.pages.labels import labels as _label_pages  # noqa: F401
from web.pages.labels import review as _review_pages  # noqa: F401
from web.pages.models import models as _model_pages  # noqa: F401
from web.pages.schedules import schedules as _schedule_pages  # noqa: F401
from web.pages.system import system as _system_pages  # noqa: F401
from web.pages.training import start as _training_pages  # noqa: F401

# For JSON and forms. Shards and archives are read as streams, with limits of their own.
MAX_JSON_BYTES = 4 * 2**20
# The order is that of the description at /docs.
APIS = (
    uploads,
    archives,
    jobs,
    results,
    exports,
    images,
    labels,
    label_quality,
    models,
    evaluation,
    training,
    schedules,
    health,
)


class JsonRequest(Request):
    """Takes a missing body for an empty object, so that calls whose fields may all be left out need none."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        if not self.get_data(cache=True):
            return {}
        try:
            return super().get_json(force=force, silent=silent, cache=cache)
        except RecursionError:
            raise BadRequest("The body nests too deeply. Expected a JSON object of a few levels.") from None

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        raise BadRequest(f"The body is no JSON: {e}. Expected a JSON object in UTF-8.") from e


class App(APIFlask):
    """Flask with OpenAPI; its own documentation pages load from elsewhere and stay off."""

    request_class = JsonRequest


def create_app(settings: Settings) -> App:
    """Build the web application.

    Raises:
        ConfigError: A setting that the web needs is missing or wrong.
    """
    app = App("web", title="Pawsort", version=_version(), docs_path=None, spec_path=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = MAX_JSON_BYTES
    services = make_services(settings)
    app.extensions[EXTENSION] = services
    metrics.register_measuring(app, services.meter)
    register_problems(app)
    register_security(app, settings)
    register_auth(app, settings)
    openapi.configure_openapi(app)
    labelling = (labels, label_quality, bulk_labels, corrections, reviews, audits)
    reading = (jobs, results, exports, images)
    watching = (health, metrics)
    for module in (uploads, archives, *reading, *labelling, models, evaluation, training, schedules, *watching):
        app.register_blueprint(module.api)
    app.register_blueprint(pages)
    return app


def make_services(settings: Settings) -> Services:
    """Open what every request shares; nothing connects before it is used."""
    check_secret_key(settings)
    return Services(
        settings=settings,
        db=Database(settings.sql_url, pool_size=settings.web_threads),
        blobs=Blobs(settings.store_url, settings.min_free_bytes),
        bell=Bell(make_celery(settings)),
        meter=Meter(),
    )


def _version() -> str:
    try:
        return version("pawsort")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0.0.0"

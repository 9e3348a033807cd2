"""Applications of tests: the views and templates of one application serve many tests, each with services of its own.

Building one takes longer than most requests. It keeps its settings, but for the places where data lies. Those, and all
that is counted or cached, belong to the services, which are made anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.base.config import Settings
from web.app import App, create_app, make_services
from web.http.context import EXTENSION

PLACES = ("data_dir", "database_url", "redis_url", "blob_url")
_built: list[tuple[Settings, App, dict[str, Any]]] = []


@contextmanager
def own_app(settings: Settings) -> Iterator[App]:
    """An application of a test that changes what is read when one is built."""
    with _closing(create_app(settings)) as app:
        yield app


@contextmanager
def shared_app(settings: Settings) -> Iterator[App]:
    """An application with these settings, whose views and configuration stay as they are."""
    kept = settings.model_copy(update=dict.fromkeys(PLACES))
    found = next(((app, extensions) for others, app, extensions in _built if others == kept), None)
    if found is None:
        app = create_app(settings)
        _built.append((kept, app, dict(app.extensions)))
    else:
        app, extensions = found
        app.extensions = {**extensions, EXTENSION: make_services(settings)}  # without what views have cached there
    with _closing(app):
        yield app


@contextmanager
def _closing(app: App) -> Iterator[App]:
    services = app.extensions[EXTENSION]
    yield app
    services.thumbnails.close()
    services.db.close()

"""Applications of tests: the views and templates of one application serve many tests, each with services of its own.

Building one takes longer than most requests. It keeps its settings, but for the places where data lies. Those, and all
that is counted or cached, belong to the services, which are made anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from core.base.config import Settings
from web.app import App, create_app, make_services
from web.http.context import EXTENSION

PLACES = ("data_dir", "database_url", "redis_url", "blob_url")
_built: list[tuple[Settings, App]] = []


@contextmanager
def shared_app(settings: Settings) -> Iterator[App]:
    """An application with these settings. A test that adds or changes views or configuration builds one of its own."""
    kept = settings.model_copy(update=dict.fromkeys(PLACES))
    app = next((app for others, app in _built if others == kept), None)
    if app is None:
        app = create_app(settings)
        _built.append((kept, app))
    else:
        app.extensions[EXTENSION] = make_services(settings)
    services = app.extensions[EXTENSION]
    yield app
    services.thumbnails.close()
    services.db.close()

"""Every view says which right it needs."""

import pytest
from flask import Flask

from core.accounts.rights import Right
from web.http.rights import check_views, needs, public


def make_app() -> Flask:
    app = Flask("test", static_folder=None)
    app.add_url_rule("/open", "open", public(lambda: "open"))
    app.add_url_rule("/seen", "seen", needs(Right.SEE)(lambda: "seen"))
    return app


def test_views_that_say_what_they_need_are_served() -> None:
    check_views(make_app())


def test_a_view_that_does_not_say_so_stops_the_start() -> None:
    app = make_app()
    app.add_url_rule("/forgotten", "forgotten", lambda: "for whom?")
    with pytest.raises(RuntimeError, match=r"without @needs.* or @public: forgotten"):
        check_views(app)

"""The theme of the pages: light, dark, or as the reader's system has it. A cookie keeps it."""

from flask import Blueprint, Flask, Response, request

from core.accounts.rights import Right
from web.http.redirects import own_path, see_other
from web.http.rights import needs

pages = Blueprint("theme_pages", __name__)

THEMES = ("system", "light", "dark")
COOKIE = "theme"
YEAR_S = 365 * 86400


def register_theme(app: Flask) -> None:
    """Let templates ask for the theme and the one that follows."""
    app.jinja_env.globals.update(theme=find_theme, next_theme=next_theme, themes=THEMES, theme_cookie=cookie_name)


def cookie_name() -> str:
    """The name of the cookie: over HTTPS no other host can set it, as for sessions (web.http.access.sessions)."""
    return f"__Host-{COOKIE}" if request.is_secure else COOKIE


def find_theme() -> str:
    """The theme of the reader."""
    theme = request.cookies.get(cookie_name(), "")
    return theme if theme in THEMES else THEMES[0]


def next_theme() -> str:
    """The theme that the switch leads to."""
    return THEMES[(THEMES.index(find_theme()) + 1) % len(THEMES)]


@pages.post("/theme")
@needs(Right.SEE)
def switch_theme() -> Response:
    """Keep the theme, and go back; with JavaScript, static/shared/page/theme.js does it without a page load."""
    theme = request.form.get("theme", "")
    response = see_other(own_path("back", "/"))
    chosen = theme if theme in THEMES else THEMES[0]
    response.set_cookie(cookie_name(), chosen, max_age=YEAR_S, samesite="Lax", secure=request.is_secure)
    return response

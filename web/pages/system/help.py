"""The help page, the guide below it, and the icon for browsers that ask for it by its old name."""

from pathlib import Path
from uuid import uuid4

from flask import Blueprint, redirect, render_template, request, send_from_directory, url_for
from werkzeug import Response

from core.accounts.rights import Right
from web.http.context import get_services
from web.http.rights import needs, public

# `make docs` builds it from the Markdown in docs; images and packages bring it along.
GUIDE = Path(__file__).parents[2] / "help"

pages = Blueprint("help_pages", __name__)


@pages.app_template_global()
def guide_address(page: str) -> str | None:
    """The address of a page of the guide by its name in `docs`; None where the guide is not installed."""
    path = f"docs/{page}.html"
    return url_for("help_pages.show_guide", path=path) if (GUIDE / path).is_file() else None


@pages.get("/help")
@needs(Right.SEE)
def show_help() -> str:
    """What the labels mean, and the commands, with the address of this server."""
    settings = get_services().settings
    return render_template(
        "system/help.html",
        address=request.host_url.rstrip("/"),
        max_image_bytes=settings.max_image_bytes,
        new_id=uuid4(),
    )


@pages.get("/help/<path:path>")
@public
def show_guide(path: str) -> Response:
    """A file of the guide: pages, styles, scripts and pictures that are the same for everybody."""
    return send_from_directory(GUIDE, path)


@pages.get("/favicon.ico")
@public
def show_favicon() -> Response:
    """The icon, for browsers that request it by this name."""
    return redirect(url_for("static", filename="shared/page/favicon.svg"), code=301)

"""The help page, and the icon for browsers that ask for it by its old name."""

from uuid import uuid4

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from core.accounts.rights import Right
from web.http.context import get_services
from web.http.rights import needs, public

pages = Blueprint("help_pages", __name__)


@pages.get("/help")
@needs(Right.SEE)
def show_help() -> str:
    """What the labels mean, and the commands, with the address of this server."""
    settings = get_services().settings
    address = request.host_url.rstrip("/")
    return render_template(
        "system/help.html", address=address, max_image_bytes=settings.max_image_bytes, new_id=uuid4()
    )


@pages.get("/favicon.ico")
@public
def show_favicon() -> Response:
    """The icon, for browsers that request it by this name."""
    return redirect(url_for("static", filename="shared/favicon.svg"), code=301)

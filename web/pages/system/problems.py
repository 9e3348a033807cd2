"""What each kind of problem means, for people who write programs: the address is the `type` in problem details."""

from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound

from web.http.openapi.pages import mark_code
from web.http.problem_types import BY_NAME, PROBLEM_TYPES
from web.http.rights import public

pages = Blueprint("problem_pages", __name__)


@pages.get("/problems")
@public
def list_problems() -> str:
    """All kinds of problems."""
    return render_template("system/problems.html", kinds=PROBLEM_TYPES, mark_code=mark_code)


@pages.get("/problems/<name>")
@public
def show_problem(name: str) -> str:
    """One kind of problem: what happened, and what to do."""
    kind = BY_NAME.get(name)
    if kind is None:
        raise NotFound
    return render_template("system/problems.html", kinds=[kind], mark_code=mark_code)

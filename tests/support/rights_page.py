"""docs/reference/rights.md: the table of routes and rights, written by `python -m tests.support.rights_page`."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from flask import Flask
from pydantic import SecretStr

from core.accounts.rights import ROLE_RIGHTS, Right, Role
from core.base.config import Settings
from tests.support.paths import ROOT
from web.app import create_app
from web.http.rights import Need, Route, list_routes

PAGE = ROOT / "docs" / "reference" / "rights.md"
HEAD = """# Rights

Every address needs a right. A role has rights; a token has those of its person that are among its scopes. What a person
made belongs to that person: jobs, uploads, and labels given in bulk. [Why](../decisions/{decision}) says more.

{roles}

“Own” means: only what this person made, and everything for people with the right `others`. Each answer without the
right is 403 with a sentence, without a login 401 or the login page. This page is written by
`python -m tests.support.rights_page` from the code, and a test walks all of it."""
DECISION = "0107-people-have-roles-and-things-have-owners.md"


def render(app: Flask) -> str:
    """The page."""
    columns = [role.value for role in Role]
    roles = _table(["Right", "Allows to", *columns], [_right(right) for right in Right])
    parts = [HEAD.format(roles=roles, decision=DECISION)]
    routes = list_routes(app)
    for title, is_here in (("HTTP API", True), ("Pages", False)):
        some = [route for route in routes if route.path.startswith("/api/") == is_here]
        head = ["Address", "Method", "Right", *columns]
        parts.append(f"## {title}\n\n{_table(head, map(_route, some))}")
    return "\n\n".join(parts) + "\n"


def _right(right: Right) -> list[str]:
    return [f"`{right}`", right.action, *("yes" if right in ROLE_RIGHTS[role] else "" for role in Role)]


def _route(route: Route) -> list[str]:
    path = route.path.replace("|", "\\|")
    right = "public" if route.need.right is None else f"`{route.need.right}`"
    return [f"`{path}`", route.method, right, *(_word(route.need, role) for role in Role)]


def _word(need: Need, role: Role) -> str:
    if need.right is not None and need.right not in ROLE_RIGHTS[role]:
        return ""
    return "own" if need.own and Right.OTHERS not in ROLE_RIGHTS[role] else "yes"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        secret = SecretStr("for a page that is written, long enough")
        app = create_app(Settings(_env_file=None, data_dir=Path(folder), secret_key=secret))  # type: ignore[call-arg]
        PAGE.write_text(render(app), encoding="utf-8")


if __name__ == "__main__":
    main()

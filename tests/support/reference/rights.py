"""docs/reference/rights.md: the table of routes and rights."""

from flask import Flask

from core.accounts.rights import ROLE_RIGHTS, Right, Role
from tests.support.reference.markdown import table
from web.http.rights import Need, Route, list_routes

HEAD = """# Rights

Every address needs a right. A role has rights; a token has those of its person that are among its scopes. What a person
made belongs to that person: jobs, uploads, and labels given in bulk. [Why](../decisions/{decision}) says more.

{roles}

“Own” means: only what this person made, and everything for people with the right `others`. Each answer without the
right is 403 with a sentence, without a login 401 or the login page. `make reference` writes this
page from the code, and a test walks all of it."""
DECISION = "0107-people-have-roles-and-things-have-owners.md"


def render(app: Flask) -> str:
    """The page."""
    columns = [role.value for role in Role]
    roles = table(["Right", "Allows to", *columns], [_right(right) for right in Right])
    parts = [HEAD.format(roles=roles, decision=DECISION)]
    routes = list_routes(app)
    for title, is_here in (("HTTP API", True), ("Pages", False)):
        some = [route for route in routes if route.path.startswith("/api/") == is_here]
        head = ["Address", "Method", "Right", *columns]
        parts.append(f"## {title}\n\n{table(head, map(_route, some))}")
    return "\n\n".join(parts) + "\n"


def _right(right: Right) -> list[str]:
    return [f"`{right}`", right.action, *("yes" if right in ROLE_RIGHTS[role] else "" for role in Role)]


def _route(route: Route) -> list[str]:
    right = "public" if route.need.right is None else f"`{route.need.right}`"
    return [f"`{route.path}`", route.method, right, *(_word(route.need, role) for role in Role)]


def _word(need: Need, role: Role) -> str:
    if need.right is not None and need.right not in ROLE_RIGHTS[role]:
        return ""
    return "own" if need.own and Right.OTHERS not in ROLE_RIGHTS[role] else "yes"

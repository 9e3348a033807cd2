"""`pawsort token`: make, list and revoke bearer tokens."""

from typing import TYPE_CHECKING

import click

from instance.base.transaction import transaction
from pawsort.help import examples
from pawsort.terminal import TextTable, say, show

if TYPE_CHECKING:
    from datetime import datetime

    from core.orm.accounts import Token

RIGHTS = ("see", "label", "send", "others", "models", "schedules", "people", "system")  # of core.accounts.rights
DEFAULT_DAYS = 90  # as core.accounts.tokens


@click.group("token", epilog=examples("pawsort token create", "pawsort token list"))
def command() -> None:
    """Make, list and revoke bearer tokens."""


@command.command(
    "create",
    epilog=examples(
        "PAWSORT_TOKEN=$(pawsort token create)", "pawsort token create --user camera --never --scope send --scope see"
    ),
)
@click.option("--name", default="shell", show_default=True, metavar="N", help="Name of the token.")
@click.option("--user", metavar="U", help="Name of its user; a new name adds a user. [default: the owner]")
@click.option(
    "--days", type=click.IntRange(1, 36500), default=DEFAULT_DAYS, show_default=True, help="How long it works."
)
@click.option("--never", is_flag=True, help="It never expires.")
@click.option("--scope", multiple=True, type=click.Choice(RIGHTS), help="What it may do; repeat it. [default: all]")
def create(name: str, user: str | None, days: int, never: bool, scope: tuple[str, ...]) -> None:
    """Print a new bearer token, and nothing else, on standard output. It cannot be shown again.

    Labels and jobs show the user of their token. A new user is a member; `pawsort user role` changes that.
    """
    with transaction() as session:
        from core.accounts.accounts import OWNER, get_or_create_user, list_names
        from core.accounts.audit_log import Action, record
        from core.accounts.people import act_as_owner
        from core.accounts.rights import Right
        from core.accounts.tokens import add_token

        actor = act_as_owner(session)
        known = list_names(session)
        person = get_or_create_user(session, OWNER if user is None else user)
        if person.id not in known:
            record(session, actor, Action.USER_CREATE, "user", person.id, name=person.name, role=person.role)
        scopes = frozenset(map(Right, scope)) or None
        new = add_token(session, name, person, days=None if never else days, scopes=scopes, actor=actor)
        created = {"id": new.token.id, "token": new.key}
    show(created, new.key)


@command.command("list", epilog=examples("pawsort token list --user ada", "pawsort token list --json"))
@click.option("--user", metavar="U", help="Only the tokens of this user.")
def list_(user: str | None) -> None:
    """List the tokens that work, newest first."""
    table = TextTable("id", "user", "name", "may", "created", "last used", "expires")
    listed = []
    with transaction() as session:
        from core.accounts import accounts, people, tokens

        names = accounts.list_names(session)
        user_id = None if user is None else people.get_person(session, user).id
        for one in tokens.list_tokens(session, user_id):
            dates = _day(one.created_at), _day(one.last_used_at), _day(one.expires_at)
            table.add_row(str(one.id), names[one.user_id], one.name, one.scopes or "everything", *dates)
            listed.append(_describe(one, names[one.user_id]))
    show(listed, table)


@command.command("revoke", epilog=examples("pawsort token revoke 7"))
@click.argument("token_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
def revoke(token_id: int) -> None:
    """Make a token stop working at once; `pawsort token list` shows its ID.

    Browsers that logged in with it are logged out.
    """
    with transaction() as session:
        from core.accounts.people import act_as_owner
        from core.accounts.tokens import revoke_token

        name = revoke_token(session, act_as_owner(session), token_id).name
    say(f"Token {token_id} ({name}) does not work any more.")


def _describe(token: "Token", user: str) -> dict[str, object]:
    scopes = token.scopes.split() if token.scopes else None
    moments = {"created_at": token.created_at, "last_used_at": token.last_used_at, "expires_at": token.expires_at}
    return {"id": token.id, "user": user, "name": token.name, "scopes": scopes, **moments}


def _day(moment: "datetime | None") -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d}"

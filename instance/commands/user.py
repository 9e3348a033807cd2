"""`pawsort user`: who may use this installation, and with which role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from instance.base.transaction import transaction
from pawsort.help import examples
from pawsort.terminal import TextTable, say, show

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.accounts.rights import Actor

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
WORDS = ("none", "default")
ROLES = ("viewer", "member", "admin")  # as core.accounts.rights.Role, which is imported only when it is needed


address_option = click.option(
    "--address", metavar="URL", help="Address of the page. [default: PAWSORT_PUBLIC_URL, or that of `pawsort up`]"
)


@click.group("user", epilog=examples("pawsort user list", "pawsort user invite ada --role admin"))
def command() -> None:
    """List people, invite them, change their roles, disable and enable them."""


@command.command("list", epilog=examples("pawsort user list", "pawsort user list --json"))
def list_() -> None:
    """List everybody with their roles."""
    with _acting() as (session, _):
        from core.accounts import people

        table, listed = TextTable("name", "role", "since", "state"), []
        for one in people.list_people(session):
            state = f"disabled on {one.disabled_at:%Y-%m-%d}" if one.disabled_at else ""
            table.add_row(one.name, one.role, f"{one.created_at:%Y-%m-%d}", state)
            listed.append({name: getattr(one, name) for name in ("name", "role", "created_at", "disabled_at")})
    show(listed, table)


@command.command("role", epilog=examples("pawsort user role ada viewer"))
@click.argument("name", metavar="NAME")
@click.argument("role", metavar="ROLE", type=click.Choice(ROLES))
def change_role(name: str, role: str) -> None:
    """Make NAME a viewer, a member or an admin.

    Viewers see all jobs, pictures and models. Members also upload, label, and change what they made. Admins change
    everything. The person sees a notice on the next page.
    """
    with _acting() as (session, actor):
        from core.accounts import people
        from core.accounts.rights import Role

        people.set_role(session, actor, name, Role(role))
    say(f"{name} is {'an' if role == 'admin' else 'a'} {role} now.")


@command.command("disable", epilog=examples("pawsort user disable ada"))
@click.argument("name", metavar="NAME")
def disable(name: str) -> None:
    """Refuse NAME from now on: every session ends, every token is revoked. What NAME made stays.

    Tokens, invitations and password links that NAME had stay revoked, even after `pawsort user enable`.
    """
    with _acting() as (session, actor):
        from core.accounts import people

        people.disable(session, actor, name)
    say(
        f"{name} is disabled, and all tokens of {name} are revoked. `pawsort user enable {name}` lets {name} log in"
        " again, but revoked tokens stay revoked."
    )


@command.command("enable", epilog=examples("pawsort user enable ada"))
@click.argument("name", metavar="NAME")
def enable(name: str) -> None:
    """Let a disabled person log in again, with the password or provider of before. Old tokens stay revoked."""
    with _acting() as (session, actor):
        from core.accounts import people

        people.enable(session, actor, name)
    say(f"{name} is enabled. Old tokens stay revoked: `pawsort token create --user {name}` makes a new one.")


@command.command("hand-over", epilog=examples("pawsort user hand-over ada eve"))
@click.argument("name", metavar="NAME")
@click.argument("to", metavar="TO")
def hand_over(name: str, to: str) -> None:
    """Give all jobs, uploads and schedules of NAME to TO, a member or an admin."""
    with _acting() as (session, actor):
        from core.jobs import handover

        n_jobs = handover.hand_over_all(session, actor, name, to)
    jobs = "1 job" if n_jobs == 1 else f"{n_jobs:,} jobs"
    say(f"{jobs}, with all uploads and schedules of {name}, belong to {to} now.")


class Amount(click.ParamType["int | str"]):
    """5000, 20GB, none, or default: what a quota can be."""

    name = "amount"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """A number, or one of the words."""
        if value in WORDS:
            return value
        number = value.upper().removesuffix("B")
        unit = number[-1:] if number[-1:] in UNITS else ""
        if not number.removesuffix(unit).isdecimal():
            self.fail(f"expected a number such as 5000 or 20GB, or none, or default; got {value!r}.", param, ctx)
        return min(int(number.removesuffix(unit)) * UNITS[unit], 10**18)


@command.command(
    "quota", epilog=examples("pawsort user quota ada", "pawsort user quota ada --bytes 20GB --images none")
)
@click.argument("name", metavar="NAME")
@click.option(
    "--bytes", "n_bytes", type=Amount(), metavar="N", help="Such as 20GB; none: no limit, default: the usual."
)
@click.option("--images", "n_images", type=Amount(), metavar="N", help="Pictures, in the same way.")
def set_quota(name: str, n_bytes: int | str | None, n_images: int | str | None) -> None:
    """Show what NAME uses, or give NAME a quota other than PAWSORT_QUOTA_BYTES and PAWSORT_QUOTA_IMAGES."""
    with _acting() as (session, actor):
        from core.accounts import people
        from core.base.config import load_settings
        from core.uploads import usage
        from core.uploads.usage import UNLIMITED, Quota

        def chosen(amount: int | str | None, present: int | None) -> int | None:
            if amount is None:
                return present
            return {"none": UNLIMITED, "default": None}[amount] if isinstance(amount, str) else amount

        user_id = people.get_person(session, name).id
        own = usage.read_own_quota(session, user_id)
        usage.set_quota(session, actor, user_id, Quota(chosen(n_bytes, own.n_bytes), chosen(n_images, own.n_images)))
        used = usage.read_usage(session, user_id, Quota.from_settings(load_settings()))
    n_bytes_used, n_images_used = f"{used.n_bytes:,} bytes", f"{used.n_images:,} pictures"
    show(
        {"name": name, "n_bytes": used.n_bytes, "n_images": used.n_images, "quota": used.quota._asdict()},
        f"{name} uses {n_bytes_used} ({_of(used.quota.n_bytes)}) and {n_images_used} ({_of(used.quota.n_images)}).",
    )


def _of(most: int | None) -> str:
    return "no limit" if most is None else f"of {most:,}"


@command.command(
    "invite",
    short_help="Print a link with which somebody joins.",
    epilog=examples("pawsort user invite ada --role viewer", "pawsort user invite --address https://pawsort.example"),
)
@click.argument("recipient", metavar="[NAME|EMAIL]", default="")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True)
@address_option
def invite(recipient: str, role: str, address: str | None) -> None:
    """Print a link with which somebody joins as a viewer, member or admin. It works once, within 72 hours.

    NAME is offered to the invited person; an EMAIL address is only shown in the list of open invitations. Pawsort sends
    no email: send the link yourself, in a way that others cannot read.
    """
    with _acting() as (session, actor):
        from core.accounts import invitations
        from core.accounts.rights import Role

        _, code = invitations.invite(session, actor, Role(role), recipient)
    _print_link(f"/invitation?code={code}", address)


@command.command(
    "reset",
    short_help="Print a link with which NAME sets a new password.",
    epilog=examples("pawsort user reset ada"),
)
@click.argument("name", metavar="NAME")
@address_option
def reset(name: str, address: str | None) -> None:
    """Print a link with which NAME sets a new password. It works once, within 72 hours.

    Using it logs NAME out on all devices. Tokens stay valid: `pawsort token list` shows them.
    """
    with _acting() as (session, actor):
        from core.accounts import invitations, people

        code = invitations.create_password_reset(session, actor, people.get_person(session, name))
    _print_link(f"/new-password?code={code}", address)


def _print_link(path: str, address: str | None) -> None:
    """Print a link, and nothing else, on standard output."""
    from core.base.config import load_settings
    from instance.supervisor.attach import find_page

    link = find_page(load_settings(), address) + path
    show({"link": link}, link)


@contextmanager
def _acting() -> Iterator[tuple["Session", "Actor"]]:
    """A transaction in this installation's database, and its owner as the person who acts."""
    with transaction() as session:
        from core.accounts import people

        yield session, people.act_as_owner(session)

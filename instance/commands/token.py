"""`pawsort token create`: make bearer tokens."""

import click

from instance.base.core_errors import translate_core_errors


@click.group("token")
def command() -> None:
    """Make bearer tokens."""


@command.command("create")
@click.option("--name", default="shell", show_default=True, metavar="N", help="Name of the token.")
@click.option("--user", metavar="U", help="Name of its user; a new name adds a user. [default: the owner]")
def create(name: str, user: str | None) -> None:
    """Print a new bearer token, and nothing else, on standard output. It cannot be shown again.

    Labels and jobs show the user of their token. A new user is a member; `pawsort user role` changes that.
    """
    with translate_core_errors():
        from core.accounts.accounts import create_token, get_or_create_user
        from core.base.config import load_settings
        from instance.base.migration import migrate_database

        db = migrate_database(load_settings())
        with db.write() as session:
            token = create_token(session, name, None if user is None else get_or_create_user(session, user))
        db.close()
    click.echo(token)

"""`pawsort token create`: bearer tokens for scripts."""

import click

from instance.supervisor.error_messages import sentences


@click.group("token")
def command() -> None:
    """Make bearer tokens."""


@command.command("create")
@click.option("--name", default="shell", show_default=True, metavar="N", help="What it is for.")
@click.option("--user", metavar="U", help="Whose it is, by name; who is new is added. [default: the owner]")
def create(name: str, user: str | None) -> None:
    """Print a new bearer token, alone, on standard output. It cannot be shown again.

    Labels and jobs name the person whose token they came with. The page System is the owner's alone.
    """
    with sentences():
        from core.accounts.accounts import create_token, get_or_create_user
        from core.base.config import load_settings
        from instance.supervisor.prepare import migrate_database

        db = migrate_database(load_settings())
        with db.write() as session:
            token = create_token(session, name, get_or_create_user(session, user.strip()) if user else None)
        db.close()
    click.echo(token)

"""`pawsort token create`: bearer tokens for scripts."""

import click

from client.administering import sentences


@click.group("token")
def command() -> None:
    """Make bearer tokens."""


@command.command("create")
@click.option("--name", default="shell", show_default=True, metavar="N", help="What it is for.")
def create(name: str) -> None:
    """Print a new bearer token, alone, on standard output. It cannot be shown again."""
    with sentences():
        from client.instance.prepare import migrate_installation
        from core.accounts import create_token
        from core.config import load_settings

        db = migrate_installation(load_settings())
        with db.write() as session:
            token = create_token(session, name)
        db.close()
    click.echo(token)

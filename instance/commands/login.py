"""`pawsort login`: print a link that logs a person in once."""

from pathlib import Path

import click

from instance.base.transaction import transaction
from pawsort.help import examples
from pawsort.terminal import show


@click.command(
    "login",
    short_help="Print a link that logs you in.",
    epilog=examples("pawsort login", "pawsort login --user ada --address https://pawsort.example"),
)
@click.option("--user", metavar="NAME", help="Log in as this person. [default: the owner]")
@click.option(
    "--address", metavar="URL", help="Address of the page. [default: PAWSORT_PUBLIC_URL, or that of `pawsort up`]"
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Data directory. [default: ~/.local/share/pawsort]",
)
def command(user: str | None, address: str | None, data: Path | None) -> None:
    """Print a link that logs in once, within 10 minutes, after a press on its button.

    People who may run this command on the server can log in as anybody. In a container, give the address that browsers
    use, such as `--address https://pawsort.example`.
    """
    with transaction(data) as session:
        from core.accounts.accounts import get_or_create_owner
        from core.accounts.login_codes import create_login_code
        from core.accounts.people import get_person
        from core.base.config import load_settings
        from instance.supervisor.address import login_link
        from instance.supervisor.attach import find_page

        person = get_or_create_owner(session) if user is None else get_person(session, user)
        code = create_login_code(session, person)
    link = login_link(find_page(load_settings(data_dir=data), address), code)
    show({"link": link}, link)

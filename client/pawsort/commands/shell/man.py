"""`pawsort man`: write the man pages, from the same source as `--help`."""

import os
from importlib.metadata import version
from pathlib import Path

import click

from pawsort.help import examples
from pawsort.manual import file_name, iterate_pages, to_man
from pawsort.terminal import say, show


@click.command("man", epilog=examples("pawsort man && man pawsort-classify", "pawsort man --to build/man"))
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder for the pages. [default: ~/.local/share/man/man1; man looks there if ~/.local/bin is on the PATH]",
)
def command(folder: Path | None) -> None:
    """Write the man pages of all commands: `man pawsort`, `man pawsort-classify`, `man pawsort-jobs-show`."""
    pages = list(iterate_pages(click.get_current_context().find_root().command, "pawsort"))
    folder = folder or Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "man" / "man1"
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        (folder / file_name(page)).write_text(to_man(page, version("pawsort")), "utf-8")
    say(f"Wrote {len(pages)} pages to {folder}.")
    show({"folder": str(folder), "pages": [file_name(page) for page in pages]})

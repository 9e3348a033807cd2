"""`pawsort up`: an instance on this machine, in the foreground."""

import contextlib
import os
import shlex
import sys
from functools import partial
from pathlib import Path

import click

from instance.base.core_errors import translate_core_errors
from pawsort.help import examples
from pawsort.terminal import Output, current_output


@click.command(
    "up",
    short_help="Start everything, and keep it running until Ctrl-C.",
    epilog=examples("pawsort up", "pawsort up --port 8080 --data /srv/pawsort"),
)
@click.option("--host", metavar="H", help="Address to listen on. [default: PAWSORT_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), metavar="P", help="Port. [default: 8000 or the next free one]")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Data directory. [default: ~/.local/share/pawsort]",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def command(host: str | None, port: int | None, data: Path | None, until_stdin_closes: bool) -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    Starts the web server, the workers and, unless PAWSORT_REDIS_URL names a broker, an embedded Valkey. Restarts
    processes that die.
    """
    os.umask(0o077)  # files of this process and its children are accessible by their owner only
    with translate_core_errors():
        from core.base.config import load_settings

        settings = load_settings(host=host, port=port, data_dir=data)
    from instance.supervisor.supervisor import Options, Supervisor

    options = Options(
        explicit_port="port" in settings.model_fields_set and settings.port != 0,
        until_stdin_closes=until_stdin_closes,
        is_on_terminal=is_on_terminal() and not until_stdin_closes,
        login_command="pawsort login" if data is None else shlex.join(("pawsort", "login", "--data", str(data))),
    )
    Supervisor(settings, options, partial(_notify, current_output())).run()


def is_on_terminal() -> bool:
    """Whether a person reads what is printed, and no file keeps it."""
    return sys.stdout.isatty()


def _notify(output: Output, sentence: str) -> None:
    # A closed terminal must not stop the instance.
    with contextlib.suppress(OSError):
        for line in [] if output.is_quiet else sentence.split("\n"):
            output.show_line({"message": line}, line)

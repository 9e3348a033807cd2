"""`pawsort up`: one machine, in the foreground."""

import contextlib
import os
from pathlib import Path

import click

from instance.supervisor.error_messages import sentences


@click.command("up")
@click.option("--host", metavar="H", help="Address to listen on; 127.0.0.1 unless PAWSORT_HOST says otherwise.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="P", help="Port; without it 8000 or the next free one.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Data directory; ~/.local/share/pawsort.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def command(host: str | None, port: int | None, data: Path | None, until_stdin_closes: bool) -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    Web server, workers and, unless PAWSORT_REDIS_URL names one, an embedded Valkey. Whatever dies is started again.
    """
    os.umask(0o077)  # whatever is made here, by us or by our children, is the owner's alone
    with sentences():
        from core.base.config import load_settings

        settings = load_settings(host=host, port=port, data_dir=data)
    from instance.supervisor.supervisor import Options, Supervisor

    options = Options(
        explicit_port="port" in settings.model_fields_set and settings.port != 0, until_stdin_closes=until_stdin_closes
    )
    Supervisor(settings, options, _say).run()


def _say(sentence: str) -> None:
    # A terminal that has gone away must not take the instance with it.
    with contextlib.suppress(OSError):
        click.echo(sentence)

"""The command `pawsort`. A subcommand is imported only when it is called, so every one of them starts quickly."""

import importlib
import importlib.util
import os
import sys
from importlib.metadata import EntryPoint, entry_points

import click

from pawsort.api.errors import ClientError
from pawsort.terminal import echo, print_error

# The client's own commands: `pawsort.commands.<name>` holds each as `command`.
COMMANDS = {
    "classify": "Label the pictures in folders, files, tars and zips.",
    "jobs": "List the jobs.",
    "cancel": "Stop a job.",
    "queue": "Pause and resume work, let a job go first, retry failed jobs.",
    "export": "Write the results of a job to a file.",
    "sort": "Sort a job's pictures on this disk into folders by label.",
    "correct": "Import corrections from a sorted folder that was rearranged by hand.",
    "labels": "Import labels from a table, and undo that.",
    "verify": "Compute some results of a table again, and compare.",
    "withdraw": "Withdraw the labels that the folders of an upload gave.",
    "train": "Train a network on a labelled folder.",
    "models": "List the model versions; find a threshold that keeps a promise.",
    "promote": "Put a model version into use.",
    "rollback": "Restore the model version that was in use before.",
    "schedules": "List, add, pause, run and delete schedules.",
}
# Other installed packages add commands with entry points of this group; `instance` does.
ENTRY_POINTS = "pawsort.commands"
INTERRUPTED = 130


class CommandGroup(click.Group):
    """The client's own commands, and those of installed packages."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; its errors are shown as sentences."""
        try:
            return super().invoke(ctx)
        except ClientError as error:
            raise click.ClickException(error.message) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_installed_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            command: click.Command = importlib.import_module(f"pawsort.commands.{cmd_name}").command
            return command
        installed = _installed_commands()
        if cmd_name in installed:
            command = installed[cmd_name].load()
            return command
        if not installed:
            raise click.ClickException(
                f"`pawsort {cmd_name}` is not a command of the client, and only the client is installed here. Commands"
                " that run a server, such as `pawsort up`, come with the server: its containers, or `make setup` in a"
                " checkout of Pawsort."
            )
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the client's commands without importing them, then those of installed packages."""
        with formatter.section("Commands for any server"):
            formatter.write_dl(list(COMMANDS.items()))
        if installed := _installed_commands():
            with formatter.section("Commands for the installation on this machine"):
                formatter.write_dl([(name, point.load().get_short_help_str(90)) for name, point in installed.items()])


def _installed_commands() -> dict[str, EntryPoint]:
    """The entry points whose package is there: a wheel without the server's packages still names their commands."""
    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return {point.name: point for point in points if importlib.util.find_spec(point.module.partition(".")[0])}


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="pawsort", message="%(version)s")
def cli() -> None:
    """Pawsort: a folder of pictures goes in, labels come out."""


def main() -> None:
    """Run a command and exit with its exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        print_error(error)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        echo("Stopped.", err=True)
        # Uploading threads may still be running. Do not wait for them.
        sys.stdout.flush()
        os._exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()

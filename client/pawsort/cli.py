"""The command `pawsort`. Each subcommand is imported only when it is called, so that all of them start quickly."""

import importlib
import importlib.util
import os
import sys
from importlib.metadata import entry_points

import click

COMMANDS = {
    "up": "Start everything on this machine, in the foreground.",
    "classify": "Label the pictures in folders, files, tars and zips.",
    "jobs": "List the jobs.",
    "cancel": "Stop a job.",
    "export": "Write the results of a job to a file.",
    "sort": "Sort the pictures of a job on this disk into folders by label.",
    "correct": "Read a sorted folder that was rearranged by hand as corrections.",
    "train": "Train a network on a labelled folder.",
    "models": "List the model versions.",
    "promote": "Put a model version into use.",
    "rollback": "Put back the version that was in use before the present one.",
    "schedules": "List, add, pause, run and delete schedules.",
    "token": "Make bearer tokens.",
    "migrate": "Bring the database's schema up and register the shipped models.",
    "move": "Copy the installation of this machine into servers: PostgreSQL and S3.",
    "web": "Run the web server alone, with servers of your own.",
    "worker": "Run one worker alone, with servers of your own.",
    "alive": "Say by the exit code whether a part of this machine works: for health checks.",
    "doctor": "Check an installation, and say what is wrong and what to do.",
}
INTERRUPTED = 130
ENTRY_POINTS = "pawsort.commands"


class LazyGroup(click.Group):
    """Subcommands by name. `pawsort.commands.<name>` holds each of the client's as `command`, installed packages the
    others, by an entry point of the group `pawsort.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        others = entry_points(group=ENTRY_POINTS).names
        known = [name for name in COMMANDS if name in others or _is_ours(name)]
        return known + sorted(others - COMMANDS.keys())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if _is_ours(cmd_name):
            command: click.Command = importlib.import_module(f"pawsort.commands.{cmd_name}").command
            return command
        found = entry_points(group=ENTRY_POINTS, name=cmd_name)
        if not found and cmd_name in COMMANDS:
            raise click.ClickException(
                f"`pawsort {cmd_name}` needs a Pawsort server's own program, and only the client is installed here."
            )
        return next(iter(found)).load() if found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS.get(name, "")) for name in self.list_commands(ctx)])


def _is_ours(name: str) -> bool:
    return name in COMMANDS and importlib.util.find_spec(f"pawsort.commands.{name}") is not None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="pawsort", message="%(version)s")
def cli() -> None:
    """Pawsort: a folder of pictures goes in, labels come out."""


def main() -> None:
    """Run a command and end with its exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        # Threads may still be sending; nobody waits for them.
        sys.stdout.flush()
        os._exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()

"""The command `pawsort`. A subcommand is imported only when it is called, so every one of them starts quickly."""

import importlib
import importlib.util
import os
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import IO, Any, NamedTuple

import click

from pawsort.api.errors import ClientError, RequestFailed
from pawsort.help import examples
from pawsort.terminal import Output, add_output_options, current_output, echo

INTERRUPTED = 130
COMPLETION_VARIABLE = "_PAWSORT_COMPLETE"  # also where the command is called by another name
# Other installed packages add commands with entry points of this group; `instance` does.
ENTRY_POINTS = "pawsort.commands"


class Entry(NamedTuple):
    """A command of the client: the module below `pawsort.commands` that has it as `command`, and a line of help."""

    module: str
    help: str


COMMANDS = {
    "classify": Entry("classify", "Label the pictures in folders, files, tars and zips."),
    "jobs": Entry("jobs.jobs", "List the jobs, or show one."),
    "results": Entry("jobs.results", "List the results of a job."),
    "export": Entry("jobs.export", "Write the results of a job to a file."),
    "verify": Entry("jobs.verify", "Compute some results of a table again, and compare."),
    "cancel": Entry("jobs.cancel", "Stop a job."),
    "queue": Entry("jobs.queue", "Pause and resume work, let a job go first, retry failed jobs."),
    "sort": Entry("labels.sort", "Sort a job's pictures on this disk into folders by label."),
    "correct": Entry("labels.correct", "Import corrections from a sorted folder that was rearranged by hand."),
    "labels": Entry("labels.labels", "Import labels from a table, and undo that."),
    "withdraw": Entry("labels.withdraw", "Withdraw the labels that the folders of an upload gave."),
    "train": Entry("train", "Train a network on a labelled folder."),
    "models": Entry("models.models", "List the model versions; find a threshold that keeps a promise."),
    "promote": Entry("models.promote", "Put a model version into use."),
    "rollback": Entry("models.rollback", "Restore the model version that was in use before."),
    "schedules": Entry("schedules.schedules", "List, add, pause, run and delete schedules."),
    "webhooks": Entry("webhooks", "List webhooks and what was sent, and send it again."),
    "audit-log": Entry("audit_log", "List who did what, or write it to a file."),
    "completion": Entry("shell.completion", "Complete commands, jobs and versions with the Tab key."),
    "man": Entry("shell.man", "Write the man pages."),
}


class Interrupted(click.ClickException):
    """The user stopped the command."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("Stopped.")

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence alone: it is no error."""
        click.echo(self.message, file=file)


class CommandFailed(click.ClickException):
    """An error of the client, with what the server said of it."""

    def __init__(self, error: ClientError) -> None:
        super().__init__(error.message)
        self.problem = {"status": error.status, **error.problem} if isinstance(error, RequestFailed) else {}


class CommandGroup(click.Group):
    """The client's own commands, and those of installed packages. Each takes `--json` and `--quiet`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_installed_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = _find_command(cmd_name)
        return None if command is None else add_output_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the client's commands without importing them, then those of installed packages."""
        with formatter.section("Commands for any server"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])
        if installed := _installed_commands():
            with formatter.section("Commands for the installation on this machine"):
                formatter.write_dl([(name, point.load().get_short_help_str(90)) for name, point in installed.items()])

    def invoke(self, ctx: click.Context) -> None:
        """Run a command. What goes wrong becomes a sentence, and JSON where that is wanted."""
        words, output = list(ctx.args), current_output()
        try:
            code = super().invoke(ctx)
        except click.ClickException as error:
            if isinstance(error, click.UsageError):  # perhaps before the options were read
                output.is_json |= "--json" in words
            output.fail(error)
            ctx.exit(error.exit_code)
        except ClientError as error:
            output.fail(CommandFailed(error))
            ctx.exit(CommandFailed.exit_code)
        except (click.Abort, KeyboardInterrupt):
            output.fail(Interrupted())
            ctx.exit(INTERRUPTED)
        except (click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if output.is_json:
                output.fail(click.ClickException(f"Unexpected {type(error).__name__}: {error}"))
            raise
        output.finish()
        ctx.exit(code if isinstance(code, int) else 0)


def _find_command(name: str) -> click.Command | None:
    if name in COMMANDS:
        command: click.Command = importlib.import_module(f"pawsort.commands.{COMMANDS[name].module}").command
        return command
    installed = _installed_commands()
    if name in installed:
        command = installed[name].load()
        return command
    if not installed:
        raise click.ClickException(
            f"`pawsort {name}` is not a command of the client, and only the client is installed here. Commands"
            " that run a server, such as `pawsort up`, come with the server: its containers, or `make setup` in a"
            " checkout of Pawsort."
        )
    return None


def _installed_commands() -> dict[str, EntryPoint]:
    """The entry points whose package is there: a wheel without the server's packages still names their commands."""
    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return {point.name: point for point in points if importlib.util.find_spec(point.module.partition(".")[0])}


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples("pawsort classify photos -o photos.csv", "pawsort jobs --json", "pawsort completion install"),
)
@click.version_option(package_name="pawsort", message="%(version)s")
def cli() -> None:
    """Pawsort: a folder of pictures goes in, labels come out."""


add_output_options(cli)


def main() -> None:
    """Run a command and exit with its exit code."""
    try:
        code = cli.main(standalone_mode=False, complete_var=COMPLETION_VARIABLE)
    except click.ClickException as error:  # before there is a command
        output = Output()
        output.is_json = "--json" in sys.argv
        output.fail(error)
        code = error.exit_code
    except click.Abort:
        echo("Stopped.", err=True)
        code = INTERRUPTED
    if code == INTERRUPTED:
        # Uploading threads may still be running. Do not wait for them.
        sys.stdout.flush()
        os._exit(INTERRUPTED)
    sys.exit(code)


if __name__ == "__main__":
    main()

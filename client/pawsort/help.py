"""Examples at the end of a command's help. The man pages and the reference show the same ones."""

import click

_HEAD = "\b\nExamples:\n"  # \b: click does not wrap these lines


def examples(*lines: str) -> str:
    """Return the epilog of a command from examples, each as one types it.

    JOB stands for the id of a job, and BATCH for that of a batch of labels.
    """
    return _HEAD + "\n".join(f"  {line}" for line in lines)


def examples_of(command: click.Command) -> list[str]:
    """Return the examples of a command; none if it has no such epilog."""
    epilog = command.epilog or ""
    return [line.strip() for line in epilog.removeprefix(_HEAD).splitlines()] if epilog.startswith(_HEAD) else []

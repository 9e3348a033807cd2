"""`pawsort webhooks`: list webhooks and what was sent to them, and send it again."""

import itertools
from typing import get_args

import click

from pawsort.commands import moments
from pawsort.commands.arguments import number_argument
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import Attempt, DeliveryState, Webhook
from pawsort.terminal import TextTable, say, show


@click.group(
    "webhooks",
    invoke_without_command=True,
    epilog=examples("pawsort webhooks", "pawsort webhooks deliveries 1 --state failed", "pawsort webhooks replay 1"),
)
@server_options
@click.pass_context
def command(context: click.Context, server: str | None, token: str | None) -> None:
    """Webhooks: addresses that are told when a job has ended.

    Without a subcommand, list them. The page Account adds one.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_webhooks, server=server, token=token)


@command.command("list", epilog=examples("pawsort webhooks list --json"))
@server_options
def list_webhooks(server: str | None, token: str | None) -> None:
    """List the webhooks, newest first."""
    with connect(server, token) as client:
        webhooks = list(client.webhooks.list())
    if not webhooks:
        say("There are no webhooks yet. The page Account, or POST /api/v1/webhooks, adds one.")
    table = TextTable("number", "name", "address", "of", "state")
    for one in webhooks:
        table.add_row(str(one.id), one.name, one.url, _whose(one), _state(one))
    show(webhooks, table if webhooks else ())


@command.command("deliveries", epilog=examples("pawsort webhooks deliveries 1 --state failed"))
@number_argument
@click.option("--state", type=click.Choice(get_args(DeliveryState)), help="Only those in this state.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), metavar="N", help="How many to list.")
@server_options
def deliveries(number: int, state: DeliveryState | None, limit: int, server: str | None, token: str | None) -> None:
    """List what was sent to a webhook and what waits, newest first."""
    with connect(server, token) as client:
        listed = list(itertools.islice(client.webhooks.deliveries(number, state=state), limit))
    if not listed:
        say(f"Nothing was sent. `pawsort webhooks test {number}` sends a test event.")
    table = TextTable("delivery", "event", "when", "state", "last answer", "next attempt")
    for one in listed:
        cells = (moments.shorten(one.occurred_at), one.state, _answer(one.last_attempt))
        table.add_row(str(one.id), one.event, *cells, moments.shorten(one.next_attempt_at))
    show(listed, table if listed else ())


@command.command("test", epilog=examples("pawsort webhooks test 1"))
@number_argument
@server_options
def test(number: int, server: str | None, token: str | None) -> None:
    """Send a test event."""
    with connect(server, token) as client:
        delivery = client.webhooks.test(number)
    say(f"A test event is on its way. `pawsort webhooks deliveries {number}` shows whether it arrives.")
    show(delivery)


@command.command("replay", epilog=examples("pawsort webhooks replay 1", "pawsort webhooks replay 1 --delivery 17"))
@number_argument
@click.option("--delivery", type=click.IntRange(1), metavar="DELIVERY", help="Only this one, even if it arrived.")
@server_options
def replay(number: int, delivery: int | None, server: str | None, token: str | None) -> None:
    """Send again everything that failed, and now what waits for its next attempt."""
    with connect(server, token) as client:
        if delivery is not None:
            show(client.webhooks.replay(number, delivery))
            say(f"Delivery {delivery} is sent again.")
            return
        replayed = client.webhooks.replay_all(number)
    n = replayed.replayed
    say(f"{n} {'delivery is' if n == 1 else 'deliveries are'} sent again.")
    show(replayed)


def _whose(webhook: Webhook) -> str:
    """Whose events it gets."""
    return "everybody" if webhook.scope == "everybody" else webhook.user or ""


def _state(webhook: Webhook) -> str:
    if not webhook.is_on:
        return "off"
    return "failing" if webhook.failing_since else "on"


def _answer(attempt: Attempt | None) -> str:
    return "" if attempt is None else str(attempt.status or attempt.error)

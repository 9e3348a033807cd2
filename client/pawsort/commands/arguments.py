"""Arguments that several commands take."""

import click

number_argument = click.argument("number", metavar="NUMBER", type=click.IntRange(1, 2**31 - 1))

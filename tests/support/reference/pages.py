"""The pages by name, and where they are."""

from collections.abc import Callable

from core.base.database import Database
from tests.support.paths import ROOT
from tests.support.reference import calls, commands, metrics, rights, settings, tables
from web.app import App

FOLDER = ROOT / "docs" / "reference"
PAGES: dict[str, Callable[[App, Database], str]] = {
    "calls.md": lambda app, db: calls.render(app),
    "commands.md": lambda app, db: commands.render(),
    "metrics.md": metrics.render,
    "rights.md": lambda app, db: rights.render(app),
    "settings.md": lambda app, db: settings.render(),
    "tables.md": lambda app, db: tables.render(),
}

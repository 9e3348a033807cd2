"""Names on pages: characters that nobody sees are shown, and the direction of a name stays its own.

static/shared/text/names.js does the same in the browser.
"""

import re

from flask.sansio.app import App
from markupsafe import Markup

# Control characters, spaces and fillers without width, tags, and those that turn the direction of text. Joiners
# inside emoji and words are left as they are.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufeff\uffa0\U000e0000-\U000e0fff]"
)


def register_names(app: App) -> None:
    """Make the filters available to the templates."""
    app.jinja_env.filters["as_name"] = as_name
    app.jinja_env.filters["as_text"] = as_text


def as_name(name: str) -> Markup:
    """A name as HTML: an unseen character is a mark with its number, such as U+202E."""
    shown, start = Markup(""), 0
    for found in UNSEEN.finditer(name):
        shown += name[start : found.start()]
        shown += Markup('<span class="unseen">U+{:04X}</span>').format(ord(found[0]))
        start = found.end()
    return Markup("<bdi>{}</bdi>").format(shown + name[start:])


def as_text(name: str) -> str:
    """A name for an attribute, which has no elements: marks of unseen characters are text."""
    return UNSEEN.sub(lambda found: f" U+{ord(found[0]):04X} ", name)

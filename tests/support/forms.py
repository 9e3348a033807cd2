"""The forms of a page as a browser would send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

NOT_SENT = ("submit", "button", "image", "reset", "file")


@dataclass
class Form:
    """A form that posts.

    Attributes:
        action: Its address; empty for that of the page.
        fields: What it sends when nobody changes anything.
    """

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            is_post = given.get("method", "").lower() == "post"
            self._form = Form(given.get("action", "")) if is_post else None
            self.forms += [self._form] if self._form else []
        elif self._form is None:
            return
        elif tag == "select":
            self._select = given.get("name")
        elif tag == "option" and self._select and ("selected" in given or self._select not in self._form.fields):
            self._form.fields[self._select] = given.get("value", "")
        elif tag in ("input", "textarea") and given.get("name") and given.get("type") not in NOT_SENT:
            self._add(given)

    def _add(self, given: dict[str, str]) -> None:
        assert self._form is not None
        is_choice = given.get("type") in ("checkbox", "radio")
        if not is_choice or "checked" in given or given["name"] not in self._form.fields:
            self._form.fields[given["name"]] = given.get("value", "on" if is_choice else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None


def forms_in(page: str) -> list[Form]:
    """Every form of a page that posts; boxes and buttons to choose from have a value even if none is chosen."""
    parser = _Parser()
    parser.feed(page)
    return parser.forms

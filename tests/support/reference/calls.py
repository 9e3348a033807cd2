"""docs/reference/calls.md, from the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from tests.support.reference.markdown import table
from web.app import App

HEAD = """# API calls

Every call of the HTTP API by subject. `/docs` of a running instance has parameters, bodies and answers,
`/openapi.json` is the document for generators, and [HTTP API](http-api.md) explains how calls work together.
`make reference` writes this page from that document.
"""
METHODS = ("get", "put", "post", "patch", "delete")


def render(app: App) -> str:
    """The page."""
    document = app.test_client().get("/openapi.json").get_json()
    subjects = [tag["name"] for tag in document["tags"]]
    return "\n".join([HEAD, *(_subject(document, subject) for subject in subjects)])


def _subject(document: dict[str, Any], subject: str) -> str:
    return f"## {subject}\n\n{table(('Call', 'What it does', 'Operation'), _rows(document, subject))}\n"


def _rows(document: dict[str, Any], subject: str) -> Iterator[tuple[str, str, str]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            operation = item.get(method)
            if operation and operation["tags"] == [subject]:
                yield f"`{method.upper()} {path}`", operation["summary"], f"`{operation['operationId']}`"

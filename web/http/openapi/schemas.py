"""One component for each type.

APIFlask registers a type once more for each model that refers to it, as `JobPage.JobOut`, and Pydantic gives each field
its own name as a title.
"""

from typing import Any

from pydantic import BaseModel

JSON = "application/json"
REFERENCE = "#/components/schemas/"


def reference(name: str) -> dict[str, str]:
    """A reference to the type `name`."""
    return {"$ref": f"{REFERENCE}{name}"}


def name_of(address: str) -> str:
    """The name of the type that a reference has as its address."""
    return address.removeprefix(REFERENCE)


def also_answers(model: type[BaseModel], description: str) -> Any:
    """A response with a model that the call has as its output, for another status in `@api.doc(responses=...)`."""
    return {"description": description, "content": {JSON: {"schema": reference(model.__name__)}}}


def hoist_schemas(spec: dict[str, Any]) -> None:
    """Give each type one name, everywhere.

    Raises:
        RuntimeError: Two different types have the same name.
    """
    hoisted: dict[str, Any] = {}
    for name, schema in _tidy(spec["components"]["schemas"]).items():
        short = _short(name)
        if hoisted.setdefault(short, schema) != schema:
            raise RuntimeError(f"Two schemas are called {short}. Rename one of the classes.")
    spec["components"]["schemas"] = dict(sorted(hoisted.items()))
    spec["paths"] = _tidy(spec["paths"])


def _tidy(part: Any) -> Any:
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    # A field that is called title is not a text but a schema.
    kept = {key: value for key, value in part.items() if key != "title" or not isinstance(value, str)}
    return {key: _short_reference(value) if key == "$ref" else _tidy(value) for key, value in kept.items()}


def _short_reference(address: str) -> str:
    return REFERENCE + _short(name_of(address))


def _short(name: str) -> str:
    return name.rpartition(".")[2]

"""Bodies and answers that are files, for `@api.doc`."""

from typing import Any

TEXT = {"type": "string"}
BINARY = {"type": "string", "format": "binary"}
OCTETS = "application/octet-stream"
FORM = "multipart/form-data"


def file_body(*media_types: str) -> dict[str, Any]:
    """A body that is a file, for `@api.doc(extensions=...)`; a form has it in the field `file`.

    The type of the body decides nothing, so that programs without a type for such files send octets.

    Args:
        media_types: Other types that it is often sent as.
    """
    form = {"type": "object", "properties": {"file": BINARY}, "required": ["file"]}
    schemas = {media_type: form if media_type == FORM else BINARY for media_type in (*media_types, OCTETS)}
    content = {media_type: {"schema": schema} for media_type, schema in schemas.items()}
    return {"requestBody": {"required": True, "content": content}}


def file_answer(description: str, media_type: str, **headers: str) -> Any:
    """A response that is a file, for `@api.doc(responses={200: ...})`.

    Args:
        headers: Its headers, and what they mean.
    """
    return {
        "description": description,
        "content": {media_type: {"schema": TEXT if media_type.startswith("text/") else BINARY}},
        "headers": {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in headers.items()},
    }


def download_answer(description: str, media_type: str, **headers: str) -> Any:
    """The same for a file that browsers save."""
    return file_answer(description, media_type, **{"Content-Disposition": "The name of the file"} | headers)

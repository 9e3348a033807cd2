"""The message that is sent: type, timestamp and data, as JSON."""

import json
from datetime import UTC, datetime
from typing import Any


def make_message(event: str, occurred_at: datetime, data: dict[str, Any], public_url: str) -> dict[str, Any]:
    """What a delivery sends; the same in every attempt, as long as the installation keeps its address.

    Args:
        public_url: The address of the pages, which makes links whole; empty: links are paths.
    """
    moment = occurred_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    links = {name: public_url.rstrip("/") + path for name, path in data.get("links", {}).items()}
    return {"type": event, "timestamp": moment, "data": data | ({"links": links} if links else {})}


def encode(message: dict[str, Any]) -> bytes:
    """A message as bytes, which are what is signed."""
    return json.dumps(message, separators=(",", ":")).encode()

"""Signatures by the Standard Webhooks scheme.

Source: Standard Webhooks 1.0.0, "Signature scheme" (github.com/standard-webhooks/standard-webhooks).
"""

import base64
import hmac
import secrets
from collections.abc import Iterable
from uuid import UUID

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    """A secret as receivers are given it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def message_name(message_id: UUID) -> str:
    """The id of a message as it is sent."""
    return f"msg_{message_id.hex}"


def sign(secret: str, name: str, timestamp: int, body: bytes) -> str:
    """The signature of one message at one moment.

    Args:
        timestamp: Seconds since 1970, as in the header.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{name}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def make_headers(secrets_: Iterable[str], message_id: UUID, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of the scheme, with a signature for each secret that is valid."""
    name = message_name(message_id)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, name, timestamp, body) for secret in secrets_),
    }

"""Signatures, verified by the library that receivers use."""

import json
import time
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core.webhooks.signing import make_headers, new_secret, sign

BODY = json.dumps({"type": "job.done", "data": {"job": "é"}}).encode()


def headers_of(*secrets: str, at: float | None = None) -> dict[str, str]:
    return make_headers(secrets, uuid4(), int(time.time() if at is None else at), BODY)


def test_the_library_of_receivers_accepts_what_is_signed() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, headers_of(secret)) == json.loads(BODY)


def test_the_example_of_the_specification_has_its_signature() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


def test_another_secret_another_body_and_an_old_message_are_refused() -> None:
    secret = new_secret()
    for verifier, body, headers in (
        (Webhook(new_secret()), BODY, headers_of(secret)),
        (Webhook(secret), BODY + b" ", headers_of(secret)),
        (Webhook(secret), BODY, headers_of(secret, at=time.time() - 3600)),
    ):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body, headers)


def test_with_two_secrets_receivers_of_either_accept_it() -> None:
    old, new = new_secret(), new_secret()
    headers = headers_of(new, old)
    assert Webhook(old).verify(BODY, headers) == Webhook(new).verify(BODY, headers)

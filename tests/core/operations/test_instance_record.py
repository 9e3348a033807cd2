"""instance.json and what is read from it."""

from core.operations.instance_record import InstanceRecord


def test_a_record_shows_neither_token_nor_passwords_in_logs() -> None:
    urls = ("redis://:pass-1@h", "postgresql://p:pass-2@h/d", "s3://key:pass-3@h")
    shown = repr(InstanceRecord("http://127.0.0.1:1", "token-4", 1, *urls))
    assert "http://127.0.0.1:1" in shown
    assert not any(secret in shown for secret in ("pass-", "token-4"))

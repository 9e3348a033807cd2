"""The address of the client: what a proxy says counts if the proxy is trusted."""

from collections.abc import Iterable
from typing import Any

import pytest

from web.server.client_address import with_client_address

PROXY, CLIENT = "10.0.0.1", "192.0.2.7"


def seen(peer: str, forwarded: str) -> Any:
    """The address that the application sees."""
    found: list[Any] = []

    def app(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        found.append(environ["REMOTE_ADDR"])
        return []

    with_client_address(app, PROXY.__eq__)({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}, None)
    return found[0]


@pytest.mark.parametrize("forwarded", [CLIENT, f"198.51.100.1, {CLIENT}", "2001:db8::7"])
def test_the_last_address_that_a_proxy_names_is_the_client(forwarded: str) -> None:
    assert seen(PROXY, forwarded) == forwarded.split(",")[-1].strip()


@pytest.mark.parametrize("forwarded", ["", "unknown", f"{CLIENT}, <script>"])
def test_anything_else_changes_nothing(forwarded: str) -> None:
    assert seen(PROXY, forwarded) == PROXY


def test_nobody_else_can_choose_an_address() -> None:
    assert seen(CLIENT, "198.51.100.1") == CLIENT

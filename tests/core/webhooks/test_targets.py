"""Where webhooks may go: a table of addresses, by their text and by what their name resolves to."""

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from core.base.config import load_settings
from core.base.errors import ConfigError, Invalid
from core.webhooks.targets import Allowlist, TargetRefused, check_url, is_public, resolve

NOTHING = Allowlist()
PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822")
INSIDE = (
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::10.0.0.1",
    "2002:a00:1::",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "192.88.99.1",
    "3fff::1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
)


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://example.org:8443/",
        "ftp://example.org/",
        "https://ada:pass@example.org/",
        "https://example.org/#here",
        "https:///path",
        "https://exa mple.org/",
        "https://example.org\\@10.0.0.1/",
        "https://example.org:99999/",
        "https://bücher.example/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "file:///etc/passwd",
        "example.org",
        "",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_an_address_that_no_attempt_would_go_to_is_refused_when_it_is_typed(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url, NOTHING)


def test_an_address_is_taken_apart() -> None:
    target = check_url("HTTPS://Example.org/a/b?c=d", NOTHING)
    assert (target.scheme, target.host, target.port, target.path) == ("https", "example.org", 443, "/a/b?c=d")


def resolving(patch: pytest.MonkeyPatch, *addresses: str) -> None:
    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(families[ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    patch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    target = check_url("https://example.org/", NOTHING)
    resolving(monkeypatch, PUBLIC[0], address)
    with pytest.raises(TargetRefused) as refused:
        resolve(target, NOTHING)
    assert address not in refused.value.message


def test_what_is_connected_to_is_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, *PUBLIC[:2])
    found = resolve(check_url("https://example.org/", NOTHING), NOTHING)
    assert [one.address for one in found] == [(PUBLIC[0], 443), (PUBLIC[1], 443)]


def test_a_host_that_the_operator_names_may_be_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    allowlist = Allowlist(frozenset(("hooks.internal",)))
    resolving(monkeypatch, "10.0.0.1")
    target = check_url("http://hooks.internal:8080/", allowlist)
    assert [one.address for one in resolve(target, allowlist)] == [("10.0.0.1", 8080)]
    with pytest.raises(Invalid):
        check_url("http://other.internal:8080/", allowlist)


def test_a_network_that_the_operator_names_is_open_to_every_name_that_leads_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowlist = Allowlist(networks=(ip_network("10.1.0.0/16"),))
    target = check_url("http://anything.example:8080/", allowlist)
    resolving(monkeypatch, "10.1.0.9")
    assert resolve(target, allowlist)
    resolving(monkeypatch, "::ffff:10.1.0.9")
    assert resolve(target, allowlist)
    resolving(monkeypatch, "10.2.0.9")
    with pytest.raises(TargetRefused):
        resolve(target, allowlist)
    resolving(monkeypatch, PUBLIC[0])
    with pytest.raises(TargetRefused, match="https on port 443"):
        resolve(target, allowlist)


def test_hosts_and_networks_are_read_from_one_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_WEBHOOK_HOSTS", "Hooks.internal, 10.1.0.0/16,fd00::/8")
    allowlist = Allowlist.from_settings(load_settings())
    assert allowlist.hosts == {"hooks.internal"}
    assert allowlist.networks == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    monkeypatch.setenv("PAWSORT_WEBHOOK_HOSTS", "https://hooks.internal/")
    with pytest.raises(ConfigError, match="PAWSORT_WEBHOOK_HOSTS"):
        load_settings()

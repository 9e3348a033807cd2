"""Where webhooks may go: public addresses over https, and what the operator allows.

    a person types an address ─► check_url: what the text alone shows
    before each attempt       ─► resolve: the addresses that the name has now, which are the ones that are connected to

So a name that is changed after the check (DNS rebinding) gains nothing.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from core.base.config import HOST_NAME, Network, Settings
from core.base.errors import Invalid

MAX_URL = 2000
PORTS = {"https": 443, "http": 80}
_VISIBLE = re.compile(r"[!-~]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits
_ALSO_INSIDE = (  # what some versions of Python take for public
    ipaddress.ip_network("192.0.0.0/24"),  # of protocols, and metadata of Oracle's cloud
    ipaddress.ip_network("168.63.129.16/32"),  # metadata of Azure
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4, given up (RFC 7526)
    ipaddress.ip_network("64:ff9b:1::/48"),  # NAT64 of the local network (RFC 8215)
    ipaddress.ip_network("3fff::/20"),  # of documents (RFC 9637)
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TargetRefused(Invalid):
    """Webhooks may not go there; the sentence names no address of the network."""


@dataclass(frozen=True)
class Target:
    """An address, taken apart.

    Attributes:
        path: With the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_usual(self) -> bool:
        """Whether it is https on its own port, which needs nobody's permission."""
        return self.scheme == "https" and self.port == PORTS["https"]


@dataclass(frozen=True)
class Allowlist:
    """What the operator allows (PAWSORT_WEBHOOK_HOSTS): any port, http, and addresses that are not public."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> "Allowlist":
        """Those of an installation."""
        return cls(settings.webhook_host_names, settings.webhook_networks)

    def allows(self, address: Address) -> bool:
        """Whether an address is in one of the networks."""
        plain = embedded(address) or address
        return any(plain in network for network in self.networks)


@dataclass(frozen=True)
class SocketAddress:
    """What a socket connects to."""

    family: int
    address: tuple[str, int]


def check_url(url: str, allowlist: Allowlist) -> Target:
    """An address that a person typed.

    Raises:
        Invalid: It is no address, or one that no attempt would go to.
    """
    target = _parse(url)
    literal = _literal(target.host)
    if target.host in allowlist.hosts or (literal is not None and allowlist.allows(literal)):
        return target
    if literal is not None and not is_public(literal):
        raise _inside()
    may_resolve = literal is None and allowlist.networks
    if not target.is_usual and not may_resolve:
        raise _unusual()
    return target


def resolve(target: Target, allowlist: Allowlist) -> list[SocketAddress]:
    """The addresses of a target at this moment, all of them allowed.

    Raises:
        TargetRefused: One of them is not.
        OSError: The name has no address.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [SocketAddress(family, (str(address[0]), target.port)) for family, _, _, _, address in found]
    if target.host in allowlist.hosts:
        return addresses
    for one in addresses:
        address = ipaddress.ip_address(one.address[0])
        if allowlist.allows(address):
            continue
        if not target.is_usual:
            raise _unusual()
        if not is_public(address):
            raise _inside()
    return addresses


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet: not to this machine, its network, its provider, or a group."""
    inner = embedded(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    is_special = address.is_multicast or address.is_reserved
    return address.is_global and not is_special and not any(address in network for network in _ALSO_INSIDE)


def embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, Teredo or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _parse(url: str) -> Target:
    if len(url) > MAX_URL or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise Invalid(f"url: expected an address of at most {MAX_URL} ASCII characters without blanks.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"url: expected https://host/path; {error}.") from error
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not (HOST_NAME.fullmatch(host) or _literal(host)):
        raise Invalid("url: expected https://host/path. Write names of other scripts as xn--….")
    _check_extras(parts)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, PORTS[parts.scheme] if port is None else port, path)


def _check_extras(parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise Invalid("url: expected no user name or password in the address. The signature proves who sends.")
    if parts.fragment:
        raise Invalid("url: expected no fragment (#…), which is never sent.")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _inside() -> TargetRefused:
    return TargetRefused(
        "url: this address is inside the network of the server, where webhooks may not go. The operator can allow it."
    )


def _unusual() -> TargetRefused:
    return TargetRefused("url: expected https on port 443. The operator can allow other ports and http for a host.")

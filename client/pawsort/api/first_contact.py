"""The first request to a server. What is wrong with an address is said at once, with what to do about it.

A server that was there and goes away is another matter: then requests are retried.
"""

import socket
import ssl
from collections.abc import Iterator

import httpx2

from pawsort.api.connection import LOCAL_HOSTS
from pawsort.api.errors import Unreachable
from pawsort.api.retries import TRANSIENT_STATUSES, object_of

ANSWER_S = 4.0  # a wrong address is named within 5 s


def greet(http: httpx2.Client, server: str) -> bool:
    """Ask whether a Pawsort server is at an address. Return False if something is, but has not answered yet.

    Raises:
        Unreachable: It is not. The message says why, and what to do.
    """
    try:
        response = http.get("/healthz", timeout=ANSWER_S)
    except httpx2.ReadTimeout:
        return False
    except httpx2.TransportError as error:
        raise Unreachable(_explain(error, server)) from error
    if response.status_code not in TRANSIENT_STATUSES:  # a proxy whose server is away for a moment
        _check_is_pawsort(response, server)
    return True


def _check_is_pawsort(response: httpx2.Response, server: str) -> None:
    if response.is_redirect:
        target = response.headers.get("Location", "").removesuffix("/healthz")
        raise Unreachable(f"{server} redirects to {target}. Use that address.")
    if response.status_code == httpx2.codes.PROXY_AUTHENTICATION_REQUIRED:
        raise Unreachable(f"The proxy on the way to {server} wants a login. {_PROXY_ADVICE}")
    body = object_of(response)
    if body.get("status") != "ok" and "detail" not in body:  # it may refuse, and say why
        raise Unreachable(
            f"{server} answers, but is no Pawsort server (HTTP {response.status_code}). Check the address and the port."
        )


_PROXY_ADVICE = "Check the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or name the server in NO_PROXY."


def _explain(error: httpx2.TransportError, server: str) -> str:
    causes = list(_causes(error))
    words = " ".join(map(str, causes))
    proxy = _proxy_of(server)
    if isinstance(error, httpx2.ProxyError) or (proxy and isinstance(error, httpx2.ConnectError)):
        return f"The proxy {proxy or 'on the way'} did not connect to {server} ({error}). {_PROXY_ADVICE}"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"There is no server named {httpx2.URL(server).host}. Check the address, and the network."
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes) or "CERTIFICATE_VERIFY" in words:
        return (
            f"The certificate of {server} is not trusted ({error}). Use the name that it was issued for. If your"
            " organisation issued it, install its authority's certificate on this machine."
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "[SSL" in words:
        return f"{server} does not speak TLS as expected ({error}). Perhaps its address begins with http://."
    if isinstance(error, httpx2.ConnectTimeout):
        return (
            f"{server} does not answer within {ANSWER_S:.0f} s. Check the address and the port, and whether a firewall"
            " is in between."
        )
    if isinstance(error, httpx2.ConnectError):
        return f"Nothing answers at {server} ({error}). Check the address and the port, and that Pawsort runs there."
    return f"{server} answers, but not as Pawsort does ({error}). Check the port, and whether it is https://."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _proxy_of(server: str) -> str | None:
    """The proxy of the environment for an address, if there is one; never for this machine."""
    from urllib.request import getproxies, proxy_bypass  # slow to import, and only needed when something is wrong

    url, proxies = httpx2.URL(server), getproxies()
    if url.host in LOCAL_HOSTS or proxy_bypass(url.host):
        return None
    return proxies.get(url.scheme) or proxies.get("all")

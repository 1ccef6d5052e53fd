"""Where webhooks may go: to the public internet, and nowhere inside.

A name is resolved, every address it has is judged, and the connection is made to an address that was
judged: a name that changes its mind between the two gains nothing. Redirects are not followed.
`WEBHOOK_NETWORKS` names networks that are allowed all the same, on any port, for demos and tests.
"""

import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from config.kernel.errors import Invalid

RESOLVE_SECONDS: Final = 2.0
_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = IPv6Network("64:ff9b::/96")
_RESERVED: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""For protocols between routers; some clouds answer there with secrets."""
_MOST_RESOLVERS: Final = 8

Address = IPv4Address | IPv6Address


class Unsafe(Exception):
    """The address lies inside, or may not be called; the words are fit for a log."""


class Unresolved(Exception):
    """The name has no address now, or nobody said in time."""


def check_url(url: str) -> None:
    """Refuse a URL that could never be sent to. Raises Invalid; names are resolved at each sending."""
    try:
        _check_parts(url)
    except Unsafe as refused:
        raise Invalid(
            f"This address cannot be used: {refused}.",
            errors=[{"pointer": "/url", "code": "unsafe-url", "detail": str(refused)}],
        ) from None


def _check_parts(url: str) -> None:
    parts, port = _parts(url)
    literal = _literal(parts.hostname or "")
    if literal is not None:
        judge([literal], port)
    elif not _allowed_port(port) and not settings.WEBHOOK_NETWORKS:
        raise Unsafe(f"port {port} is not allowed")


def _parts(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise Unsafe("it is no URL") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Unsafe("it must begin with https:// or http:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise Unsafe("it must not hold a password")
    if any(sign.isspace() or ord(sign) < 32 for sign in url):
        raise Unsafe("it holds a space")
    return parts, port


def resolve(host: str, port: int) -> str:
    """An address of the host that may be called, as text. Raises Unsafe or Unresolved.

    One address that lies inside is enough to refuse the host.
    """
    literal = _literal(host)
    found = [literal] if literal is not None else _looked_up(host, port)
    judge(found, port)
    return str(found[0])


def judge(found: Iterable[Address], port: int) -> None:
    """Raises Unsafe when one of the addresses may not be called on this port."""
    for address in found:
        if _is_exempt(address):
            continue
        if not is_public(address):
            raise Unsafe("it leads to an address that is not public")
        if not _allowed_port(port):
            raise Unsafe(f"port {port} is not allowed")


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet at large, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        inner = _inside(address)
        if inner is not None:
            return is_public(inner)
    if any(address in network for network in _RESERVED):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one carries: mapped, translated or tunnelled."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    if address.sixtofour is not None:
        return address.sixtofour
    return address.teredo[1] if address.teredo is not None else None


def _is_exempt(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.WEBHOOK_NETWORKS)))


@lru_cache(maxsize=8)
def _networks(named: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in named)


def _allowed_port(port: int) -> bool:
    return port in settings.WEBHOOK_PORTS


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _looked_up(host: str, port: int) -> list[Address]:
    asked = _resolvers().submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        rows = asked.result(timeout=RESOLVE_SECONDS)
    except (OSError, UnicodeError):
        raise Unresolved("its name has no address") from None
    except TookTooLong:
        asked.cancel()
        raise Unresolved("its name was not resolved in time") from None
    return [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]


@lru_cache(maxsize=1)
def _resolvers() -> ThreadPoolExecutor:
    """The system's resolver knows no time limit: it is asked by threads that may be left waiting."""
    return ThreadPoolExecutor(_MOST_RESOLVERS, thread_name_prefix="resolve")

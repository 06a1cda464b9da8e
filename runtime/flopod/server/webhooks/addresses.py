"""Where a webhook may go: a URL to one address that is resolved once and is nobody's own network.

What a name stands for is looked up here and connected to as it was found, so that a second look-up cannot
turn it into something else.
"""

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

from flopod.errors import BadInput

Ip: TypeAlias = IPv4Address | IPv6Address

_LONGEST = 2048
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?", re.ASCII)
# The system reads `0x7f.1`, `0177.0.0.1` and `2130706433` as addresses, too.
_NUMERIC = re.compile(r"(0[xX][0-9A-Fa-f]*|[0-9]+)", re.ASCII)
_EMBEDDING = (ip_network("64:ff9b::/96"), ip_network("::/96"))
_NEVER = (
    ip_network("0.0.0.0/8"),
    ip_network("100.64.0.0/10"),
    ip_network("192.0.0.0/24"),
    ip_network("198.18.0.0/15"),
    ip_network("64:ff9b:1::/48"),
    ip_network("fec0::/10"),
)


class Refused(Exception):
    """An address that a webhook may not go to."""


class Target(NamedTuple):
    """The parts of a URL that are sent or connected to."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return name if self.port == usual else f"{name}:{self.port}"


def target_of(url: str, *, private: bool = False) -> Target:
    """Take a URL apart. Raises BadInput for what is no URL to post to.

    Unless `private` addresses are allowed, one that is written in figures is looked at already.
    """
    target = _target(url)
    literal = _literal(target.host)
    if literal is not None and not private and not is_public(literal):
        raise _bad(f"{target.host} is no public address; the server's --webhook-private allows it")
    if target.host.rstrip(".").lower() == "localhost" and not private:
        raise _bad("localhost is no public address; the server's --webhook-private allows it")
    return target


def _target(url: str) -> Target:
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _bad(f"a URL has up to {_LONGEST} characters of ASCII; percent-encode the others")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad(_FORM) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _bad(_FORM)
    if "@" in parts.netloc:
        raise _bad("a user and a password in a URL end in logs; the signature shows who sends it")
    if parts.fragment:
        raise _bad("the part after # is for browsers; leave it out")
    host = _checked_host(parts.hostname)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


_FORM = "write an http or https URL, such as https://example.com/hooks"


def _bad(why: str) -> BadInput:
    return BadInput(f"webhook: {why}", field="webhook")


def _checked_host(host: str) -> str:
    if ":" in host:
        try:
            return str(IPv6Address(host)) if "%" not in host else _no_host(host)
        except ValueError:
            return _no_host(host)
    if not _NAME.fullmatch(host) or len(host) > 253:
        return _no_host(host)
    if _NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise _bad(f"{host!r} could be read as an address; write it as four decimal numbers") from None
    return host


def _no_host(host: str) -> str:
    raise _bad(f"{host!r} is the name of no host")


def _literal(host: str) -> Ip | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_public(address: Ip) -> bool:
    """Whether an address is on the Internet, as far as figures tell: no network of one's own.

    An IPv4 address within an IPv6 one is looked at as itself.
    """
    within = _within(address)
    if within is not None:
        return is_public(within)
    banned = any(address in network for network in _NEVER if network.version == address.version)
    return address.is_global and not (banned or address.is_multicast or address.is_reserved)


def _within(address: Ip) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if any(address in network for network in _EMBEDDING):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


async def resolve(target: Target, *, private: bool = False) -> Ip:
    """Return the address to connect to. Raises Refused, OSError.

    A name of which one address is not public is refused: nobody can tell which of them is meant.
    """
    literal = _literal(target.host)
    found = [literal] if literal is not None else await _look_up(target)
    if not private:
        for address in found:
            if not is_public(address):
                raise Refused(f"{target.host} is {address}, which is no public address")
    return found[0]


async def _look_up(target: Target) -> list[Ip]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{target.host} is the name of no host") from error
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]

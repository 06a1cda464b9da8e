"""Where webhooks may go: URLs, figures of all kinds, and names that turn out to be this machine."""

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import pytest

from flopod.errors import BadInput
from flopod.server.webhooks.addresses import Refused, Target, is_public, resolve, target_of


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[fec0::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[2001:db8::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
    ],
)
def test_no_network_of_ones_own_is_reached(host: str) -> None:
    """Unless it is allowed."""
    with pytest.raises(BadInput, match="--webhook-private") as caught:
        target_of(f"http://{host}/x")
    assert caught.value.field == "webhook"
    assert target_of(f"http://{host}/x", private=True).path == "/x"


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0x7f.0.0.1",
        "1.2.3.4.5",
        "08.8.8.8",
        "1.2.3.0x4",
    ],
)
@pytest.mark.parametrize("private", [True, False])
def test_figures_are_written_in_one_way(host: str, private: bool) -> None:
    """The system reads others too, each in its own way."""
    with pytest.raises(BadInput, match="four decimal numbers"):
        target_of(f"http://{host}/", private=private)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://",
        "http:///x",
        "http://user:password@example.com/",
        "http://user@example.com/",
        "http://example.com@127.0.0.1/",
        "http://example.com:0/",
        "http://example.com:70000/",
        "http://example.com:x/",
        "http://example.com/#x",
        "http://example.com/a b",
        "http://example.com/\r\nX: y",
        "http://example.com\\@127.0.0.1/",
        "http://exämple.com/",
        "http://ex%61mple.com/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://-/",
        "http://a..b..:/" + "x" * 3000,
    ],
)
def test_what_is_no_url_to_post_to_is_refused(url: str) -> None:
    """Allowed or not; the field is named."""
    for private in (True, False):
        with pytest.raises(BadInput) as caught:
            target_of(url, private=private)
        assert caught.value.field == "webhook"


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://example.com", Target("https", "example.com", 443, "/"), "example.com"),
        ("http://example.com:8080/a?b=c", Target("http", "example.com", 8080, "/a?b=c"), "example.com:8080"),
        ("https://EXAMPLE.com:443/a", Target("https", "example.com", 443, "/a"), "example.com"),
        ("http://8.8.8.8/", Target("http", "8.8.8.8", 80, "/"), "8.8.8.8"),
        ("http://[2606:4700::1111]:81/", Target("http", "2606:4700::1111", 81, "/"), "[2606:4700::1111]:81"),
        ("http://my_service.example/", Target("http", "my_service.example", 80, "/"), "my_service.example"),
    ],
)
def test_public_urls_are_taken_apart(url: str, target: Target, authority: str) -> None:
    """Any port will do."""
    assert (target_of(url), target_of(url).authority) == (target, authority)


def answered(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name stand for these addresses."""

    def look_up(_host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(families[ip_address(each).version], 1, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:169.254.169.254"]])
def test_a_name_that_stands_for_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    """Also where only one of several does."""
    target = target_of("http://rebound.example/")
    answered(monkeypatch, *addresses)
    with pytest.raises(Refused, match="no public address"):
        asyncio.run(resolve(target))
    assert asyncio.run(resolve(target, private=True)) == ip_address(addresses[0])


def test_a_public_name_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the address that is connected to."""
    answered(monkeypatch, "93.184.215.14", "2606:4700::1111")
    assert asyncio.run(resolve(target_of("http://example.com/"))) == ip_address("93.184.215.14")
    assert is_public(ip_address("::ffff:8.8.8.8"))

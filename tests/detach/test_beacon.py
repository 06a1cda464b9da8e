"""The beacon driver: what is posted, in which form, and what cannot be."""

import asyncio
import json
import resource
import signal
import threading
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flopod import Retry
from flopod.detach import create_beacon_driver, detach_and_forget, detach_and_join_later, registry
from flopod.errors import StorageError
from tests.detach.beacons import is_empty, never, until
from tests.detach.web import Web

pytestmark = pytest.mark.process


def test_the_input_is_posted_and_the_child_is_not_run(web: Web, folder: Path) -> None:
    """The handle is done at once, as accepted; JSON arrives with a key that names the detach."""
    handle = detach_and_join_later(create_beacon_driver(web.url, folder=folder), never, {"total": 3})
    assert handle.status == "done"
    assert handle.result == {"accepted": True, "url": web.url}
    assert registry.look_up(handle.id) is None
    until(lambda: web.posts and is_empty(folder), "never posted")
    (post,) = web.posts
    assert json.loads(post.body) == {"total": 3}
    assert post.path == "/events"
    assert post.headers["content-type"] == "application/json"
    assert post.key.startswith("__executor__%3Adetach%3A")


def test_each_detach_has_a_key_of_its_own(web: Web, folder: Path) -> None:
    """Twenty items go out once each, in the order of their detaches, under twenty keys."""
    driver = create_beacon_driver(web.url, folder=folder)
    for i in range(20):
        detach_and_forget(driver, never, i)
    until(lambda: is_empty(folder), "never empty")
    assert web.bodies == [str(i).encode() for i in range(20)]
    assert len({post.key for post in web.posts}) == 20


def test_a_driver_says_what_it_can_do(folder: Path) -> None:
    """It is not of this process, and survives its exit."""
    driver = create_beacon_driver("https://example.com", folder=folder)
    assert driver.name == "beacon"
    assert not driver.capabilities.in_process
    assert driver.capabilities.survives_exit


@pytest.mark.parametrize("url", [None, 3, b"http://x"])
def test_what_is_no_text_is_no_url(url: Any) -> None:
    """The factory says so, not the first detach."""
    with pytest.raises(TypeError, match="give the URL"):
        create_beacon_driver(url)


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://x/y", "http://", "http:///x", "http://x:0/", "http://a b/", "http://x:y/", "http://ü/"],
)
def test_other_texts_are_no_url_either(url: str) -> None:
    """Only http and https, with a host, as it is written on the wire."""
    with pytest.raises(ValueError, match="give an http or https URL"):
        create_beacon_driver(url)


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"": "a"}},
        {"headers": 3},
        {"timeout": 0},
        {"retry": 3},
        {"retry": Retry(retry_on=ValueError)},
    ],
)
def test_options_that_cannot_work_are_refused(options: Any, folder: Path) -> None:
    """A header with a line end, no time, a policy about errors of Python."""
    with pytest.raises((TypeError, ValueError), match="create_beacon_driver"):
        create_beacon_driver("http://example.com", folder=folder, **options)


def test_a_url_has_no_password(folder: Path) -> None:
    """It would not be sent."""
    with pytest.raises(ValueError, match="into headers="):
        create_beacon_driver("http://me:secret@example.com", folder=folder)


@dataclass
class Line:
    sku: str
    price: Decimal


class Pair(NamedTuple):
    a: int
    b: date


def test_flopods_plain_form_is_posted(web: Web, folder: Path) -> None:
    """Data classes are objects, decimals and dates are text."""
    driver = create_beacon_driver(web.url, folder=folder)
    given = {"line": Line("A", Decimal("1.50")), "pair": Pair(1, date(2026, 1, 2))}
    assert detach_and_join_later(driver, never, given).status == "done"
    until(lambda: web.posts, "never posted")
    expected = {"line": {"sku": "A", "price": "1.50"}, "pair": {"a": 1, "b": "2026-01-02"}}
    assert json.loads(web.bodies[0]) == expected


def _cycle() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (_cycle(), r"input\[0\] contains itself"),
        ({"x": [1, float("nan")]}, r"input\['x'\]\[1\] is nan"),
        (lambda: 1, "which is code"),
        ([Line], r"input\[0\] is .* which is code"),
        (threading.Lock(), "input is"),
        (Line("A", never), r"input\.price is .* which is code"),  # type: ignore[arg-type]
    ],
)
def test_what_json_cannot_say_fails_the_handle_at_once(given: Any, why: str, folder: Path) -> None:
    """Nothing is posted that only hints at the value; the error says where it is."""
    handle = detach_and_join_later(create_beacon_driver("http://127.0.0.1:9", folder=folder), never, given)
    assert handle.status == "failed"
    with pytest.raises(TypeError, match=why):
        asyncio.run(handle.wait())
    assert is_empty(folder)


def test_a_serializer_and_headers_of_ones_own(web: Web, folder: Path) -> None:
    """What it returns is posted as it is; headers that are given win."""
    driver = create_beacon_driver(
        web.url,
        folder=folder,
        serialize=lambda x: f"<x>{x}</x>",
        headers={"content-type": "text/xml", "Idempotency-Key": "mine"},
    )
    detach_and_forget(driver, never, 3)
    until(lambda: web.posts, "never posted")
    (post,) = web.posts
    assert (post.body, post.headers["content-type"], post.key) == (b"<x>3</x>", "text/xml", "mine")


@pytest.mark.parametrize("serialize", [lambda _: 3, lambda x: x["missing"]])
def test_a_serializer_that_fails_fails_the_handle(serialize: Any, folder: Path) -> None:
    """So does one that returns no text."""
    driver = create_beacon_driver("http://127.0.0.1:9", folder=folder, serialize=serialize)
    assert isinstance(detach_and_join_later(driver, never, {}).error, (TypeError, KeyError))


def test_a_disk_that_cannot_be_written_fails_the_handle(folder: Path) -> None:
    """With the error of the storage, and no half of a file stays."""
    driver = create_beacon_driver("http://127.0.0.1:9", folder=folder)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        handle = detach_and_join_later(driver, never, "x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert isinstance(handle.error, StorageError)
    assert list(folder.iterdir()) == []

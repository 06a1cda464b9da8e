"""The beacon driver: real processes, a real server, and SIGKILL for both sides of the outbox."""

import ast
import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flopod import Retry
from flopod.detach import create_beacon_driver, detach_and_forget, detach_and_join_later, poster, registry
from flopod.errors import StorageError
from flopod_compiler.bundle import runtime
from tests.bundle.support import linked, run_in_bundle
from tests.detach.web import Web, ok

pytestmark = pytest.mark.process
QUICK = Retry(max_attempts=None, delay="50ms", max_delay="100ms")


def never(_input: Any) -> None:
    raise AssertionError("a beacon runs no child")


def until(condition: Callable[[], object], why: str, timeout: float = 12) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, why
        time.sleep(0.01)


def helper_of(folder: Path) -> int | None:
    """The helper at work, as the lock's file has it; None if none has the lock."""
    if not folder.exists():
        return None
    fd = poster.lock(folder)
    if fd is not None:
        poster.unlock(fd)
        return None
    text = (folder / poster.LOCK).read_text().strip()
    return int(text) if text else None


def is_empty(folder: Path) -> bool:
    return not poster.names(folder)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    outbox = tmp_path / "outbox"
    yield outbox
    if pid := helper_of(outbox):
        for file in outbox.glob(f"*{poster.ITEM}"):
            file.unlink()
        os.kill(pid, signal.SIGKILL)


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


PROGRAM = """
    import os, signal, sys
    from flopod import Retry
    from flopod.detach import create_beacon_driver, detach_and_forget
    driver = create_beacon_driver(sys.argv[1], retry=Retry(None, delay="50ms", max_delay="100ms"))
    for i in range(int(sys.argv[2])):
        detach_and_forget(driver, None, i)
    os.kill(0 if sys.argv[3] == "group" else os.getpid(), signal.SIGKILL)
"""


def killed(url: str, count: int, data: Path, whom: str) -> None:
    """Run a program that detaches, and is killed before its next line."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), url, str(count), whom],
        env={**os.environ, "FLOPOD_DATA_DIR": str(data)},
        start_new_session=True,
        capture_output=True,
        timeout=30,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize("whom", ["process", "group"])
def test_sigkill_right_after_the_call_loses_nothing(whom: str, web: Web, tmp_path: Path) -> None:
    """The helper is of another group, has none of the pipes, and posts what is in the data directory."""
    killed(web.url, 3, tmp_path, whom)
    until(lambda: is_empty(tmp_path / "beacon"), "never empty")
    assert web.bodies == [b"0", b"1", b"2"]


def test_a_detach_at_the_very_end_of_a_program_is_posted(web: Web, tmp_path: Path) -> None:
    """Where Python starts no more threads, a helper is started still; the handle is done."""
    program = """
        import atexit, sys
        from flopod.detach import create_beacon_driver, detach_and_join_later
        driver = create_beacon_driver(sys.argv[1])
        atexit.register(lambda: print(detach_and_join_later(driver, None, "bye").status))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), web.url],
        env={**os.environ, "FLOPOD_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    until(lambda: is_empty(tmp_path / "beacon"), "never posted")
    assert web.bodies == [b'"bye"']


def test_a_server_that_comes_up_later_gets_everything(folder: Path) -> None:
    """The helper tries again until somebody answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    driver = create_beacon_driver(f"http://127.0.0.1:{port}/events", folder=folder, retry=QUICK)
    for i in range(3):
        detach_and_forget(driver, never, i)
    until(lambda: any(".0." not in name for name in poster.names(folder)), "never tried")
    web = Web(port=port)
    try:
        until(lambda: is_empty(folder), "never empty")
        assert sorted(web.bodies) == [b"0", b"1", b"2"]
    finally:
        web.close()


def test_what_is_left_is_posted_when_a_driver_is_made(web: Web, tmp_path: Path) -> None:
    """After both the program and its helper were killed; the key is the same in each try."""
    web.answer = lambda *_: (503, {}, b"")
    killed(web.url, 1, tmp_path, "process")
    outbox = tmp_path / "beacon"
    until(lambda: web.posts and helper_of(outbox), "never tried")
    os.kill(helper_of(outbox) or 0, signal.SIGKILL)
    until(lambda: helper_of(outbox) is None, "not dead")
    assert not is_empty(outbox)
    web.answer = ok
    create_beacon_driver("http://example.com", folder=outbox)
    until(lambda: is_empty(outbox), "never posted again")
    assert set(web.bodies) == {b"0"}
    assert len({post.key for post in web.posts}) == 1


def test_a_helper_killed_in_the_middle_of_a_post_is_followed_by_another(web: Web, folder: Path) -> None:
    """This process lives, so it sees the death; the item goes out again, under the same key."""
    asked, go = threading.Event(), threading.Event()

    def answer(_post: object, number: int) -> tuple[int, dict[str, str], bytes]:
        if number == 1:
            asked.set()
            go.wait(10)
        return 200, {}, b""

    web.answer = answer
    detach_and_forget(create_beacon_driver(web.url, folder=folder), never, "once")
    assert asked.wait(10)
    pid = helper_of(folder)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: is_empty(folder), "never posted again")
    go.set()
    assert web.bodies == [b'"once"'] * 2
    assert len({post.key for post in web.posts}) == 1


@pytest.mark.parametrize("status", [500, 408, 425])
def test_an_answer_that_may_change_is_asked_for_again(status: int, web: Web, folder: Path) -> None:
    """Server errors and time-outs; the second try is taken."""
    web.answer = lambda _post, number: (status if number == 1 else 200, {}, b"")
    detach_and_forget(create_beacon_driver(web.url, folder=folder, retry=QUICK), never, 1)
    until(lambda: len(web.posts) == 2 and is_empty(folder), "never posted again")


def test_retry_after_is_waited_for_by_all_of_a_url(web: Web, folder: Path) -> None:
    """A 429 holds back what else goes to the same URL, for as long as it asks."""
    times: list[float] = []

    def answer(_post: object, number: int) -> tuple[int, dict[str, str], bytes]:
        times.append(time.monotonic())
        return (429, {"Retry-After": "1"}, b"") if number == 1 else (200, {}, b"")

    web.answer = answer
    driver = create_beacon_driver(web.url, folder=folder, retry=QUICK)
    for i in range(2):
        detach_and_forget(driver, never, i)
    until(lambda: len(web.posts) == 3 and is_empty(folder), "never empty")
    assert web.bodies == [b"0", b"0", b"1"]
    assert times[1] - times[0] >= 1


@pytest.mark.parametrize("status", [400, 413, 302])
def test_a_refused_item_is_kept_with_the_answer(status: int, web: Web, folder: Path) -> None:
    """It is posted once, others go on; a redirect is not followed, for it would drop the payload."""
    headers = {"Location": "http://127.0.0.1:9/"} if status == 302 else {}
    web.answer = lambda _post, number: (status, headers, b"no such field") if number == 1 else (200, {}, b"")
    driver = create_beacon_driver(web.url, folder=folder, retry=QUICK)
    detach_and_forget(driver, never, "bad")
    detach_and_forget(driver, never, "good")
    until(lambda: is_empty(folder), "never empty")
    assert web.bodies == [b'"bad"', b'"good"']
    (item,) = (folder / poster.REFUSED).glob("*.item")
    assert poster.load(item.name, item.read_bytes()).body == b'"bad"'
    told = json.loads(item.with_suffix(".json").read_text())
    assert (told["status"], told["answer"], told["tried"]) == (status, "no such field", 1)


@pytest.mark.parametrize(
    ("retry", "tries"),
    [
        (Retry(max_attempts=2, delay=0), 2),
        (Retry(max_attempts=None, delay="1h", max_delay="1h", deadline="1m"), 1),
    ],
)
def test_a_policy_has_an_end(retry: Retry, tries: int, web: Web, folder: Path) -> None:
    """After so many tries, or where the next one would be too late, the item is put with the refused."""
    web.answer = lambda *_: (500, {}, b"broken")
    detach_and_forget(create_beacon_driver(web.url, folder=folder, retry=retry), never, 1)
    until(lambda: list(folder.glob("refused/*.item")), "never given up")
    assert len(web.posts) == tries


def test_garbage_in_the_outbox_is_put_aside(web: Web, folder: Path) -> None:
    """A torn file and a foreign one stop nobody, and are kept."""
    folder.mkdir()
    whole = poster.dump({"url": web.url}, b"12345")
    (folder / "0-torn.0.item").write_bytes(whole[:-2])
    (folder / "0-foreign.item").write_bytes(b"\xff{")
    (folder / "0-empty.0.item").write_bytes(b"")
    detach_and_forget(create_beacon_driver(web.url, folder=folder), never, 1)
    until(lambda: is_empty(folder), "never empty")
    assert web.bodies == [b"1"]
    aside = sorted(file.name for file in (folder / poster.DAMAGED).iterdir())
    assert aside == ["0-empty.0.item", "0-foreign.item", "0-torn.0.item"]


def test_one_helper_a_folder_which_ends(web: Web, folder: Path) -> None:
    """While it works nobody starts a second; when nothing comes it ends, and the next item has a new one."""
    driver = create_beacon_driver(web.url, folder=folder)
    detach_and_forget(driver, never, 1)
    until(lambda: is_empty(folder) and helper_of(folder), "never posted")
    first = helper_of(folder)
    detach_and_forget(driver, never, 2)
    until(lambda: is_empty(folder), "never posted")
    assert helper_of(folder) == first
    until(lambda: helper_of(folder) is None, "never ended")
    detach_and_forget(driver, never, 3)
    until(lambda: len(web.posts) == 3, "never posted")


def test_what_comes_while_a_helper_ends_is_not_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes before the lock is free, so its writer starts nobody: the helper looks again."""
    folder.mkdir()
    runs: list[list[str]] = []

    def run(self: poster.Poster, _linger: float) -> None:  # noqa: ARG001
        runs.append(poster.names(folder))
        for name in poster.names(folder):
            (folder / name).unlink()
        if len(runs) == 1:
            (folder / "1-late.0.item").write_bytes(b"")
            assert poster.lock(folder) is None

    monkeypatch.setattr(poster.Poster, "run", run)
    fd = poster.lock(folder)
    assert fd is not None
    poster.work(folder, fd)
    assert runs == [[], ["1-late.0.item"]]


def test_a_bundle_starts_the_helper_too(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its modules are in no file that a new process could import."""
    reached = runtime.modules_reached
    with_detach = lambda roots, *rest: reached([*roots, "flopod.detach"], *rest)  # noqa: E731
    monkeypatch.setattr(runtime, "modules_reached", with_detach)
    source = """
        from flopod.detach import create_beacon_driver, detach_and_forget, poster

        def beacon(url):
            detach_and_forget(create_beacon_driver(url), None, poster.__spec__.loader.__class__.__module__)

        async def run(value):
            return value
    """
    bundle = linked(tmp_path / "src", {"main.py": textwrap.dedent(source)}, "main").bundle
    code = f"import main\nmain.beacon({web.url!r})\n"
    nothing = tmp_path / "nothing"
    (nothing / "flopod").mkdir(parents=True)
    (nothing / "flopod" / "__init__.py").write_text("raise ImportError('not where a bundle runs')")
    environment = {"FLOPOD_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(nothing)}
    run_in_bundle(tmp_path / "bundle", bundle, code, **environment)
    until(lambda: is_empty(tmp_path / "data" / "beacon"), "never posted")
    assert web.bodies == [b'"bundle"']


def test_the_helper_needs_the_standard_library_alone() -> None:
    """It is started by its text, where the project's modules need not be importable."""
    tree = ast.parse(Path(poster.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names

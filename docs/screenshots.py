"""Makes the pictures of the dashboard in docs/screenshots: `python -m docs.screenshots [NAME...]`.

Runs of the shop in docs/demo are brought into many states, on a server and in `flopod dev`.
"""

import sys
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from tests.server.browsing import chromium
from tests.server.dev.developing import Developed
from tests.server.processes.serving import Served, make_server

DEMO = Path(__file__).parent / "demo" / "src"
FOLDER = Path(__file__).parent / "screenshots"
LARGEST = 300_000
WIDE = {"width": 1280, "height": 860}
TALL = {"width": 1280, "height": 1380}
PHONE = {"width": 390, "height": 844}

Lines = list[dict[str, Any]]
LARGE: Lines = [{"sku": "desk", "qty": 2}, {"sku": "lamp", "qty": 3}, {"sku": "chair", "qty": 4}]
SMALL: Lines = [{"sku": "lamp", "qty": 1}, {"sku": "cable", "qty": 12}]
YES = {"approved": True, "by": "Grace", "note": "a good customer"}


def order(run_id: str, customer: str, lines: Lines) -> dict[str, Any]:
    return {"id": run_id, "customer": customer, "lines": lines}


def approve(server: Served, run_id: str) -> None:
    """Say yes to an order that waits for it."""
    server.until(run_id, "waiting")
    server.ask("POST", f"/runs/{run_id}/deliver", {"path": "approved", "event": "approved", "payload": YES})


def trade(server: Served) -> None:
    """Let the shop have orders in every state."""
    begin = lambda run_id, customer, lines: server.start_run(  # noqa: E731
        "fulfil", run_id, order=order(run_id, customer, lines)
    )
    for number, customer in enumerate(("ann", "bob", "cora", "dan"), 1041):
        begin(f"order-{number}", customer, SMALL)
        server.until(f"order-{number}", "completed")
    begin("order-1045", "ann", LARGE)
    approve(server, "order-1045")
    server.until("order-1045", "completed")
    begin("order-1046", "finn", [*SMALL, {"sku": "sofa", "qty": 1}])
    server.until("order-1046", "failed")
    begin("order-1047", "bob", LARGE)
    server.until("order-1047", "waiting")
    server.ask("POST", "/runs/order-1047/cancel", {})
    server.until("order-1047", "cancelled")
    begin("order-1048", "isabella", SMALL)
    server.until("order-1048", "waiting")
    begin("order-1049", "cora", LARGE)
    server.until("order-1049", "waiting")
    server.ask("POST", "/runs/order-1049/pause", {})
    lines = [{"sku": "shelf", "qty": 9}]
    orders = [order("M-1", "gil", SMALL), order("M-2", "hans", lines)]
    server.start_run("fulfil_all", "monday", orders=orders)
    begin("order-1050", "eve", SMALL)
    begin("order-1051", "dan", LARGE)
    server.until("order-1051", "waiting")
    server.wait_for(lambda: "ship" in str(server.run("order-1050")["run"]["running"]))


def shot(browser: Browser, url: str, name: str, ready: str, **options: Any) -> None:
    """Take a picture of a page once it shows the element `ready`."""
    context = browser.new_context(reduced_motion="reduce", **options)
    page = context.new_page()
    page.goto(url)
    page.locator(ready).first.wait_for()
    page.wait_for_timeout(800)
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    context.close()
    assert path.stat().st_size < LARGEST, f"{name}.png has {path.stat().st_size} bytes"


def of_a_server(browser: Browser, folder: Path) -> None:
    """The list, and the page of a run: light, dark, on a phone."""
    folder /= "shop"
    copytree(DEMO, folder / "src")
    with Served(make_server(folder / "src", folder / "server.py"), folder) as server:
        trade(server)
        run = f"{server.url}/ui/runs/order-1051"
        over = f"{server.url}/ui/runs/order-1045"
        shot(browser, server.url, "list", "tr[data-row]", viewport=WIDE)
        shot(browser, run, "run", ".node.is-waiting", viewport=TALL)
        shot(browser, over, "run-dark", ".node.is-done", viewport=TALL, color_scheme="dark")
        shot(browser, run, "run-phone", ".deliver", viewport=PHONE)


def of_dev(browser: Browser, folder: Path) -> None:
    """A run that is stepped through, and an error in the source."""
    folder /= "shop"
    folder.mkdir()
    with Developed(folder, DEMO) as dev:
        dev.until_ready()
        dev.press("step")
        dev.start_run("fulfil", "order-7", order=order("order-7", "ann", LARGE))
        for line in range(2):
            dev.until_bar(f"waits before lines[{line}]/price_line")
            dev.press("go/order-7")
        dev.until_bar("waits before lines[2]/price_line")
        shot(browser, f"{dev.url}/ui/runs/order-7", "dev", ".dev-halted", viewport=WIDE)
        dev.press("run")
        dev.edit("shop/orders.py", "return {", "parcel = eval(payment)\n    return {")
        dev.until_bar("1 error")
        shot(browser, dev.url, "dev-error", ".dev-error", viewport={"width": 1280, "height": 560})


def main() -> None:
    """Make those that are named, else all."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in {"server": of_a_server, "dev": of_dev}.items():
        if name in sys.argv[1:] or not sys.argv[1:]:
            with TemporaryDirectory() as folder, chromium() as browser:
                make(browser, Path(folder))


if __name__ == "__main__":
    main()

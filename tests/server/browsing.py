"""A browser for tests that look at pages: FLOPOD_CHROMIUM, or a Chromium on PATH."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from tests.conftest import LEFT_OUT

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("FLOPOD_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
NONE = f"{LEFT_OUT}: set FLOPOD_CHROMIUM to one, or install chromium-headless-shell"
REQUIRED = "FLOPOD_REQUIRE_CHROMIUM"
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
SECONDS = 30_000

expect.set_options(timeout=SECONDS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser within the block. Without one the test is left out; with FLOPOD_REQUIRE_CHROMIUM it fails.

    While it is open nothing else of this process may use asyncio.
    """
    if not CHROMIUM:
        pytest.fail(NONE) if os.environ.get(REQUIRED) else pytest.skip(NONE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


class Complaints(list[str]):
    """What a browser has to complain of: errors, dialogs that nobody expects, what a policy blocks."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        page.on("pageerror", lambda error: self.append(f"error: {error}"))
        page.on("console", lambda said: self.append(f"said: {said.text}") if said.type == "error" else None)
        page.on("dialog", self._refuse)

    def _refuse(self, dialog: Dialog) -> None:
        self.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def visited(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A page of a site, within the block; at its end the browser must have nothing to complain of."""
    options.setdefault("viewport", {"width": 1280, "height": 900})
    context = browser.new_context(base_url=url, **options)
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    complaints = Complaints(page)
    yield page
    context.close()
    assert complaints == []

"""A bundle of hand-written compiled workflows, and its command line as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flopod.manifest import Parameter, WaitEntry
from flopod_compiler.bundle.link import link
from tests.bundle.support import compilation, project

SOURCE = '''\
"""Workflows as an author writes them, in the form that the compiler gives them."""
import asyncio, os, signal, sys, time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path


@dataclass
class Approval:
    by: str


class Client:
    def __init__(self):
        self.socket = open(os.devnull)


def note(text):
    with open("calls.txt", "a") as file:
        file.write(text + "\\n")


def add(a, b):
    note(f"add {a} {b}")
    print("adding", a, b)
    return a + b


async def slow(seconds):
    note("slow begins")
    await asyncio.sleep(seconds)
    note("slow ends")
    return seconds


def divide(a, b):
    return a / b


def connect():
    return {"clients": [Client()]}


def die():
    note("die")
    os._exit(9)


async def order(wf, order_id: str, qty: int = 1, price: Decimal = Decimal("2.50")):
    total = await wf.activity("add", add, qty, price)
    return {"order": order_id, "total": total}


async def approve(wf, order_id: str):
    first = await wf.activity("add", add, 1, 2)
    approval = await wf.wait("approved", type=Approval)
    return [order_id, first, approval.by]


async def nap(wf, seconds: float = 30):
    await wf.activity("add", add, 1, 1)
    await wf.activity("slow", slow, seconds)
    await wf.sleep("sleep", 0)
    return "rested"


async def fail(wf):
    numbers = {"b": 0}
    return await wf.activity("divide", divide, 1, **numbers)


async def leak(wf):
    return await wf.activity("connect", connect)


async def poison(wf):
    await wf.activity("add", add, 1, 1)
    await wf.activity("die", die)


async def names(wf):
    found = {"ada", "grace", "edsger", "barbara", "donald", "tony"}
    await wf.activity("slow", slow, 0)
    return list(found)
'''
PARAMETERS = {
    "order": [Parameter("order_id"), Parameter("qty", required=False), Parameter("price", required=False)],
    "approve": [Parameter("order_id")],
    "nap": [Parameter("seconds", required=False)],
}
NAMES = ("order", "approve", "nap", "fail", "leak", "poison", "names")


def make_bundle(folder: Path, *names: str) -> Path:
    """Link the workflows `names` (all by default) into `folder/bundle.py`."""
    found = project(folder / "src", {"flows.py": SOURCE})
    lines = list(range(1, SOURCE.count("\n") + 1))
    made = compilation(found, {}, {"flows": (SOURCE, lines)})
    for name in names or NAMES:
        waits = [WaitEntry("approved", "approved", "Approval", "flows")] if name == "approve" else []
        made.manifest.workflows[name] = _entry(name, waits)
    path = folder / "bundle.py"
    path.write_bytes(link(made).content)
    return path


def _entry(name: str, waits: list[WaitEntry]) -> Any:
    from flopod.manifest import WorkflowEntry

    return WorkflowEntry(name, "flows", name, parameters=PARAMETERS.get(name, []), waits=waits)


class Job:
    """A bundle in a folder of its own, run as often as a test likes."""

    def __init__(self, bundle: Path, folder: Path) -> None:
        self.bundle = bundle
        self.folder = folder

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the bundle to its end."""
        process = self.start(*arguments, **environment)
        out, error = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, error)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the bundle in the background."""
        return subprocess.Popen(
            [sys.executable, str(self.bundle), *arguments],
            cwd=self.folder,
            env=clean_environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def calls(self) -> list[str]:
        """What the leaves have noted."""
        path = self.folder / "calls.txt"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for_call(self, text: str, times: int = 1) -> None:
        """Wait until leaves have noted `text` so many times."""
        self.wait_until(lambda: self.calls().count(text) >= times)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, self.calls()
            time.sleep(0.02)


def clean_environment() -> dict[str, str]:
    """The environment without what changes where runs are kept or how hashes are made."""
    dropped = ("FLOPOD_", "DATABASE_URL", "PYTHONHASHSEED")
    return {key: value for key, value in os.environ.items() if not key.startswith(dropped)}


def interrupt(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Send a signal; the exit status and standard error that follow."""
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    return process.returncode, error

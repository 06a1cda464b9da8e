"""The six drivers, side by side: their names, what they say of themselves, and that one has to be named."""

from typing import Any

import pytest

from flopod.detach import (
    Capabilities,
    Driver,
    create_beacon_driver,
    create_immediate_driver,
    create_microtask_batch_driver,
    create_set_immediate_driver,
    create_set_timeout_driver,
    create_worker_driver,
    immediate_driver,
    microtask_batch_driver,
    set_immediate_driver,
    set_timeout_driver,
    worker_driver,
)

HERE = {"in_process": True, "survives_exit": False, "cpu_isolated": False}
BEACON = {"in_process": False, "survives_exit": True, "cpu_isolated": False}
PROCESS = {"in_process": False, "survives_exit": False, "cpu_isolated": True}
SIX: list[tuple[Any, str, dict[str, bool]]] = [
    (microtask_batch_driver, "microtask-batch", HERE),
    (create_microtask_batch_driver(), "microtask-batch", HERE),
    (immediate_driver, "immediate", HERE),
    (create_immediate_driver(), "immediate", HERE),
    (set_immediate_driver, "set-immediate", HERE),
    (create_set_immediate_driver(), "set-immediate", HERE),
    (set_timeout_driver, "set-timeout", HERE),
    (create_set_timeout_driver("1.5s"), "set-timeout-1500ms", HERE),
    (worker_driver, "worker", PROCESS),
    (create_worker_driver(), "worker", PROCESS),
    (create_worker_driver(threads=True), "worker-thread", HERE),
]


@pytest.mark.parametrize("driver, name, flags", SIX)
def test_a_driver_says_its_name_and_what_it_can_do(driver: Driver, name: str, flags: dict[str, bool]) -> None:
    """Its flags are advice: none is asked when a child is detached."""
    _is_described(driver, name, flags)


def test_the_beacon_says_so_too(tmp_path: Any) -> None:
    """It is made with a URL, and needs no module of its own to have one."""
    _is_described(create_beacon_driver("https://example.com", folder=tmp_path), "beacon", BEACON)


def _is_described(driver: Driver, name: str, flags: dict[str, bool]) -> None:
    assert isinstance(driver, Driver)
    assert driver.name == name
    assert repr(driver).startswith(f"<driver {name}")
    assert isinstance(driver.capabilities, Capabilities)
    assert {flag: getattr(driver.capabilities, flag) for flag in flags} == flags

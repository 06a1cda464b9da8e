"""Children beside the main line: `detach_and_join_later` and `detach_and_forget`, and what drives them.

Each name is loaded at its first use.
"""

from typing import TYPE_CHECKING

from flopod import loaded_from

if TYPE_CHECKING:
    from flopod.detach.beacon import create_beacon_driver
    from flopod.detach.driver import Capabilities, Child, Driver, RunChild
    from flopod.detach.flush import Flushed, flush_all_detached
    from flopod.detach.handle import (
        DetachHandle,
        DetachStatus,
        create_handle,
        mark_done,
        mark_failed,
        mark_running,
    )
    from flopod.detach.inprocess import (
        create_immediate_driver,
        create_microtask_batch_driver,
        create_set_immediate_driver,
        create_set_timeout_driver,
        immediate_driver,
        microtask_batch_driver,
        set_immediate_driver,
        set_timeout_driver,
    )
    from flopod.detach.register import Registry, registry
    from flopod.detach.spawn import detach_and_forget, detach_and_join_later
    from flopod.detach.worker import create_worker_driver, worker_driver
    from flopod.detach.workers.errors import ChildExited, WorkerDied

__all__ = [
    "Capabilities",
    "Child",
    "ChildExited",
    "DetachHandle",
    "DetachStatus",
    "Driver",
    "Flushed",
    "Registry",
    "RunChild",
    "WorkerDied",
    "create_beacon_driver",
    "create_handle",
    "create_immediate_driver",
    "create_microtask_batch_driver",
    "create_set_immediate_driver",
    "create_set_timeout_driver",
    "create_worker_driver",
    "detach_and_forget",
    "detach_and_join_later",
    "flush_all_detached",
    "immediate_driver",
    "mark_done",
    "mark_failed",
    "mark_running",
    "microtask_batch_driver",
    "registry",
    "set_immediate_driver",
    "set_timeout_driver",
    "worker_driver",
]

HOMES = {
    "flopod.detach.beacon": "create_beacon_driver",
    "flopod.detach.driver": "Capabilities Child Driver RunChild",
    "flopod.detach.flush": "Flushed flush_all_detached",
    "flopod.detach.handle": "DetachHandle DetachStatus create_handle mark_done mark_failed mark_running",
    "flopod.detach.inprocess": "create_immediate_driver create_microtask_batch_driver "
    "create_set_immediate_driver create_set_timeout_driver "
    "immediate_driver microtask_batch_driver set_immediate_driver set_timeout_driver",
    "flopod.detach.register": "Registry registry",
    "flopod.detach.spawn": "detach_and_forget detach_and_join_later",
    "flopod.detach.worker": "create_worker_driver worker_driver",
    "flopod.detach.workers.errors": "ChildExited WorkerDied",
}

__getattr__ = loaded_from(__name__, {name: home for home, names in HOMES.items() for name in names.split()})

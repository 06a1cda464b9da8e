"""The detached work that goes on in this process, as `flush_all_detached` and the registry know it."""

from flopod import codec
from flopod.detach.handle import DetachHandle, create_handle, mark_done, mark_failed, mark_running
from flopod.detach.register import registry
from flopod.events import Event, RunCompleted, RunFailed


class Underway:
    """Handles by the run ids of the work; each is in the registry under its parent's."""

    def __init__(self) -> None:
        self._handles: dict[str, tuple[DetachHandle, str]] = {}

    def begun(self, run_id: str, parent: str | None, detach: str) -> None:
        """Take a run; one that is no detached work, or is known, is left out."""
        if detach and run_id not in self._handles:
            self.taken(run_id, parent, detach)

    def taken(self, run_id: str, parent: str | None, detach: str) -> DetachHandle:
        """Take the run of detached work, and return its handle."""
        handle = create_handle(detach)
        mark_running(handle)
        self._handles[run_id] = handle, parent or ""
        registry.register(handle, parent or "")
        return handle

    def ended(self, run_id: str, event: Event | None) -> None:
        """Take note that a run is over, with its last event if that is at hand."""
        handle = self.over(run_id)
        if handle is None:
            return
        try:
            _settle(handle, event)
        except Exception as error:  # what it holds is not known here; the log has it
            mark_failed(handle, error)

    def over(self, run_id: str) -> DetachHandle | None:
        """Let go of a run that does not go on here, and return its handle."""
        handle, parent = self._handles.pop(run_id, (None, ""))
        if handle is not None:
            registry.unregister(handle.id, parent)
        return handle

    def close(self) -> None:
        """Let go of all."""
        for run_id in list(self._handles):
            self.over(run_id)


def _settle(handle: DetachHandle, event: Event | None) -> None:
    if isinstance(event, RunCompleted):
        mark_done(handle, codec.decode(event.result))
    else:
        mark_failed(handle, codec.decode(event.error) if isinstance(event, RunFailed) else "it was cancelled")

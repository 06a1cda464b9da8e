"""The handles of this process that have not ended, by run and id."""

import threading

from flopod.detach.handle import DetachHandle, when_over


class Registry:
    """Knows each handle from its detach until it ends. An id is that of a run, "" for none."""

    def __init__(self) -> None:
        self._handles: dict[tuple[str, str], DetachHandle] = {}
        self._lock = threading.Lock()

    def register(self, handle: DetachHandle, run_id: str = "") -> None:
        """Take a handle until it ends; one of the same run and id is replaced."""
        key = (run_id, handle.id)
        with self._lock:
            self._handles[key] = handle
        when_over(handle, lambda ended: self._forget(key, ended))

    def unregister(self, id: str, run_id: str = "") -> None:
        """Know no more of a handle, whether or not it has ended."""
        with self._lock:
            self._handles.pop((run_id, id), None)

    def look_up(self, id: str, run_id: str = "") -> DetachHandle | None:
        """Return the handle of an id that has not ended, None if there is none."""
        return self._handles.get((run_id, id))

    def ids(self) -> list[tuple[str, str]]:
        """Return run and id of each handle in a list of one's own, in the order of their detaches."""
        with self._lock:
            return list(self._handles)

    def handles(self) -> list[DetachHandle]:
        """Return the handles in the order of their detaches."""
        with self._lock:
            return list(self._handles.values())

    def reset(self) -> None:
        """Know nothing, with a lock of its own: for a process that was forked."""
        self._handles, self._lock = {}, threading.Lock()

    def __len__(self) -> int:
        return len(self._handles)

    def _forget(self, key: tuple[str, str], ended: DetachHandle) -> None:
        with self._lock:
            if self._handles.get(key) is ended:
                del self._handles[key]


registry = Registry()

"""What undoes the steps of a run, the last one first, if the run fails or is cancelled.

What is registered is not recorded: a resumed body registers it again. Each compensation is a leaf.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Raw

from flopod import codec
from flopod.callee import callee_of
from flopod.errors import SerializableError
from flopod.events import Compensated
from flopod.undo import note_of
from flopod.workflow.activity import Activity
from flopod.workflow.arguments import Arguments, opened

if TYPE_CHECKING:
    from flopod.workflow.core import Core


class _Undo(NamedTuple):
    path: str
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Compensations:
    """The compensations of one run."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._stack: list[_Undo] = []
        self._scopes: set[str] = set()

    def register(self, path: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> None:
        """Let `fn(*args, **kwargs)` be called at `path` if the run ends badly.

        Raises SerializableError for arguments that no leaf can be given.
        """
        if self._core.fenced:
            return
        fn, args, kwargs = opened(fn, args, kwargs)
        try:
            Arguments(path, args, kwargs)
        except SerializableError as error:
            error.path = path
            raise
        self._stack.append(_Undo(path, fn, args, kwargs))
        while path := path.rpartition("/")[0]:
            self._scopes.add(path)
            self._scopes.add(path.rpartition("[")[0])

    def stands_on(self, path: str) -> bool:
        """Whether a compensation was registered inside a scope, an iteration or a loop.

        It is then needed as it ran, and nothing may stand for it.
        """
        return path in self._scopes

    async def guard(self, body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a body; if it raises, undo what has been done, then let it raise."""
        try:
            return await body()
        except (GeneratorExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            await self.undo(error)
            raise

    async def undo(self, error: BaseException) -> None:
        """Call what is registered, the last one first; each failure is a note of `error`."""
        while self._stack:
            one = self._stack.pop()
            try:
                await Activity(self._core, one.path, one.fn, one.args, one.kwargs)
            except Exception as wrong:
                error.add_note(note_of(one.fn, wrong))
                self._ended(one, Raw(codec.encode(wrong)))
            else:
                self._ended(one, None)

    def _ended(self, one: _Undo, error: Raw | None) -> None:
        core = self._core
        event = Compensated(path=one.path, at=core.now, callee=callee_of(one.fn), error=error)
        core.emit_visible(event)

"""A body that asyncio steps, outside of its core: when it has come to rest cannot be known, only guessed."""

import asyncio

from flopod.workflow.core import Core

_PATIENCE = 30.0
_QUIET = 12


class Outside:
    """What the driver of `core` sees of such a body; `woken` is set when it has done something."""

    def __init__(self, core: Core, woken: asyncio.Event) -> None:
        self._core = core
        self._woken = woken
        self._submitted = 0

    def submitted(self) -> None:
        """Note that the body has done something."""
        self._submitted += 1
        self._woken.set()

    async def settle(self) -> None:
        """Let the body come to rest, as far as that can be seen from here."""
        quiet = 0
        while quiet < _QUIET:
            before = self._submitted
            await asyncio.sleep(0)
            quiet = quiet + 1 if before == self._submitted else 0

    async def be_patient(self) -> None:
        """Wait for the body to ask for what the log holds; not for ever if it waits for the log."""
        before = self._submitted
        try:
            async with asyncio.timeout(_PATIENCE if self._core.open else None):
                await self._woken.wait()
        except TimeoutError:
            if before == self._submitted:
                self._core.replay.patient = False

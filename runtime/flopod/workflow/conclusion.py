"""What a step ends with: the end of the run or the leaves that start now, and a commit of it all."""

from functools import partial
from typing import TYPE_CHECKING

from flopod.events import RunPaused
from flopod.workflow.commands import Commit, Compact

if TYPE_CHECKING:
    from flopod.workflow.core import Core


class Conclusion:
    """Concludes the steps of a run, once its body has come as far as it can without the world."""

    def __init__(self, core: "Core") -> None:
        self._core = core

    def commit(self) -> Commit:
        """Hand out what has happened since the last commit; nothing while the past is replayed."""
        core, draft = self._core, self._core.draft
        if core.diverged is not None or not core.acts or core.unsettled:
            return draft.nothing()
        self._close_run()
        self._start_leaves()
        if draft.has_only_resumed() and core.ended is None:
            return draft.nothing()
        for seq, event in draft.numbered():
            core.compaction.appended(seq, event)
        self._compact()
        return draft.take(core.offspring.take_begun())

    def _compact(self) -> None:
        """Drop what the log can do without; a run that is over stays as it is."""
        core = self._core
        if core.ended is not None or core.paused is not None:
            return
        compacted = core.compaction.due(core.now)
        if compacted is not None:
            core.draft.add(compacted)
            core.compaction.appended(core.draft.next_seq - 1, compacted)
            core.command(Compact(compacted.dropped, compacted.inbox))

    def _close_run(self) -> None:
        core = self._core
        if core.ended is None:
            core.ended = core.ending.event(core.now)
            if core.ended is not None and core.history.ended is None:
                core.draft.add(core.ended)

    def _start_leaves(self) -> None:
        core = self._core
        if core.pausing.wanted is not None and core.ended is None:
            # What is under way ends first, and what has arrived is delivered.
            if not core.agenda.running and not core.has_more:
                self._rest(core.pausing.obey(core.now))
            return
        starting = core.agenda.take_starting(core.now, core.scheduler)
        poisoned = core.pausing.refuse(starting, core.now)
        if poisoned is not None:
            self._rest(poisoned)
            return
        for activity in starting:
            if activity.is_too_late():
                core.agenda.arrive(activity, partial(activity.deliver, activity.give_up()))
            else:
                core.agenda.running.add(activity.path)
                core.draft.commands.append(activity.command())

    def _rest(self, paused: RunPaused) -> None:
        self._core.draft.add(paused)
        self._core.fenced = True

"""A worker process as its server sees it: told, listened to, killed, stopped."""

import asyncio
import os
import sys
from collections.abc import Callable

import pytest
from msgspec import Raw

from flopod.server.messages import Adopt, Answer, Idle, Message, Misfit, Report, line, read_report
from flopod.server.process import Worker

pytestmark = [pytest.mark.process, pytest.mark.anyio]

ECHO = """
import json, sys
for text in sys.stdin:
    told = json.loads(text)
    print(json.dumps({"type": "Misfit", "run_id": told["run_id"], "reason": "because"}), flush=True)
print(json.dumps({"type": "Idle"}), flush=True)
sys.exit(3)
"""


class Heard:
    """What a worker told, and how it ended."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.status: int | None = None
        self.news = asyncio.Event()

    def report(self, report: Report) -> None:
        self.reports.append(report)
        self.news.set()

    def end(self, status: int) -> None:
        self.status = status
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await self.news.wait()
                self.news.clear()


async def _started(code: str) -> tuple[Worker, Heard]:
    heard = Heard()
    worker = Worker([sys.executable, "-c", code], os.environ, heard.report, heard.end)
    await worker.start()
    return worker, heard


async def test_a_worker_reads_what_it_is_told_and_is_heard() -> None:
    """Its standard input is closed to stop it, and its exit status is told."""
    worker, heard = await _started(ECHO)
    assert worker.tell(Adopt("run-1"))
    await heard.until(lambda: bool(heard.reports))
    await worker.stop(20)
    assert heard.reports == [Misfit("run-1", "because"), Idle()]
    assert heard.status == 3
    assert not worker.is_alive
    assert not worker.tell(Adopt("run-2"))


async def test_a_worker_that_is_killed_has_ended_by_the_signal() -> None:
    """As a crash ends it."""
    worker, heard = await _started("import time; time.sleep(60)")
    worker.kill()
    await heard.until(lambda: heard.status is not None)
    assert heard.status == -9


async def test_a_worker_that_does_not_stop_is_killed() -> None:
    """After the seconds that it is given."""
    worker, heard = await _started("import time; time.sleep(60)")
    await worker.stop(0.2)
    assert heard.status == -9


async def test_a_line_that_is_no_message_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """What comes after it is heard."""
    worker, heard = await _started("print('hello'); print('{\"type\": \"Idle\"}')")
    await heard.until(lambda: heard.status is not None)
    assert heard.reports == [Idle()]
    assert "hello" in caplog.text
    assert not worker.is_alive


@pytest.mark.parametrize(
    "answer", [Answer(1), Answer(2, Raw(b"[1]")), Answer(3, Raw(b"null")), Answer(4, error=Raw(b'{"a": 1}'))]
)
def test_an_answer_is_read_as_it_was_sent(answer: Answer) -> None:
    """With a value, with an error, with neither."""
    read = read_report(line(answer))
    assert isinstance(read, Answer)
    assert line(read) == line(answer)
    assert (read.value is None, read.error is None) == (answer.value is None, answer.error is None)


def test_a_message_is_one_line() -> None:
    """Whatever is in it."""
    message: Message = Misfit("run", "first\nsecond")
    assert line(message).count(b"\n") == 1

"""A process that sends the webhooks of a SQLite store: `python -m tests.server.webhooks.sending PLACE`.

It ends when its standard input does; each line of that is a run to begin, to expect and to end: ID URL.
"""

import asyncio
import sys
from pathlib import Path

from flopod.backends import SqliteBackend
from flopod.server.live import Live
from flopod.server.observed import observed
from flopod.server.settings import Settings
from flopod.server.webhooks import Webhooks
from tests.server.webhooks.runs import begin, end


async def main() -> None:
    """Serve."""
    store = observed(SqliteBackend(Path(sys.argv[1])))
    webhooks = Webhooks(store, Settings(secret=b"s" * 32, webhook_private=True))
    serving = asyncio.create_task(webhooks.serve(Live(store)))
    while line := await asyncio.to_thread(sys.stdin.readline):
        run_id, url = line.split()
        await webhooks.expect(run_id, url)
        begin(store, run_id)
        end(store, run_id)
        print(run_id, flush=True)
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())

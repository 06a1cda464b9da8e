"""`python -m tests.server.api.hostile`: all that schemathesis thinks of, against our own OpenAPI."""

import argparse
import sys
from contextlib import chdir
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx2
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.server.api.serving import Serving, serving

# Beside what schemathesis expects: 422 is a request that fits the document, but not the workflow.
_ACCEPTED = ["2xx", "401", "403", "404", "409", "422"]


class Found(NamedTuple):
    """How much was asked, and what was wrong with the answers."""

    cases: int
    operations: int
    wrong: list[str]


def hostile(examples: int, seed: int = 1) -> Found:
    """Ask a server in this process, behind its guard; `examples` is for each operation and kind of data.

    In a folder that is removed: a workflow of the shop writes to the path that it is given.
    """
    with TemporaryDirectory() as folder, chdir(folder), serving() as served:
        _furnish(served)
        return _asked(served.url, examples, seed)


def _furnish(served: Serving) -> None:
    """Runs and a schedule that requests can meet."""
    with httpx2.Client(base_url=served.url) as client:
        for run_id, workflow, input in (
            ("done", "greet", ["ada"]),
            ("asks", "approve", ["x"]),
            ("0", "nap", [3600]),
            ("broken", "mends", ["/nowhere"]),
        ):
            body = {"workflow": workflow, "input": input, "run_id": run_id}
            assert client.post("/runs", json=body).status_code == 202
        daily = {"name": "daily", "workflow": "greet", "input": ["a"], "cron": "0 8 * * *"}
        assert client.post("/schedules", json=daily).status_code == 201


def _asked(url: str, examples: int, seed: int) -> Found:
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "request-timeout": 2,
            "checks": {"positive_data_acceptance": {"expected-statuses": _ACCEPTED}},
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    cases, labels, wrong = 0, set[str](), dict[str, str]()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            labels.add(event.recorder.label)
            wrong |= _wrong(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            wrong[repr(event)] = f"{event}"
    return Found(cases, len(labels), list(wrong.values()))


def _wrong(event: events.ScenarioFinished) -> dict[str, str]:
    """What is wrong with the answers, once for each kind."""
    found: dict[str, str] = {}
    for id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure, sent = check.failure_info.failure, check.failure_info.code_sample
                answer = event.recorder.interactions[id].response
                got = f"{answer.status_code} {answer.content[:500]!r}" if answer is not None else ""
                key = f"{failure.operation} {check.name}"
                found[key] = f"{key}: {failure.message}\n{sent}\n{got}"
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = hostile(given.examples, given.seed)
    print(f"{found.cases} requests for {found.operations} operations, {len(found.wrong)} wrong answers")
    for each in found.wrong:
        print(each)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""What requests and responses hold, as OpenAPI describes it. Times are RFC 3339 in UTC with milliseconds."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from flopod.engine.schedule import Overlap
from flopod.events import Attribute
from flopod.status import Status

_ID = "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}"
RUN_ID = f"^{_ID}$"
CURSOR = f"^[0-9]{{1,15}}:{_ID}$"

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
RunId = Annotated[str, Meta(extra_json_schema={"pattern": RUN_ID})]
Name = Annotated[str, Meta(max_length=2000)]
Key = Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]


# `$` of Python would let a line feed at the end through.
Line = Annotated[str, Meta(max_length=200, pattern=r"^(?![\s\S]*[\x00-\x1f\x7f])")]
Search = Annotated[str, Meta(max_length=500, pattern=r"^(?![\s\S]*\x00)")]
Text = Annotated[str, Meta(max_length=10_000, pattern=r"^(?![\s\S]*\x00)")]

# JSON Schema takes 1.0 for an integer.
Priority = (
    Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
    | Annotated[float, Meta(ge=-(2**31), le=2**31 - 1, multiple_of=1)]
)
Document = dict[str, Any]
DoneNow = Literal["now", "told", "already", "underway"]


# -- requests ------------------------------------------------------------------------------------


class StartRun(Struct, forbid_unknown_fields=True, kw_only=True):
    """A run to be started: `input` has the arguments, by name or by place.

    Without a `run_id` a new one is made; the same `run_id` with the same workflow and input is the same
    run. `webhook` is told when the run has ended.
    """

    workflow: Name
    input: Document | list[Any] = {}
    run_id: RunId | None = None
    queue: Line = ""
    key: Line = ""
    priority: Priority = 0
    attributes: dict[Key, Attribute] = {}
    webhook: Name | None = None


class Deliver(Struct, forbid_unknown_fields=True, kw_only=True):
    """An event for the wait at `path`."""

    path: Name
    event: Name
    payload: Any = None


class Cancel(Struct, forbid_unknown_fields=True, kw_only=True):
    """With `force` the run ends at once, without cleaning up."""

    reason: Text = ""
    force: bool = False


class Because(Struct, forbid_unknown_fields=True, kw_only=True):
    """Why, for those who read the history of the run."""

    reason: Text = ""


class Nothing(Struct, forbid_unknown_fields=True):
    """An empty object, or no body."""


class Fork(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new run with the past of another up to the path `from`, or all of it."""

    at: Name | None = field(name="from", default=None)
    input: Document | list[Any] | None = None
    run_id: RunId | None = None


class SetSchedule(Struct, forbid_unknown_fields=True, kw_only=True):
    """Runs of a workflow, started by the clock: exactly one of `cron`, `every` and `at` says when.

    `at` and `until` are times, in the time zone `zone` if they name none, or durations from now.
    """

    workflow: Name
    input: Document | list[Any] = {}
    cron: Line = ""
    every: Line = ""
    at: Line = ""
    until: Line = ""
    zone: Line = "UTC"
    overlap: Overlap = "skip"
    catch_up: Line = "1m"
    paused: bool = False
    queue: Line = ""
    priority: Priority = 0
    attributes: dict[Key, Attribute] = {}


class NewSchedule(SetSchedule, forbid_unknown_fields=True, kw_only=True):
    """A schedule that there is not yet: the id of a run is its name and the time at which that was due."""

    name: RunId


class NewLink(Struct, forbid_unknown_fields=True, kw_only=True):
    """An address at which a person can deliver an event, once, for as long as `expires_in`."""

    path: Name
    event: Name
    expires_in: Line = "72h"


class Answer(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person delivers."""

    payload: Any = None


# -- queries -------------------------------------------------------------------------------------


class RunQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which runs are listed: `attribute` has the form NAME=VALUE, `q` is looked for in ids, workflows, errors
    and attributes."""

    status: list[Status] = []
    workflow: Search | UnsetType = UNSET
    queue: Search | UnsetType = UNSET
    attribute: list[Search] = []
    q: Search = ""
    started_after: Moment | UnsetType = UNSET
    started_before: Moment | UnsetType = UNSET
    cursor: Annotated[str, Meta(extra_json_schema={"pattern": CURSOR})] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class EventQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which events are listed: at most `limit`, those after the sequence number `after`."""

    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000


class GraphQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """In which form a workflow is drawn."""

    format: Literal["svg", "mermaid", "dot", "json"] = "svg"


class NoQuery(Struct, forbid_unknown_fields=True):
    """No parameters."""


# -- responses -----------------------------------------------------------------------------------


class Started(Struct, kw_only=True):
    """A run that surely runs."""

    run_id: str
    status: Status
    url: str


class Wait(Struct, kw_only=True):
    """A wait that goes on, until `due` if that is a time."""

    path: str
    event: str
    due: Time | None


class OpenWait(Wait, kw_only=True):
    """A wait that goes on, with the JSON schema of what it takes, null for anything."""

    schema: Document | None


class Run(Struct, kw_only=True):
    """A run as a listing shows it. What is open is keyed by its path.

    `running` has the attempt that a step is at, `retrying` when the next one is due, `sleeps` when they
    end, `children` the run ids.
    """

    run_id: str
    url: str
    workflow: str
    status: Status
    build: str
    build_name: str
    parent: str | None
    detached: bool
    started_at: Time
    updated_at: Time
    ended_at: Time | None
    seq: int
    steps_started: int
    steps_done: int
    steps_failed: int
    retries: int
    crashes: int
    result_size: int | None
    error: str
    cancelling: bool
    running: dict[str, int]
    retrying: dict[str, Time]
    sleeps: dict[str, Time]
    waits: list[Wait]
    children: dict[str, str]
    queue: str
    key: str
    priority: int
    attributes: dict[str, Attribute]


class WorkError(Struct, kw_only=True):
    """Work beside the main line that failed."""

    path: str
    name: str
    error: str


class RunDetails(Struct, kw_only=True):
    """A run with what its log tells. Values are plain JSON, without the types that the log keeps."""

    run: Run
    input: Any
    result: Any
    traceback: str
    variables: Document
    progress: Document
    work_errors: list[WorkError]
    waits: list[OpenWait]


class RunPage(Struct, kw_only=True):
    """Runs, the youngest first; `next` is the cursor of the page after this, null on the last."""

    runs: list[Run]
    next: str | None


class EventRecord(Struct, kw_only=True):
    """A record of the log; `at` is in milliseconds since the epoch. More fields belong to its kind."""

    seq: int
    kind: str
    path: str = ""
    at: int = 0


class EventPage(Struct, kw_only=True):
    """Records in their order; `next` is the `after` of the page after this, null if there is none now."""

    events: list[Raw]
    next: int | None


class Ordered(Struct, kw_only=True):
    """What became of an order: done `now` or `already`, `told` to who has the run, or `underway`."""

    run_id: str
    done: DoneNow


class Delivered(Struct, kw_only=True):
    """An event in the inbox of a run, with its number there."""

    run_id: str
    path: str
    event: str
    number: int


class WaitPlace(Struct, kw_only=True):
    """A place where a workflow can wait: a path pattern, and an event, "*" if the code computes it."""

    path: str
    event: str


class Workflow(Struct, kw_only=True):
    """A workflow that can be started; `input_schema` describes an object of its parameters."""

    name: str
    description: str
    version: str
    queue: str
    build: str
    input_schema: Document
    waits: list[WaitPlace]
    url: str


class Workflows(Struct, kw_only=True):
    """What can be started, in the order of the names."""

    workflows: list[Workflow]


class Schedule(Struct, kw_only=True):
    """A schedule; `next` is when it is due, null if it is paused or over, `last` what was dealt with last."""

    name: str
    url: str
    workflow: str
    input: Any
    cron: str
    every: str
    at: str
    zone: str
    overlap: Overlap
    catch_up: str
    paused: bool
    queue: str
    priority: int
    attributes: dict[str, Attribute]
    since: Time
    until: Time | None
    last: Time | None
    next: Time | None


class Schedules(Struct, kw_only=True):
    """The schedules, in the order of the names."""

    schedules: list[Schedule]


class Link(Struct, kw_only=True):
    """An address at which an event can be delivered once; whoever has it may do so."""

    url: str
    expires_at: Time


class Asked(Struct, kw_only=True):
    """What is asked at a link."""

    run_id: str
    workflow: str
    path: str
    event: str
    schema: Document | None
    expires_at: Time


class Health(Struct, kw_only=True):
    """That all is well."""

    status: Literal["ok"] = "ok"

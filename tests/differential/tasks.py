"""Random statements of asyncio: tasks, groups, timeouts, waits, locks, races."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential.body import Body
from tests.differential.expressions import arm, assignable, int_expr

Write = Callable[[Body], None]


def _late(body: Body) -> str:
    """A coroutine that may take its time."""
    return _slow(body) if body.chance(0.4) else arm(body, int_expr(body, 1))


def _apart(body: Body) -> str:
    """A coroutine that changes nothing of the main line: a leaf in flight there may be changing it."""
    if body.chance(0.4):
        return _slow(body)
    return f"{body.rng.choice(['num', 'num', *body.workflows])}({int_expr(body, 1)})"


def _slow(body: Body) -> str:
    return f"asyncio.sleep({body.rng.choice(['1', '4', '9'])}, {int_expr(body, 0)})"


def created(body: Body, write: Write) -> None:
    """A task that is awaited after other work."""
    name = body.fresh("task")
    body.text.add(f"{name} = asyncio.create_task({_apart(body)})")
    with body.inside("create-task"):
        write(body)
    body.see(f"await {name}")


def cancelled(body: Body, _: Write) -> None:
    """A task that is cancelled, before or after it began."""
    body.mark("task-cancel")
    name = body.fresh("task")
    body.text.add(f"{name} = asyncio.ensure_future({_late(body)})")
    if body.chance(0.6):
        body.see(f"{int_expr(body)}")
    body.see(f"{name}.cancel('enough')")
    with body.text.block("try:"):
        body.see(f"await {name}")
    with body.text.block("except asyncio.CancelledError as stop:"):
        body.see(f"(stop.args, {name}.cancelled(), {int_expr(body)})")


def group(body: Body, write: Write) -> None:
    """A task group; its errors come as a group."""
    name, one, two = body.fresh("group"), body.fresh("task"), body.fresh("task")
    guarded = body.chance(0.6)
    with body.inside("task-group"), body.text.block("try:"):
        with body.text.block(f"async with asyncio.TaskGroup() as {name}:"):
            body.text.add(f"{one} = {name}.create_task({_apart(body)})")
            body.text.add(f"{two} = {name}.create_task({_apart(body)})")
            outer, body.in_loop = body.in_loop, False
            write(body)
            body.in_loop = outer
        body.see(f"({one}.result(), {two}.result())")
    caught = "except* Oops as errors:" if guarded else "except* KeyError as errors:"
    with body.text.block(caught):
        body.see("sorted(str(one.args) for one in errors.exceptions)")


def timeout(body: Body, write: Write) -> None:
    """A block under a timeout, with a sleep that may be longer."""
    limit = body.rng.choice(["3", "30", "None", "0"])
    header = f"async with asyncio.timeout({limit}):"
    with body.inside("timeout"), body.text.block("try:"), body.text.block(header):
        write(body)
        body.text.add(f"await asyncio.sleep({body.rng.choice(['0', '2', '7'])})")
        body.see(f"{int_expr(body)}")
    with body.text.block("except TimeoutError:"):
        body.text.add(f"{assignable(body)} = {int_expr(body)}")


def wait_for(body: Body, _: Write) -> None:
    """A single coroutine under a timeout."""
    body.mark("wait-for")
    with body.text.block("try:"):
        limit = body.rng.choice(["2", "timeout=5", "60", "None"])
        body.see(f"await asyncio.wait_for({_late(body)}, {limit})")
    with body.text.block("except TimeoutError:"):
        body.see(f"{int_expr(body)}")


def wait(body: Body, _: Write) -> None:
    """`asyncio.wait` for all, for the first, or with a timeout; what is left is waited for."""
    body.mark("wait")
    name, done, pending = body.fresh("tasks"), body.fresh("done"), body.fresh("pending")
    how = body.rng.choice(["", ", return_when=asyncio.FIRST_COMPLETED", ", timeout=2"])
    body.text.add(f"{name} = [asyncio.create_task({_late(body)}), asyncio.create_task({_late(body)})]")
    body.text.add(f"{done}, {pending} = await asyncio.wait({name}{how})")
    body.see(f"[one in {done} for one in {name}]")
    with body.text.block(f"if {pending}:"):
        body.see(f"len((await asyncio.wait({pending}))[0])")
    body.see(f"[str(one.exception()) for one in {name}]")


def as_completed(body: Body, _: Write) -> None:
    """The results of several in the order in which they come."""
    body.mark("as-completed")
    one = body.fresh("one")
    with body.text.block(f"for {one} in asyncio.as_completed([{_late(body)}, {_late(body)}]):"):
        with body.text.block("try:"):
            body.see(f"await {one}")
        with body.text.block("except Oops as late:"):
            body.see(f"(late.args, {int_expr(body, 1)})")


def raced(body: Body, _: Write) -> None:
    """The first of two, or both by name."""
    name = body.fresh("first")
    if body.chance(0.6):
        body.mark("race")
        body.text.add(f"{name} = await race(one={_late(body)}, two={_late(body)})")
        body.see(f"({name}.name, {name}.value)")
    else:
        body.mark("parallel")
        body.text.add(f"{name} = await parallel(one={_late(body)}, two={_late(body)})")
        body.see(f"list({name}.items())")


def guarded(body: Body, _: Write) -> None:
    """Arms that take turns at a lock or a semaphore."""
    body.mark("semaphore")
    limit, name = body.fresh("limit"), body.fresh("guarded")
    body.text.add(f"{limit} = asyncio.{body.rng.choice(['Semaphore(1)', 'Lock()', 'BoundedSemaphore(2)'])}")
    with body.text.block(f"async def {name}(p):"), body.text.block(f"async with {limit}:"):
        body.see("p")
        body.text.add("return await num(p) + await num(p, 1)")
    arguments = [int_expr(body, 1) for _ in range(3)]
    arms = ", ".join(f"{name}({one})" for one in arguments)
    found = body.fresh("found")
    body.text.add(f"{found} = await asyncio.gather({arms}, return_exceptions=True)")
    body.see(f"[str(one) for one in {found}]")


def queue(body: Body, _: Write) -> None:
    """A producer beside a consumer."""
    body.mark("queue")
    name, fill, item = body.fresh("queue"), body.fresh("fill"), body.fresh("item")
    body.text.add(f"{name} = asyncio.Queue({body.rng.choice(['', 'maxsize=1'])})")
    with body.text.block(f"async def {fill}(p):"):
        with body.text.block("for part in range(p % 3):"):
            body.text.add(f"await {name}.put(await other(part))")
        body.text.add(f"await {name}.put(None)")
    task = body.fresh("task")
    body.text.add(f"{task} = asyncio.create_task({fill}({int_expr(body)}))")
    with body.text.block(f"while ({item} := await {name}.get()) is not None:"):
        body.see(f"{item} + await other({item})")
    body.text.add(f"await {task}")


def shielded(body: Body, _: Write) -> None:
    """A task that outlives the timeout around it."""
    body.mark("shield")
    name = body.fresh("task")
    body.text.add(f"{name} = asyncio.create_task({_late(body)})")
    with body.text.block("try:"):
        body.see(f"await asyncio.wait_for(asyncio.shield({name}), 2)")
    with body.text.block("except TimeoutError:"):
        body.see(f"await {name}")


def beside(body: Body, write: Write) -> None:
    """Work beside the main line, of a leaf or of an inner function; it is waited for, soon or at the end."""
    body.mark("work")
    value = int_expr(body, 1)
    if body.chance(0.5):
        body.see(f"work(num, {value}{_conditions(body)})")
    else:
        block = body.fresh("block")
        with body.text.block(f"async def {block}(p):"):
            body.see("p")
            body.see("await num(p) + await other(p)")
        body.see(f"work({block}, {value}{_conditions(body)})")
    if body.chance(0.5):
        body.mark("for-each")
        limit = body.rng.choice(["", ", concurrency=1", ", concurrency=2"])
        body.see(f"list(for_each(num, [{value}, {int_expr(body)}, 3]{limit}))")
    if body.chance(0.5):
        write(body)
    if body.chance(0.7):
        drained(body, write)


def _conditions(body: Body) -> str:
    """A connector, a condition, both or none."""
    connector = body.rng.choice(["", "", ", connector=lambda given: given + 1"])
    return connector + body.rng.choice(["", "", ", when=lambda given: given % 2 == 0", ", when=True"])


def drained(body: Body, _: Write) -> None:
    """A wait for the work of this function, which raises its first error or counts it."""
    body.mark("wait-for-work")
    name = body.fresh("drained")
    options = body.rng.choice(["", "fail_on_error=True", "timeout=1", "timeout=0.5, fail_on_error=True"])
    with body.text.block("try:"):
        body.text.add(f"{name} = await wait_for_work({options})")
        body.see(f"({name}.done, {name}.failed, {name}.pending)")
    with body.text.block("except Oops as late:"):
        body.see(f"(late.args, {int_expr(body, 1)})")


def tapped(body: Body, _: Write) -> None:
    """A step whose result nobody wants, but whose error counts."""
    body.mark("tap")
    with body.text.block("try:"):
        body.see(f"await tap({body.rng.choice(['num', 'snum'])}, {int_expr(body, 1)})")
    with body.text.block("except Oops as late:"):
        body.see("late.args")


def write_one(body: Body, write: Write) -> None:
    """Write one of them."""
    inside = body.tame and body.in_loop
    found = [timeout, timeout, timeout, wait_for, as_completed, raced, raced, group, group, group]
    found += [tapped]
    if not body.is_helper:
        found += [beside, beside]
    if not inside:
        found += [created, created, cancelled, wait, wait, shielded]
    if not inside and not body.is_helper:
        found += [guarded, guarded, queue, queue]
    body.rng.choice(found)(body, write)

"""Programs to edit: workflows of everyday shape, made from a seed, half of them longer than 60 lines."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_VERBS = "fetch load price check reserve score notify charge ship track audit tag merge rank".split()  # noqa: SIM905
_NOUNS = "order item line user stock invoice parcel route label batch report quote".split()  # noqa: SIM905
_LITERALS = ["'fast'", "'slow'", "'eu'", "'us'", "3", "7", "20", "'mail'", "'push'"]
SERVICES = "shop.services"
FLOW = "shop.flow"
WORKFLOW = "handle"


@dataclass
class Program:
    """Modules by dotted name, as trees; `flow` is the one with the workflow."""

    trees: dict[str, ast.Module]
    flow: str = FLOW

    def sources(self) -> dict[str, str]:
        return {name: written(tree) for name, tree in self.trees.items()}

    def size(self) -> int:
        """Lines of the module with the workflow."""
        return len(ast.unparse(self.trees[self.flow]).splitlines())


def written(tree: ast.AST) -> str:
    """The text of a tree that an edit may have put together."""
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def program(seed: int, *, crowded: bool = False, detaches: bool = False) -> Program:
    """The program of a seed: those of odd seeds have more than 60 lines.

    A `crowded` one calls the same few leaves all the time, one that `detaches` has several runs.
    """
    writer = _Writer(random.Random(seed), detaches=detaches)
    writer.words = (_VERBS[:2], _NOUNS[:2]) if crowded else (_VERBS, _NOUNS)
    text = writer.module(long=seed % 2 == 1)
    services = "import asyncio\n\n" + "\n\n".join(writer.leaves[name] for name in sorted(writer.leaves))
    return Program({FLOW: ast.parse(text), SERVICES: ast.parse(services)})


@dataclass
class _Writer:
    rng: random.Random
    leaves: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    values: list[str] = field(default_factory=lambda: ["order", "limit"])
    lists: list[str] = field(default_factory=lambda: ["tags"])
    used: set[str] = field(default_factory=set)
    helpers: int = 0
    detaches: bool = False
    words: tuple[list[str], list[str]] = (_VERBS, _NOUNS)

    def module(self, *, long: bool) -> str:
        helper = self._helper()
        self.lines, self.values, self.lists, self.depth = [], ["order", "limit"], ["tags"], 1
        self._line("out: list[object] = []")
        parts: list[Callable[[], None]] = []
        while len(self.lines) < (80 if long else 18):
            parts = parts or self.rng.sample(self._parts(), len(self._parts()))
            parts.pop()()
        self._line(f"return [out, {', '.join(self.values[2:8]) or 'limit'}]")
        names = ", ".join(sorted(self.leaves))
        return "\n".join(
            [
                "import asyncio",
                "import contextlib",
                "",
                "from flopod import attempt, compensate, start, wait_for, wait_for_work, work, workflow",
                "from flopod import detach_and_forget, detach_and_join_later",
                "from flopod.detach import immediate_driver, microtask_batch_driver",
                "",
                f"from {SERVICES} import {names}",
                "",
                "",
                *helper,
                "",
                "",
                "@workflow",
                f"async def {WORKFLOW}(order: int, limit: int, tags: list[int]) -> list[object]:",
                *self.lines,
            ]
        )

    def _parts(self) -> list[Callable[[], None]]:
        return [
            self._assigned, self._assigned, self._bare, self._loop, self._loop, self._decision, self._attempt,
            self._gather, self._comprehension, self._repeat, self._nested, self._call_helper, self._twice,
            self._alike, self._pause, self._guarded, self._choice, self._fan_out, self._state,
            self._attempted, self._side, *([self._forgotten, self._joined] if self.detaches else []),
        ]  # fmt: skip

    def _helper(self) -> list[str]:
        self.values = ["order"]
        for part in (self._assigned, self._bare, self._assigned):
            part()
        self._line(f"return {self.values[-1]}")
        return ["@workflow", "async def settle(order: int, limit: int) -> int:", *self.lines]

    # -- words

    def _line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def _leaf(self, result: str = "int") -> str:
        name = "_".join(map(self.rng.choice, self.words))
        name += "s" if result == "list[int]" else ""
        value = "[1, 2]" if result == "list[int]" else "1"
        self.leaves.setdefault(
            name,
            f"async def {name}(*args: object, **options: object) -> {result}:\n"
            f"    await asyncio.sleep(0)\n    return {value}",
        )
        return name

    def _new(self, stem: str = "") -> str:
        stem = stem or self.rng.choice(["total", "result", "found", "amount", "state", "reply", *_NOUNS])
        name, number = stem, 2
        while name in self.used or name in ("order", "limit", "tags", "out") or name in self.leaves:
            name, number = f"{stem}{number}", number + 1
        self.used.add(name)
        return name

    def _value(self) -> str:
        return self.rng.choice(self.values)

    def _arguments(self) -> str:
        some = [self._value() for _ in range(self.rng.randint(1, 2))]
        if self.rng.random() < 0.3:
            some.append(self.rng.choice(_LITERALS))
        return ", ".join(some)

    def _block(self, count: int) -> Iterator[int]:
        """The numbers up to `count`, with the lines meanwhile one deeper and their variables local."""
        before, lists = list(self.values), list(self.lists)
        self.depth += 1
        yield from range(count)
        self.depth -= 1
        self.values, self.lists = before, lists

    def _short(self, count: int) -> None:
        for _ in self._block(count):
            self.rng.choice([self._assigned, self._bare, self._bare])()

    # -- paragraphs

    def _assigned(self) -> None:
        leaf, arguments, name = self._leaf(), self._arguments(), self._new()
        self._line(f"{name} = await {leaf}({arguments})")
        self.values.append(name)

    def _bare(self) -> None:
        self._line(f"await {self._leaf()}({self._arguments()})")

    def _list(self) -> str:
        if self.rng.random() < 0.5:
            return self.rng.choice(self.lists)
        name = self._new(self.rng.choice(_NOUNS) + "s")
        self._line(f"{name} = await {self._leaf('list[int]')}({self._value()})")
        self.lists.append(name)
        return name

    def _loop(self) -> None:
        items, total = self._list(), self._new("total")
        self._line(f"{total} = 0")
        item = self._new("item")
        self._line(f"for {item} in {items}:")
        self.depth += 1
        self.values.append(item)
        if self.rng.random() < 0.3:
            self._line(f"if {item} % 5 == 0:")
            self._line("    continue")
        self._line(f"{total} += await {self._leaf()}({item})")
        for _ in range(self.rng.randint(0, 2)):
            self._line(f"await {self._leaf()}({item}, {self._value()})")
        self.depth -= 1
        self.values.remove(item)
        self.values.append(total)

    def _state(self) -> None:
        items, seen, item = self._list(), self._new("seen"), self._new("item")
        self._line(f"{seen}: list[int] = []")
        self._line(f"for {item} in {items}:")
        self._line(f"    {seen}.append(await {self._leaf()}({item}))")
        self._line(f"    for part in range(len({seen}) % 3):")
        self._line(f"        await {self._leaf()}(part, {item})")
        self._line(f"out.append(list({seen}))")

    def _decision(self) -> None:
        self._line(f"if {self._value()} % 2 == {self.rng.randint(0, 1)}:")
        self._short(self.rng.randint(1, 2))
        if self.rng.random() < 0.6:
            self._line("else:")
            self._short(self.rng.randint(1, 2))

    def _attempt(self) -> None:
        self._line("try:")
        self._short(self.rng.randint(1, 2))
        self._line("except ValueError as error:")
        self._line(f"    await {self._leaf()}(str(error))")
        if self.rng.random() < 0.4:
            self._line("finally:")
            self._line(f"    await {self._leaf()}({self._value()})")

    def _gather(self) -> None:
        left, right = self._new(), self._new()
        first = f"{self._leaf()}({self._value()})"
        self._line(f"{left}, {right} = await asyncio.gather({first}, {self._leaf()}({self._arguments()}))")
        self.values += [left, right]

    def _comprehension(self) -> None:
        items, name = self._list(), self._new("found")
        self._line(f"{name} = [await {self._leaf()}(x, {self._value()}) for x in {items}]")
        self._line(f"out.append({name})")

    def _fan_out(self) -> None:
        items, name = self._list(), self._new("all")
        self._line(f"{name} = await asyncio.gather(*({self._leaf()}(x) for x in {items}))")
        self._line(f"out.append(sorted({name}))")

    def _repeat(self) -> None:
        left = self._new("left")
        self._line(f"{left} = 2")
        self._line(f"while {left} > 0:")
        self._line(f"    await {self._leaf()}({left}, {self._value()})")
        self._line(f"    {left} -= 1")

    def _nested(self) -> None:
        self.helpers += 1
        name, given = f"step{self.helpers}", self._new("given")
        self._line(f"async def {name}({given}: int) -> int:")
        self._line(f"    await {self._leaf()}({given})")
        self._line(f"    return await {self._leaf()}({given}, {self._value()})")
        result = self._new()
        self._line(f"{result} = await {name}({self._value()})")
        self.values.append(result)

    def _call_helper(self) -> None:
        name = self._new("settled")
        self._line(f"{name} = await settle({self._value()}, {self._value()})")
        self.values.append(name)

    def _twice(self) -> None:
        leaf = self._leaf()
        for literal in self.rng.sample(_LITERALS, 2):
            self._line(f"await {leaf}({self._value()}, {literal})")

    def _alike(self) -> None:
        """The same leaf with other arguments, or with the same in two places."""
        leaf, arguments = self._leaf(), self._arguments()
        self._line(f"await {leaf}({arguments})")
        self._assigned()
        again = arguments if self.rng.random() < 0.3 else self._arguments()
        self._line(f"await {leaf}({again})")

    def _attempted(self) -> None:
        name = self._new()
        self._line(f"{name} = await attempt({self._leaf()}, {self._arguments()})")
        if self.rng.random() < 0.3:
            self._line(f"compensate({self._leaf()}, {name})")
        self.values.append(name)

    def _side(self) -> None:
        self._line(f"work({self._leaf()}, {self._value()})")
        if self.rng.random() < 0.5:
            self._line("out.append((await wait_for_work()).done)")

    def _forgotten(self) -> None:
        if self.rng.random() < 0.5:
            self._line(f"asyncio.create_task({self._leaf()}({self._arguments()}))")
        else:
            self._line(f"detach_and_forget(microtask_batch_driver, {self._leaf()}, {self._value()})")

    def _joined(self) -> None:
        handle = self._new("handle")
        self._line(
            f"{handle} = detach_and_join_later(microtask_batch_driver, {self._leaf()}, {self._value()})"
        )
        self._assigned()
        self._line(f"out.append(await {handle}.wait())")

    def _pause(self) -> None:
        if self.rng.random() < 0.5:
            self._line(f"await asyncio.sleep({self._value()} % 4)")
        else:
            name = self._new("approved")
            self._line(f"{name} = await wait_for('{name}', int)")
            self.values.append(name)

    def _guarded(self) -> None:
        self._line("with contextlib.nullcontext():")
        self._short(self.rng.randint(1, 2))

    def _choice(self) -> None:
        self._line(f"match {self._value()} % 3:")
        self._line("    case 0:")
        self._line(f"        await {self._leaf()}({self._value()})")
        self._line("    case _:")
        self._line(f"        await {self._leaf()}({self._arguments()})")

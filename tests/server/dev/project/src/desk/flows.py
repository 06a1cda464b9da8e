"""The workflows of the post office."""

from datetime import date

from desk.services import refuse, send, stamp, weigh
from desk.types import Address, Decision, Parcel, Size
from flopod import wait_for, workflow


@workflow
async def parcel(
    title: str,
    count: int,
    weight: float,
    express: bool,
    address: Address,
    due: date,
    size: Size = Size.SMALL,
    note: str | None = None,
    tags: list[str] | None = None,
) -> dict[str, object]:
    """Send parcels once somebody has approved of them."""
    one = Parcel(title, weight, address, size, tags or [], due)
    total = await weigh(one, count, express)
    decision = await wait_for("approved", Decision)
    if not decision.approved:
        return {"refused by": decision.by}
    sent = await send(f"{count} {one.title} to {one.address.city}")
    return {"sent": sent, "total": total, "by": decision.by, "note": note, "one": one}


@workflow
async def letters(names: list[str]) -> list[str]:
    """Stamp a letter for each name, one after the other."""
    done: list[str] = []
    for name in names:
        done.append(await stamp(name))
    done.append(await send(f"{len(done)} letters"))
    return done


@workflow
async def asked(question: str) -> str:
    """Stamp a question, and wait for its answer."""
    # Whoever answers does so with a form.
    first = await stamp(question)
    answer = await wait_for("answer", str)
    return await send(f"{first}: {answer}")


@workflow
async def echo(text: str) -> str:
    """Say a text again, which fails with it if it begins with an exclamation mark."""
    said = await stamp(text)
    if text.startswith("!"):
        await refuse(text)
    return said

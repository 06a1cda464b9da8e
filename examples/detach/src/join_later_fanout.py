"""Five variants of a prompt are scored side by side, and joined when all are under way."""

import asyncio
from typing import Any

from flopod import detach_and_join_later, workflow
from flopod.detach import microtask_batch_driver

from effects import note, noted, start_afresh
from guards import expect

VARIANTS = ["short", "medium-len", "a-much-longer-variant", "tiny", "middle"]


async def score_variant(variant: str) -> int:
    """Score a variant: here, the longer the better."""
    await asyncio.sleep(0.005)
    note(f"scored {variant}")
    return len(variant)


@workflow
async def best_variant(variants: list[str]) -> dict[str, Any]:
    """Detach one child a variant, and return what they gave and the best of it."""
    handles = [detach_and_join_later(microtask_batch_driver, score_variant, each) for each in variants]
    scores = [await handle.wait() for handle in handles]
    return {"scores": scores, "statuses": [handle.status for handle in handles], "best": max(scores)}


async def main() -> None:
    """Run it, and check scores and statuses."""
    start_afresh()
    found = await best_variant(VARIANTS)
    expect("the scores", found["scores"], [5, 10, 21, 4, 6])
    expect("the statuses", found["statuses"], ["done"] * 5)
    expect("the best score", found["best"], 21)
    expect("what ran, once each", sorted(noted()), sorted(f"scored {each}" for each in VARIANTS))
    print("OK: five children were under way at once, and joined")


if __name__ == "__main__":
    asyncio.run(main())

"""One of three children fails: its handle has the error, its siblings and its parent do not notice."""

import asyncio

from flopod import detach_and_join_later, workflow
from flopod.detach import Child, create_microtask_batch_driver

from effects import note, noted, start_afresh
from guards import expect


class VendorError(Exception):
    """The vendor says no."""


async def call_vendor(order: str) -> str:
    """Ask the vendor for an order."""
    note(f"called {order}")
    return f"ok:{order}"


async def through_gateway(child: Child, order: str) -> str:
    """A runner of our own: the gateway turns bad orders down before the child is called."""
    if order == "bad":
        raise VendorError("vendor 503: temporarily unavailable")
    return str(await child(order))


gateway_driver = create_microtask_batch_driver(through_gateway)


@workflow
async def order_three() -> dict[str, list[str]]:
    """Detach three orders, and say of each how its handle ended."""
    handles = [detach_and_join_later(gateway_driver, call_vendor, each) for each in ("first", "bad", "third")]
    outcomes = []
    for handle in handles:
        try:
            outcomes.append(await handle.wait())
        except VendorError as error:
            outcomes.append(f"caught {error}")
    return {
        "outcomes": outcomes,
        "statuses": [handle.status for handle in handles],
        "errors": [str(handle.error) for handle in handles],
    }


async def main() -> None:
    """Run it, and check that the failure stayed where it was."""
    start_afresh()
    found = await order_three()
    wrong = "vendor 503: temporarily unavailable"
    expect("the outcomes", found["outcomes"], ["ok:first", f"caught {wrong}", "ok:third"])
    expect("the statuses", found["statuses"], ["done", "failed", "done"])
    expect("the errors", found["errors"], ["None", wrong, "None"])
    expect("which orders reached the vendor", sorted(noted()), ["called first", "called third"])
    print("OK: a failure is on its handle, and nowhere else")


if __name__ == "__main__":
    asyncio.run(main())

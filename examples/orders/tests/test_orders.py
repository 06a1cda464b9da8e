"""The order workflow: no second passes for real, and no service is called but where a test says so."""

from decimal import Decimal

import pytest
from flopod.testing import Flopod, takes

from shop.orders import fulfil
from shop.types import Approval, Expired, Line, Order, Receipt

ORDER = Order("A-7", "eve@example.org", [Line("desk", 2), Line("lamp", 1)], cooling_off=3600.0)
SERVICES = {
    "fetch_order": ORDER,
    "price_line": lambda line: Decimal(600) if line.sku == "desk" else Decimal(80),
    "reserve": "R-7",
    "score": 0.1,
}


def test_a_large_order_waits_two_days_for_its_approval(flopod: Flopod) -> None:
    run = flopod.run(fulfil, "A-7", leaves=SERVICES).until_waiting()
    assert run.waiting == ["approved"]
    assert run.variables["total"] == Decimal(1280)
    run.advance("47h").deliver("approved", Approval("ann"))
    assert run.result() == Receipt("A-7", Decimal(1280), payment="P-A-7", stock="R-7", risk=0.1)
    assert run.path("charge").args == (ORDER, Decimal(1280), "R-7", 0.1)
    assert run.elapsed.total_seconds() >= 48 * 3600


def test_nobody_approves(flopod: Flopod) -> None:
    run = flopod.run(fulfil, "A-7", leaves=SERVICES)
    with pytest.raises(Expired, match="A-7"):
        run.result()
    assert run.calls("charge") == []


def test_it_survives_every_crash(flopod: Flopod) -> None:
    slow = {**SERVICES, "reserve": takes("5m", "R-7"), "score": takes("2m", 0.1)}
    flopod.crash_matrix(fulfil, "A-7", leaves=slow, events={"approved": takes("3h", Approval("ann"))})


def test_compiled_it_does_what_the_source_says(flopod: Flopod) -> None:
    flopod.same(fulfil, "A-7", leaves=SERVICES, events={"approved": Approval("ann")})


@pytest.mark.flopod_crash_matrix
def test_an_approval_in_the_last_minute(flopod: Flopod) -> None:
    run = flopod.run(fulfil, "A-7", leaves=SERVICES).until_waiting()
    run.advance("47h").deliver("approved", {"by": "ann"}, after="59m")
    assert run.result().payment == "P-A-7"
    assert "was approved by ann" in run.output

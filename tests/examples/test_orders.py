"""The order workflow: killed before and after the approval, which comes from another process."""

import subprocess
from typing import Any

import pytest

from tests.examples.support import OpenPlace, Place, plain_result

pytestmark = pytest.mark.process

A1 = '{"order_id": "A-1"}'
RECEIPT = {
    "order_id": "A-1",
    "total": "2016.70",
    "payment": "P-A-1",
    "stock": "R-A-1",
    "risk": 0.5,
}


def printed_command(talk: str) -> str:
    """The command that the run printed for the delivery."""
    lines = talk.splitlines()
    (at,) = (number for number, line in enumerate(lines) if "deliver it with:" in line)
    return lines[at + 1].strip()


def plain_small_order() -> Any:
    """The result of the order A-2 under plain Python."""
    return plain_result("orders", "asyncio.run(fulfil('A-2'))", "from shop.orders import fulfil")


def test_the_interpreter_has_no_flopod(place: OpenPlace) -> None:
    """The bundle runs where flopod cannot be imported: the tests below would else show nothing."""
    done = subprocess.run([place("orders").python, "-c", "import flopod"], capture_output=True, check=False)
    assert b"No module named 'flopod'" in done.stderr


def test_a_small_order_is_what_the_plain_source_makes_of_it(place: OpenPlace) -> None:
    """Below the limit the bundle runs through and returns what the uncompiled source returns."""
    job = place("orders").start("--input", '{"order_id": "A-2"}')
    assert job.result() == plain_small_order()
    assert "waiting" not in job.talk


def test_a_large_order_survives_kills_and_is_finished_from_outside(place: OpenPlace) -> None:
    """Killed while pricing and after the approval, the order ends as it would have without."""
    shop = place("orders")
    first = shop.start("--input", A1)
    first.until("pricing lamp")
    first.kill()

    second = shop.start()
    second.until("deliver it with:")
    delivered = shop.shell(printed_command(second.talk))
    assert delivered.returncode == 0, delivered.stderr
    second.until("reserving stock")
    second.kill()

    assert shop.start().result() == RECEIPT
    assert_done_once(shop)


def assert_done_once(shop: Place) -> None:
    """What was recorded ran once; what was in flight at a kill may have run twice."""
    once = ["fetching order", "pricing desk", "pricing chair", "pricing cable", "was approved by", "charging"]
    assert {text: shop.said(text) for text in once} == dict.fromkeys(once, 1)
    assert shop.said("pricing lamp") == 2
    assert shop.said("pricing voucher") == 0
    assert shop.said("reserving stock") == shop.said("scoring") == 2


def test_an_approval_before_the_wait_is_kept(place: OpenPlace) -> None:
    """An event that is delivered before the run waits for it is there when it does."""
    shop = place("orders")
    first = shop.start("--input", A1)
    first.until("pricing desk")
    first.kill()
    delivered = shop.shell('flopod-run deliver main-run approved approved \'{"by": "Grace"}\'')
    assert delivered.returncode == 0, delivered.stderr
    assert shop.start().result() == RECEIPT
    assert shop.said("was approved by Grace") == 1


def test_an_unknown_order_fails_with_the_authors_traceback(place: OpenPlace) -> None:
    """A leaf's exception ends the run with status 1 and shows lines of the source alone."""
    job = place("orders").start("--input", '{"order_id": "A-9"}')
    assert job.process.wait(30) == 1
    assert "shop.services.UnknownOrder: A-9" in job.talk
    assert "orders.py" in job.talk
    assert "order = await fetch_order(order_id)" in job.talk
    assert "/flopod/" not in job.talk

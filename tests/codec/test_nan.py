"""A NaN is not equal to itself: a mapping finds it by its identity, which documents therefore keep."""

import math

from flopod.codec import Known, decode, encode, fingerprint, is_immutable


def _nan() -> float:
    return float("nan")


def test_a_nan_that_is_shared_stays_one_object() -> None:
    """Where it is a key, it is found by the other reference; two of them stay two."""
    one, other = _nan(), _nan()
    table, first, second = decode(encode([{one: 1, other: 2}, one, (other,)]))
    assert [table[first], table[second[0]]] == [1, 2]
    assert list(table) == [first, second[0]]


def test_a_nan_of_the_table_is_restored_as_the_object_that_it_is() -> None:
    """A snapshot refers to a NaN of the loop's entry; math.nan is the one of the library."""
    entry = _nan()
    mapping = {entry: 1}
    now = {"known": [entry], "library": {math.nan: 2}}
    known = Known([mapping])
    restored = decode(encode(now, known=known, state=True), known=known)
    assert mapping[restored["known"][0]] == 1
    assert restored["library"][math.nan] == 2


def test_tables_number_nans_after_all_others() -> None:
    """What a log says of the other objects does not depend on them."""
    inner: list[int] = []
    nan = _nan()
    known = Known([[nan, inner, nan]])
    assert (known.index(inner), known.index(nan), len(known)) == (1, 2, 3)
    assert known[2] is nan
    assert len(known.objects) == 2


def test_fingerprints_do_not_depend_on_the_identity_of_a_nan() -> None:
    """They compare values: a replay makes its NaNs anew."""
    one = _nan()
    assert fingerprint([one, one]) == fingerprint([_nan(), _nan()]) == fingerprint([math.nan, one])
    assert fingerprint(one) != fingerprint(math.inf)


def test_a_nan_is_no_value_without_identity() -> None:
    """Other floats are, and so are tuples of them."""
    assert is_immutable(1.5)
    assert is_immutable((math.inf, 1.5))
    assert not is_immutable(_nan())
    assert not is_immutable((1.5, _nan()))

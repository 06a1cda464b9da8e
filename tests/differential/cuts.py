"""After which writes a run is killed."""

import random


def sampled(every: int, cuts: int) -> list[int]:
    """The numbers below `every`, or so many of them (0: all), the same ones for the same length."""
    if cuts == 0 or every <= cuts:
        return list(range(every))
    return sorted(random.Random(every).sample(range(every), cuts))

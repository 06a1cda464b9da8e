"""What an expedition deals with: stops and sightings, species, and the entries made of them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sighting:
    """So many of one kind were seen."""

    name: str
    count: int


@dataclass(frozen=True)
class Stop:
    """One place of an expedition, what was seen there and who lives there."""

    place: str
    rivals: list[str]
    sightings: list[Sighting]


@dataclass(frozen=True)
class Species:
    """A known kind, with its types and base values."""

    name: str
    types: list[str]
    stats: dict[str, int]


@dataclass
class Entry:
    """What is known of a species after the expeditions so far."""

    name: str
    role: str
    seen: int = 0
    places: list[str] = field(default_factory=list)
    odds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pokedex:
    """All entries, and the names that nobody could place."""

    entries: dict[str, Entry]
    unknown: list[str]
    sightings: int

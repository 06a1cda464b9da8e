"""The leaves: they read the data file that travels with the code, and take a moment to think."""

import asyncio
import json
from functools import cache
from importlib.resources import files
from typing import Any

from pokedex.model import Sighting, Species, Stop

PACE = 0.01


def read_journal(season: str) -> list[Stop]:
    """The stops of a season's expedition. Raises KeyError for a season without a journal."""
    return [
        Stop(stop["place"], stop["rivals"], [Sighting(**each) for each in stop["sightings"]])
        for stop in _data()["journals"][season]
    ]


async def identify(sighting: Sighting) -> Species | None:
    """The species that was seen, or None if the guide does not have it."""
    await asyncio.sleep(PACE)
    found = _data()["species"].get(sighting.name)
    return Species(sighting.name, found["types"], found["stats"]) if found else None


async def classify(species: Species) -> str:
    """What a species is good at: it hits hard, lasts long, is fast, or none of these."""
    await asyncio.sleep(PACE)
    stats = species.stats
    strengths = {
        "striker": max(stats["attack"], stats["special_attack"]),
        "wall": (stats["hp"] + stats["defence"] + stats["special_defence"]) // 3,
        "runner": stats["speed"],
    }
    role, value = max(strengths.items(), key=lambda each: each[1])
    return role if value >= 60 else "beginner"


async def match_up(species: Species, rival: str) -> float:
    """By how much the attacks of a species count against a rival, at best."""
    await asyncio.sleep(PACE)
    chart, defending = _data()["chart"], _data()["species"][rival]["types"]
    return max(_effect(chart.get(kind, {}), defending) for kind in species.types)


def _effect(row: dict[str, float], defending: list[str]) -> float:
    effect = 1.0
    for kind in defending:
        effect *= row.get(kind, 1.0)
    return effect


@cache
def _data() -> Any:
    return json.loads(files("pokedex").joinpath("data/pokedex.json").read_text(encoding="utf-8"))

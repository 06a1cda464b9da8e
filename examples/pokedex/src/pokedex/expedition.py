"""The expedition: stop by stop, sighting by sighting, and against all rivals of a stop at once.

The comments at the ends of the `for` lines name the loops, so that the paths of the steps read
`expedition[2]/analyze[5]/classify`.
"""

import asyncio

from flopod import workflow

from pokedex.field_guide import classify, identify, match_up, read_journal
from pokedex.model import Entry, Pokedex


@workflow
async def explore(season: str) -> Pokedex:
    """Turn the journal of a season into a pokedex."""
    stops = read_journal(season)
    entries: dict[str, Entry] = {}
    unknown: list[str] = []
    sightings = 0
    for stop in stops:  # flopod: id=expedition
        for sighting in stop.sightings:  # flopod: id=analyze
            sightings += sighting.count
            species = await identify(sighting)
            if species is None:
                unknown.append(sighting.name)
                continue
            entry = entries.get(species.name)
            if entry is None:
                entry = entries[species.name] = Entry(species.name, await classify(species))
            entry.seen += sighting.count
            entry.places.append(stop.place)
            odds = await asyncio.gather(*(match_up(species, rival) for rival in stop.rivals))
            entry.odds.update(zip(stop.rivals, odds, strict=True))
        print(f"{stop.place}: {len(entries)} species so far")
    return Pokedex(entries, unknown, sightings)

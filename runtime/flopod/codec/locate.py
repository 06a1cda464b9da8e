"""Where in a value an object sits, as Python would be written to reach it: `items[3].client`."""

from collections import deque
from typing import Any

from .parts import parts, spell


def locate(root: Any, wanted: Any, label: str) -> str:
    """Return the shortest expression that leads from the root, called `label`, to the wanted object."""
    seen = {id(root): root}
    queue = deque([(label, root)])
    while queue:
        place, value = queue.popleft()
        if value is wanted:
            return place
        for kind, name, child in parts(value):
            if id(child) not in seen:
                seen[id(child)] = child
                queue.append((place + spell(kind, name), child))
    return label

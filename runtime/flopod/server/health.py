"""Asks a server on this machine whether it is well, for the health check of its image."""

import http.client
from collections.abc import Mapping

_SECONDS = 4.0


def ask_health(environment: Mapping[str, str]) -> int:
    """Return the exit status of the check: 0 if the server at FLOPOD_PORT (8080) answers that it is ready."""
    port = int(environment.get("FLOPOD_PORT") or 8080)
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        asking.request("GET", "/readyz")
        return 0 if asking.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        asking.close()

"""The statuses of runs."""

from typing import Literal, TypeAlias

Status: TypeAlias = Literal[
    "pending",
    "running",
    "waiting",
    "paused",
    "completed",
    "failed",
    "cancelled",
    "diverged",
    "storage_error",
]

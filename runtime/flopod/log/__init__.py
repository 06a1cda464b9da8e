"""A loaded log as replay sees it."""

from flopod.log.history import Entry, History, Mail

__all__ = ["Entry", "History", "Mail"]

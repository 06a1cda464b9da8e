"""A loaded log as replay sees it."""

from flopod.log.history import Entry, History, Mail
from flopod.log.lineage import Lineage

__all__ = ["Entry", "History", "Lineage", "Mail"]

"""A loaded log as replay sees it."""

from flopod.log.entries import Entry, Mail
from flopod.log.history import History
from flopod.log.lineage import Lineage

__all__ = ["Entry", "History", "Lineage", "Mail"]

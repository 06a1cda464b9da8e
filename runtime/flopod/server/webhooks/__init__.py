"""Webhooks: what happened to a run, posted to whoever started it, as Standard Webhooks has it."""

from flopod.server.webhooks.book import Book, Webhook
from flopod.server.webhooks.dispatcher import Webhooks

__all__ = ["Book", "Webhook", "Webhooks"]

"""The pipeline: validate, ask the agent, work beside it, journal, format."""

from flopod import for_each, tap, wait_for_work, work, workflow

from chat.model import Draft, Message, Reply, Usage
from chat.services import ask_agent, charge_tokens, report_usage, save_transcript, warm_cache, write_journal


def validated(message: Message) -> Message:
    """Return a message without spaces around it. Raises ValueError if nothing is left."""
    text = message.text.strip()
    if not text:
        raise ValueError(f"the message of the session {message.session!r} is empty")
    return Message(message.session, text)


def usage_of(draft: Draft) -> Usage:
    """What analytics is told of an answer."""
    return Usage("response_generated", draft.session, draft.tokens)


@workflow
async def answer(message: Message) -> Reply:
    """Answer a message: it is on record before anybody reads the answer, and the rest goes on beside that."""
    draft = await ask_agent(validated(message))
    work(save_transcript, draft)
    work(charge_tokens, draft)
    recorded = await wait_for_work(fail_on_error=True)
    work(report_usage, draft, connector=usage_of)
    for_each(warm_cache, draft.follow_ups, concurrency=2)
    await tap(write_journal, draft)
    return Reply(f"{draft.text}!", recorded.done)

"""What goes through the pipeline."""

from dataclasses import dataclass, field


@dataclass
class Message:
    """What somebody wrote in a session."""

    session: str
    text: str


@dataclass
class Draft:
    """What the agent says, before it is made ready to be read."""

    session: str
    text: str
    tokens: int
    follow_ups: list[str] = field(default_factory=list)


@dataclass
class Usage:
    """What analytics wants to know of an answer."""

    event: str
    session: str
    tokens: int


@dataclass
class Reply:
    """What is sent back."""

    text: str
    saved: int

"""The icons of nodes by kind: lines in a square of 16, and the tone that a kind is drawn in."""

_CLOCK = "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6zM8 4.8V8l2.2 1.6"
_LOOP = "M13 6.2A5.3 5.3 0 0 0 3.4 5.3M3 2.6v2.9h2.9M3 9.8a5.3 5.3 0 0 0 9.6.9M13 13.4v-2.9h-2.9"
_BOLT = "M9 1.8L3.4 9.2h4L6.6 14.2l6-7.8h-4z"
_HAND = (
    "M5 8V3.6a1 1 0 0 1 2 0V7V2.8a1 1 0 0 1 2 0V7V3.6a1 1 0 0 1 2 0V9.5c0 3-1.6 4.7-4 4.7"
    "c-2.2 0-3-1.2-4.4-4.2a1 1 0 0 1 1.8-.9L5 10z"
)
_DOWN = "M8 2.4v6.4M5.2 6.4L8 9.2l2.8-2.8M2.8 11.2v2.2h10.4v-2.2"
_TWO = "M2.5 4.6h6.5a2.4 2.4 0 0 1 2.4 2.4v4.4M9 9.4l2.4 2.4l2.4-2.4M2.5 2.2v4.8"
_UNDO = "M3 6.4h6.4a3.6 3.6 0 0 1 0 7.2H6M3 6.4l3.2-3.2M3 6.4l3.2 3.2"
_PAGE = "M4 2h5.4L12.4 5v9H4zM9.2 2v3.2h3.2M6 8.4h4.4M6 11h4.4"
_BOX = "M2.6 5L8 2.2L13.4 5v6L8 13.8L2.6 11zM2.6 5L8 7.8L13.4 5M8 7.8v6"
_FLAG = "M3.6 14V2.4M3.6 3h8.6l-1.8 2.7l1.8 2.7H3.6"
_TAP = "M2.4 6h6.4a3 3 0 0 1 3 3v1.6M2.4 9h4M4.6 3h3.2M6.2 3v3M11.8 12.6v1.2"
_EYE = (
    "M1.8 8C3.6 5 5.6 3.8 8 3.8S12.4 5 14.2 8C12.4 11 10.4 12.2 8 12.2S3.6 11 1.8 8z"
    "M8 6.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6z"
)
_JOINED = "M2.4 4h4l3.2 4l-3.2 4h-4M9.6 8h4M11.8 6.2L13.6 8l-1.8 1.8"

_LOOKS = {
    "activity": (_BOLT, "accent"),
    "attempt": (_BOLT, "accent"),
    "record": (_EYE, "calm"),
    "wait": (_HAND, "wait"),
    "sleep": (_CLOCK, "wait"),
    "sleep_until": (_CLOCK, "wait"),
    "timer": (_CLOCK, "wait"),
    "timer_at": (_CLOCK, "wait"),
    "each": (_LOOP, "accent"),
    "repeat": (_LOOP, "accent"),
    "call": (_PAGE, "accent"),
    "child": (_BOX, "accent"),
    "race": (_FLAG, "accent"),
    "detach_and_join_later": (_TWO, "beside"),
    "detach_and_forget": (_TWO, "beside"),
    "forget": (_TWO, "beside"),
    "task": (_TWO, "beside"),
    "work": (_TWO, "beside"),
    "for_each": (_TWO, "beside"),
    "tap": (_TAP, "accent"),
    "wait_for_work": (_JOINED, "wait"),
    "compensate": (_UNDO, "fail"),
    "undo": (_UNDO, "fail"),
    "recursion": (_LOOP, "accent"),
}


def icon(kind: str) -> str:
    """The path data of the icon of a kind; one that this version does not know is a box."""
    return _LOOKS.get(kind, (_BOX, ""))[0]


def tone(kind: str) -> str:
    """accent, wait, beside, fail or calm."""
    return _LOOKS.get(kind, ("", "calm"))[1]

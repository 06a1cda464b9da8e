"""Words of authors that want to be more than words: in no format do they make a node, a tag or a line."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import count

import msgspec
import pytest

from flopod import ir
from flopod.graph import Diagram, Picture, diagram, dot, json, mermaid, svg
from flopod.graph.text import ELLIPSIS, clean, fitted, width

HOSTILE = [
    "<script>alert(1)</script>",
    '"]; A-->B; C["',
    "]] --> n0",
    "}} n9{{x",
    "end",
    "subgraph x",
    "`**bold**` #quot; #35; &lt; &#60;",
    "%%{init: {'theme': 'dark'}}%%",
    'click n0 "javascript:alert(1)"',
    ":::done",
    "a\nn7 --> n8\n",
    "a\r\nb\tc",
    "\\N \\G \\\\",
    'x", shape="star',
    "]]> --> <!-- & ' \"",
    "\u202edetrevni\u2066",
    "\x00\x07\x1b[31m\x7f\x85",
    "\ud800 half",
    "العربية עברית",
    "日本語の長いラベル" * 20,
    "👩‍👩‍👧‍👦 e\u0301",
    "a" * 3000,
    "",
    " ",
]
MERMAID = re.compile(
    r"flowchart TD"
    r"|    (    )*n\d+(\[\[{0}\]\]|\[{0}\]|\(\({0}\)\)|\(\[{0}\]\)|\({0}\)|\{{\{{{0}\}}\}})(:::[a-z]+)?"
    r"|    (    )*subgraph c\d+\[{0}\]|    (    )*end"
    r"|    [nc]\d+ (-->|-\.->)(\|{0}\|)? n\d+"
    r"|    classDef [a-z]+ [a-z:#0-9, \-]+".format(r'"(?:[^"`<>&\\{}\[\]|;#]|#\d+;|<br/>)*"')
)
VALUE = r'(?:"(?:[^"\\\n]|\\["\\n])*"|[a-z0-9]+)'
ATTRIBUTES = rf"\[[a-z]+={VALUE}(?:, [a-z]+={VALUE})*\]"
DOT = re.compile(
    rf"digraph {VALUE} \{{|\}}|  compound=true;|  (node|edge) {ATTRIBUTES};"
    rf"|  (  )*(n\d+|graph) {ATTRIBUTES};|  (  )*subgraph cluster_c\d+ \{{|  (  )*\}}"
    rf"|  n\d+ -> n\d+( {ATTRIBUTES})?;"
)
ELEMENTS = {"svg", "style", "rect", "defs", "marker", "path", "text", "g", "title"}


def function(text: str) -> ir.Function:
    """A function with the text wherever an author can write one."""
    numbers = count()

    def operation(kind: str, **more: object) -> ir.Operation:
        said = {"callee": text, "given": text, "event": text, "type": text} | more
        return ir.Operation(kind, f"{text}#{next(numbers)}", 1, **said)  # type: ignore[arg-type]

    body: list[ir.Node] = [
        operation("activity", undo=text or "nothing"),
        operation("wait"),
        operation("detach_and_forget", beside=ir.Beside("detach", text, "forget", text, text)),
        ir.Branch(f"{text}#b", 2, [[operation("sleep")], [ir.Exit("raise", 2, text)]], text, [text, text]),
        ir.Loop("each", f"{text}#l", 3, [operation("call")], [operation("record")], None, text),
        ir.Try(4, [operation("child")], [[operation("tap")]], [], [operation(text)], [text]),
    ]
    return ir.Function("flow", text, text, 1, body)


def drawn(text: str) -> Diagram:
    """The picture of a workflow of that name, full of the text."""
    return diagram({"f:f": function(text)}, "f:f", text)


HARMLESS = drawn("harmless")


@pytest.mark.parametrize("text", HOSTILE)
def test_svg_has_the_same_elements_whatever_is_written(text: str) -> None:
    """Markup in a label is text: the tree of elements is that of a harmless picture."""
    assert elements(svg(drawn(text))) == elements(svg(HARMLESS)) or not text.strip()
    for one in ElementTree.fromstring(svg(drawn(text))).iter():
        assert one.tag.partition("}")[2] in {
            "svg",
            "style",
            "rect",
            "defs",
            "marker",
            "path",
            "text",
            "g",
            "title",
        }
        assert not [name for name in one.attrib if name.startswith("on") or name.endswith("href")]


def elements(text: str) -> list[tuple[str, str]]:
    """Every element of an SVG with its class."""
    return [(one.tag, one.get("class", "")) for one in ElementTree.fromstring(text).iter()]


@pytest.mark.parametrize("text", HOSTILE)
def test_mermaid_has_only_the_lines_of_its_nodes(text: str) -> None:
    """Each line is one of five forms, with a quoted text that cannot end early, and they are as many."""
    lines = mermaid(drawn(text)).splitlines()
    assert [line for line in lines if MERMAID.fullmatch(line) is None] == []
    assert len(lines) == len(mermaid(HARMLESS).splitlines())


@pytest.mark.parametrize("text", HOSTILE)
def test_dot_has_only_the_lines_of_its_nodes(text: str) -> None:
    """Each line is one statement, whose strings end where they should, and they are as many."""
    lines = dot(drawn(text)).splitlines()
    assert [line for line in lines if DOT.fullmatch(line) is None] == []
    assert len(lines) == len(dot(HARMLESS).splitlines())


@pytest.mark.parametrize("text", HOSTILE)
def test_json_holds_the_words_without_what_cannot_be_seen(text: str) -> None:
    """It is read back with as many nodes, whose labels are the words, made visible."""
    read = msgspec.json.decode(json(drawn(text)).encode(), type=Picture)
    assert len(read.nodes) == len(HARMLESS.nodes)
    assert read.workflow == clean(text)
    assert clean(text) in {node.label for node in read.nodes} | {""}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202eabc", "\\u202eabc"),
        ("a\x00b", "a\\x00b"),
        ("a\nb\tc", "a b c"),
        ("\ud800", "\\ud800"),
        ("العربية", "العربية"),
        ("naïve 日本", "naïve 日本"),
    ],
)
def test_what_cannot_be_seen_is_spelled(text: str, shown: str) -> None:
    """Controls and marks of direction are written out; letters of any script stay."""
    assert clean(text) == shown


@pytest.mark.parametrize("text", [one for one in map(clean, HOSTILE) if one.strip()])
@pytest.mark.parametrize("room", [30, 100, 240])
def test_long_words_are_shortened_to_the_room(text: str, room: float) -> None:
    """What is shown fits, is a beginning of the text, and ends with an ellipsis if it is not all of it."""
    shown = fitted(text, 13, room)
    assert width(shown, 13) <= room
    assert shown == text or text.startswith(shown.removesuffix(ELLIPSIS))
    assert shown == text or shown.endswith(ELLIPSIS)


def test_a_long_label_is_whole_in_its_title() -> None:
    """What does not fit into a node is said where one points at it."""
    text = svg(drawn("x" * 300))
    assert f"<title>{'x' * 300}" in text
    assert ElementTree.fromstring(text) is not None
    assert all(node.width <= 260 for node in drawn("x" * 300).nodes)

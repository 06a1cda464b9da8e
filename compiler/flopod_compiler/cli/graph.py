"""`flopod graph`: a workflow as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from flopod_compiler.cli.answer import answer, as_json, json_option, next_step, note, quoted
from flopod_compiler.cli.base import example, source_argument, workflow_argument

_FORMATS = ("svg", "mermaid", "dot", "json")
_ENDINGS = {
    ".svg": "svg",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".json": "json",
}


@example("flopod graph src -o workflow.svg", "flopod graph src --format mermaid")
@click.command()
@source_argument
@workflow_argument
@click.option(
    "--format",
    type=click.Choice(_FORMATS),
    help="How to write it; by the ending of --output, else svg.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write to, instead of standard output.",
)
@json_option
def graph(src: Path, workflow: str | None, format: str | None, output: Path | None) -> None:
    """Draw a WORKFLOW of SRC, the first one by default, with the workflows that it calls in its run.

    SVG is a picture by itself, in light and dark; Mermaid is drawn by GitHub and many editors; DOT is for
    Graphviz; JSON has every node with its path, its place and the author's line. What is printed with --json
    is that, unless --format says otherwise.
    """
    from flopod.graph import draw
    from flopod_compiler.cli.build import write_files
    from flopod_compiler.cli.compiling import compiled, first_workflow

    _, manifest = compiled(src)
    name = workflow or first_workflow(manifest)[0]
    ending = output.suffix.lower() if output is not None else ""
    chosen = format or _ENDINGS.get(ending) or ("json" if as_json() and output is None else "svg")
    text = draw(manifest, name, chosen)
    others = [one for one in manifest.workflows if one != name]
    if workflow is None and others:
        note(f"drawn: {name}; there is also: {', '.join(others)}")
    following = f"flopod run {quoted(src)}" + (f" {name}" if others else "")
    if output is None:
        click.echo(text, nl=False)
        next_step(following)
    else:
        write_files(output.parent, {output.name: text.encode()})
        written = {"workflow": name, "format": chosen, "file": str(output)}
        answer(written, str(output), following=following)

"""The style sheet of a picture. The dashboard serves it; a picture that stands alone has it inside.

Colours are custom properties of `.flopod-graph`, so that a page can set its own; classes say kind and status.
"""

_LIGHT = {
    "ground": "#fbfcfe",
    "ink": "#1c2330",
    "muted": "#667085",
    "line": "#98a2b3",
    "node": "#ffffff",
    "edge": "#c9d1de",
    "frame": "#f2f5fa",
    "accent": "#4f63d2",
    "calm": "#8a94a6",
    "wait": "#b7791f",
    "beside": "#8250c4",
    "run": "#2563eb",
    "done": "#15803d",
    "fail": "#c6283d",
}
_DARK = {
    "ground": "#10141c",
    "ink": "#e6eaf2",
    "muted": "#98a3b8",
    "line": "#66728a",
    "node": "#1a202c",
    "edge": "#364156",
    "frame": "#151b26",
    "accent": "#8ea0ff",
    "calm": "#8a94a6",
    "wait": "#e0b054",
    "beside": "#c09af0",
    "run": "#6ea2ff",
    "done": "#4cc38a",
    "fail": "#ff7a85",
}

_RULES = """
.flopod-graph { background: var(--g-ground); color: var(--g-ink);
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
.flopod-graph text { fill: var(--g-ink); font-size: 13px; }
.flopod-graph .label { font-weight: 600; }
.flopod-graph .detail { fill: var(--g-muted); font-size: 11px; }
.flopod-graph .code, .flopod-graph .detail {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.flopod-graph .code { font-size: 11.5px; font-weight: 500; }
.flopod-graph .word { fill: var(--g-muted); font-size: 11.5px; paint-order: stroke;
  stroke: var(--g-ground); stroke-width: 3px; }
.flopod-graph .in-frame .word { stroke: var(--g-frame); }
.flopod-graph .title { fill: var(--g-muted); font-size: 11px; font-weight: 600; letter-spacing: .04em; }
.flopod-graph .edge { fill: none; stroke: var(--g-line); stroke-width: 1.5px; }
.flopod-graph .edge-error { stroke: var(--g-fail); stroke-dasharray: 5 4; }
.flopod-graph .edge-always { stroke-dasharray: 5 4; }
.flopod-graph .edge-beside { stroke: var(--g-beside); stroke-dasharray: 2 4; stroke-linecap: round; }
.flopod-graph .edge-back { stroke: var(--g-accent); }
.flopod-graph .tip { fill: var(--g-line); }
.flopod-graph .tip-error { fill: var(--g-fail); }
.flopod-graph .tip-beside { fill: var(--g-beside); }
.flopod-graph .tip-back { fill: var(--g-accent); }
.flopod-graph .frame { fill: var(--g-frame); stroke: var(--g-edge); stroke-width: 1.2px; }
.flopod-graph .frame-try, .flopod-graph .frame-finally { fill: none; stroke-dasharray: 6 4; }
.flopod-graph .frame-each { stroke-dasharray: 1 0; stroke: var(--g-accent); stroke-opacity: .45; }
.flopod-graph .frame-loop { stroke: var(--g-accent); stroke-opacity: .45; }

.flopod-graph .node { --tone: var(--g-calm); }
.flopod-graph .node .box { fill: var(--g-node); stroke: var(--g-edge); stroke-width: 1.3px; }
.flopod-graph .node .icon { fill: none; stroke: var(--tone); stroke-width: 1.6px; stroke-linecap: round;
  stroke-linejoin: round; }
.flopod-graph .node .bar { fill: var(--g-line); }
.flopod-graph .tone-accent { --tone: var(--g-accent); }
.flopod-graph .tone-wait { --tone: var(--g-wait); }
.flopod-graph .tone-beside { --tone: var(--g-beside); }
.flopod-graph .tone-fail { --tone: var(--g-fail); }
.flopod-graph .node.tone-beside .box { stroke: var(--g-beside); stroke-dasharray: 5 3; }
.flopod-graph .node.kind-branch .box, .flopod-graph .node.kind-each .box,
.flopod-graph .node.kind-repeat .box { stroke: var(--g-accent); stroke-opacity: .6; }
.flopod-graph .node.kind-raise .box, .flopod-graph .node.kind-except .box {
  stroke: var(--g-fail); stroke-opacity: .6; }
.flopod-graph .node.kind-raise text, .flopod-graph .node.kind-except text { fill: var(--g-fail); }
.flopod-graph .node.pill text { font-size: 11.5px; font-weight: 500; }
.flopod-graph .node.kind-start .box, .flopod-graph .node.kind-end .box { fill: var(--g-ink); stroke: none; }
.flopod-graph .node.kind-start text, .flopod-graph .node.kind-end text {
  fill: var(--g-ground); font-weight: 600; }

.flopod-graph .node[tabindex] { cursor: pointer; outline: none; }
.flopod-graph .node:hover .box { stroke: var(--tone); stroke-opacity: 1; }
.flopod-graph .node:focus-visible .box, .flopod-graph .node.selected .box {
  stroke: var(--g-run); stroke-width: 2.6px; stroke-opacity: 1; stroke-dasharray: none; }

.flopod-graph .badge rect { fill: var(--state); }
.flopod-graph .badge text { fill: var(--g-ground); font-size: 10.5px; font-weight: 700; }
.flopod-graph .is-running, .flopod-graph .is-retrying { --state: var(--g-run); }
.flopod-graph .is-waiting, .flopod-graph .is-sleeping { --state: var(--g-wait); }
.flopod-graph .is-done { --state: var(--g-done); }
.flopod-graph .is-failed { --state: var(--g-fail); }
.flopod-graph .node.is-retrying { --state: var(--g-wait); }
.flopod-graph .node[class*=" is-"]:not(.is-skipped):not(.is-idle) .box {
  stroke: var(--state); stroke-width: 2px; stroke-opacity: 1; }
.flopod-graph .node[class*=" is-"]:not(.is-skipped):not(.is-idle) { --tone: var(--state); }
.flopod-graph .node.is-running .box, .flopod-graph .node.is-waiting .box,
.flopod-graph .node.is-sleeping .box {
  stroke-dasharray: 7 4; animation: flopod-march 1s linear infinite; }
.flopod-graph .is-skipped { opacity: .45; }
@keyframes flopod-march { to { stroke-dashoffset: -11; } }
@media (prefers-reduced-motion: reduce) { .flopod-graph .node .box { animation: none !important; } }
@media print { .flopod-graph .node .box { animation: none !important; } }
"""


def _properties(colours: dict[str, str]) -> str:
    return " ".join(f"--g-{name}: {value};" for name, value in colours.items())


CSS = (
    f".flopod-graph {{ {_properties(_LIGHT)} }}\n"
    f"@media (prefers-color-scheme: dark) {{ .flopod-graph {{ {_properties(_DARK)} }} }}\n"
    f':root[data-theme="light"] .flopod-graph {{ {_properties(_LIGHT)} }}\n'
    f':root[data-theme="dark"] .flopod-graph {{ {_properties(_DARK)} }}\n'
    f"{_RULES.strip()}\n"
)
"""All rules; `data-theme` on the root of a page is stronger than what the system prefers."""

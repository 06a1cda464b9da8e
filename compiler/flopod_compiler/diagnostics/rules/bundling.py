"""FLP7xx: what a bundle can and cannot take along."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_PLAIN = """import json
from flopod import workflow

@workflow
async def main(x: int) -> str:
    return json.dumps(x)
"""


class DynamicImport(Rule):
    code = "FLP703"
    title = "An import by a computed name"
    why = (
        "A bundle holds the modules that imports name. A module of the project that is only imported "
        "by a computed "
        "name is left out, and missing at run time."
    )
    message = "the module imported here is not known, so a bundle may lack it"
    help = "import the modules that it may be at the top of the file; an import in a function is enough"
    severity = "warning"
    valid = ("import importlib\n" + _PLAIN + "\ndef load():\n    return importlib.import_module('json')\n",)
    invalid = (
        "import importlib\n"
        + _PLAIN
        + "\ndef load(name: str):\n    return importlib.import_module(name)  # FLP703\n",
    )


class FileBesideModule(Rule):
    code = "FLP704"
    title = "A module that asks for its own file"
    why = "A bundle is one file: its modules have no `__file__`, and no folder with data beside it."
    message = "{module} reads `__file__`, which a module of a bundle does not have"
    help = (
        "read data by importlib.resources.files(__package__), and name the files under `include` in "
        "[tool.flopod]"
    )
    severity = "warning"
    valid = (_PLAIN,)
    invalid = (_PLAIN + "\nfrom pathlib import Path\nHERE = Path(__file__).parent  # FLP704\n",)


class NotInstalled(Rule):
    code = "FLP705"
    title = "An imported module is neither in the project nor installed"
    why = (
        "A bundle pins each third-party requirement to the version that is installed where it is built. "
        "Without one the bundle would name no version, or fail at the first import. An import inside "
        "`try: ... except ImportError:` may be missing."
    )
    message = "{module!r} is neither in the project nor installed, so no version of it can be required"
    help = "install what provides it (often: pip install {guess}) and build again"
    valid = (_PLAIN,)
    invalid = (f"import surely_not_installed  # FLP705\n{_PLAIN}",)


class IncludesNothing(Rule):
    code = "FLP708"
    title = "An include pattern names no file"
    why = "A data file that a misspelled pattern leaves out would be missed at run time only."
    message = "the include pattern {pattern!r} names no file below the source root"
    help = 'write it relative to the source root, for example "shop/data/*.json" or "shop/templates/**/*"'
    severity = "warning"
    valid = (
        {"pyproject.toml": '[tool.flopod]\ninclude = ["*.json"]\n', "rates.json": "{}", "main.py": _PLAIN},
    )
    invalid = ({"pyproject.toml": '[tool.flopod]\ninclude = ["*.jsn"]  # FLP708\n', "main.py": _PLAIN},)

"""The importer of a bundle: modules and files that live as text in one Python file.

The text of this module is copied into every bundle, so it may import the standard library only.
"""

import ast
import base64
import io
import itertools
import linecache
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.abc import InspectLoader
else:
    InspectLoader = object  # importlib.abc brings importlib.resources, which few bundles need


class Module:
    """An embedded module: the author's text and, where it holds workflows, the text that runs."""

    __slots__ = ("compiled", "lines", "path", "source")

    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.source = source
        self.compiled = ""
        self.lines = ""

    @property
    def is_package(self) -> bool:
        return self.path.rpartition("/")[2] == "__init__.py"

    def code(self) -> CodeType:
        if self.compiled:
            return compile_at(self.compiled, expand_lines(self.lines), self.path)
        return compile(self.source, self.path, "exec", dont_inherit=True)


class Bundle(InspectLoader):
    """Finder and loader of the embedded modules, ahead of every other finder."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self.files: dict[str, bytes] = {}
        self.namespaces: dict[str, str] = {}

    def module(self, name: str, path: str, source: str) -> None:
        """Embed the module `name`, whose file below the source root is `path`."""
        self.modules[name] = Module(path, source)
        self.files[path] = source.encode()

    def compiled(self, name: str, lines: str, text: str) -> None:
        """Let `text` run in place of the module's source; `lines` maps it to the source's lines."""
        self.modules[name].compiled = text
        self.modules[name].lines = lines

    def text_file(self, path: str, text: str) -> None:
        self.files[path] = text.encode()

    def binary_file(self, path: str, data: str) -> None:
        self.files[path] = base64.b64decode(data)

    def install(self) -> None:
        """Become the first finder of this process."""
        for path in self.files:
            *folders, _ = path.split("/")
            for depth in range(1, len(folders) + 1):
                name = ".".join(folders[:depth])
                if name not in self.modules:
                    self.namespaces[name] = "/".join(folders[:depth])
        sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        module = self.modules.get(name)
        if module is None:
            return self._namespace_spec(name, path) if name in self.namespaces else None
        spec = ModuleSpec(name, self, origin=module.path, is_package=module.is_package)
        spec.has_location = True
        return spec

    def _namespace_spec(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        elsewhere = PathFinder.find_spec(name, path)
        if elsewhere is not None and elsewhere.loader is not None:
            return None
        spec = ModuleSpec(name, self, is_package=True)
        if elsewhere is not None:
            spec.submodule_search_locations = list(elsewhere.submodule_search_locations or ())
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python to make the module."""

    def exec_module(self, module: ModuleType) -> None:
        embedded = self.modules.get(module.__name__)
        if embedded is None:
            return
        lines = list(io.StringIO(embedded.source, newline=""))
        linecache.cache[embedded.path] = (len(embedded.source), None, lines, embedded.path)
        exec(embedded.code(), module.__dict__)

    def get_code(self, fullname: str) -> CodeType | None:
        return self.modules[fullname].code() if fullname in self.modules else None

    def get_source(self, fullname: str) -> str | None:
        return self.modules[fullname].source if fullname in self.modules else None

    def get_filename(self, name: str) -> str:
        if name not in self.modules:
            raise ImportError(f"{name} has no file in this bundle", name=name)
        return self.modules[name].path

    def is_package(self, fullname: str) -> bool:
        return fullname in self.namespaces or self.modules[fullname].is_package

    def get_data(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(2, "no such file in this bundle", path)
        return self.files[path]

    def get_resource_reader(self, name: str) -> "Resource":
        if name in self.namespaces:
            return Resource(self, self.namespaces[name])
        return Resource(self, self.modules[name].path.rpartition("/")[0])


class Resource:
    """A file or folder of the bundle, in the form that `importlib.resources` works with."""

    def __init__(self, bundle: Bundle, path: str) -> None:
        self._bundle = bundle
        self._path = path

    def __repr__(self) -> str:
        return f"<bundled {self._path or '.'}>"

    @property
    def name(self) -> str:
        return self._path.rpartition("/")[2]

    def files(self) -> "Resource":
        return self

    def is_file(self) -> bool:
        return self._path in self._bundle.files

    def is_dir(self) -> bool:
        return any(True for _ in self.iterdir())

    def iterdir(self) -> "Iterator[Resource]":
        prefix = f"{self._path}/" if self._path else ""
        below = (path[len(prefix) :] for path in self._bundle.files if path.startswith(prefix))
        for name in dict.fromkeys(rest.partition("/")[0] for rest in below):
            yield self.joinpath(name)

    def joinpath(self, *names: str) -> "Resource":
        parts = [part for name in (self._path, *names) for part in str(name).split("/")]
        path: list[str] = []
        for part in parts:
            if part == "..":
                del path[-1:]
            elif part not in ("", "."):
                path.append(part)
        return Resource(self._bundle, "/".join(path))

    __truediv__ = joinpath

    def read_bytes(self) -> bytes:
        return self._bundle.get_data(self._path)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        with self.open("r", encoding=encoding, errors=errors) as file:
            return str(file.read())

    def open(
        self, mode: str = "r", *, encoding: str | None = None, errors: str | None = None
    ) -> IO[bytes] | IO[str]:
        data = io.BytesIO(self.read_bytes())
        return data if "b" in mode else io.TextIOWrapper(data, encoding or "utf-8", errors)


def compile_at(text: str, lines: Sequence[int], path: str) -> CodeType:
    """Compile `text` as the file `path`, each line placed at the author's line in `lines`."""
    tree = ast.parse(text)
    node: Any
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = lines[node.lineno - 1]
            node.col_offset = node.end_col_offset = -1
    return compile(tree, path, "exec", dont_inherit=True)


def expand_lines(runs: str) -> list[int]:
    """The author's line of every line, from runs such as `1:1 14:13`, with the end as `40:`."""
    lines: list[int] = []
    starts = [run.split(":") for run in runs.split()]
    for (here, there), (until, _) in itertools.pairwise(starts):
        lines += range(int(there), int(there) + int(until) - int(here))
    return lines

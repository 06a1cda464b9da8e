"""Modules of a bundle behave as they would on disk: names, sources, resources, tracebacks, processes."""

from pathlib import Path

import pytest

from flopod_compiler.bundle.loader import compile_at
from tests.bundle.support import linked, run_in_bundle

SHOP: dict[str, str | bytes] = {
    "shop/__init__.py": "NAME = 'shop'\n",
    "shop/orders.py": (
        '"""Orders."""\n'
        "from . import prices\n"
        "\n"
        "\n"
        "def leaf(value):\n"
        "    return prices.price(value)\n"
        "\n"
        "\n"
        "async def run(value):\n"
        "    return 1 / leaf(value)\n"
    ),
    "shop/prices.py": "def price(value):\n    return value\n",
    "shop/unused.py": "X = 1\n",
    "shop/data/prices.json": '{"café": 1}\r\n',
    "shop/data/logo.bin": bytes(range(256)),
}
LOWERED = {
    "shop.orders": (
        str(SHOP["shop/orders.py"])
        .replace("run(value)", "run(wf, value)")
        .replace("    return 1 /", "    zero = 0\n    return 1 / zero *"),
        [*range(1, 10), 10, 10],
    )
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return linked(tmp_path_factory.mktemp("src"), SHOP, "shop.orders", LOWERED, ("shop/data/*",)).content


def test_modules_keep_their_names_and_paths(bundle: bytes, tmp_path: Path) -> None:
    """`__name__`, `__package__` and `__file__` are those of the source root."""
    code = "import shop\nimport shop.orders as m\n"
    code += "print(m.__name__, m.__package__, m.__file__, shop.__file__, shop.NAME)"
    expected = "shop.orders shop shop/orders.py shop/__init__.py shop\n"
    assert run_in_bundle(tmp_path, bundle, code) == expected


def test_the_source_of_a_compiled_function_is_the_authors(bundle: bytes, tmp_path: Path) -> None:
    """`inspect` shows what was written, and the compiled form is what runs."""
    code = "import inspect, shop.orders as m\nprint(inspect.getsource(m.run), inspect.signature(m.run))"
    expected = "async def run(value):\n    return 1 / leaf(value)\n (wf, value)\n"
    assert run_in_bundle(tmp_path, bundle, code) == expected


def test_a_traceback_shows_the_authors_line(bundle: bytes, tmp_path: Path) -> None:
    """A failure in the compiled form is reported at the author's file, line and text."""
    code = (
        "import asyncio, traceback, shop.orders\n"
        "try:\n    asyncio.run(shop.orders.run(None, 5))\n"
        "except ZeroDivisionError:\n    print(traceback.format_exc())"
    )
    shown = run_in_bundle(tmp_path, bundle, code)
    assert '  File "shop/orders.py", line 10, in run\n    return 1 / leaf(value)\n' in shown


def test_a_file_on_disk_does_not_stand_in_for_the_embedded_source(bundle: bytes, tmp_path: Path) -> None:
    """A changed source in the working directory does not show up in tracebacks."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/orders.py").write_text("# another version\n" * 20)
    code = "import inspect, shop.orders as m\nprint(inspect.getsource(m.leaf))"
    assert "return prices.price(value)" in run_in_bundle(tmp_path, bundle, code)


def test_a_module_that_nothing_imports_is_left_out(bundle: bytes, tmp_path: Path) -> None:
    """Only reached modules are embedded, and the package does not look for others on disk."""
    code = "try:\n    import shop.unused\nexcept ModuleNotFoundError as error:\n    print(error)"
    assert run_in_bundle(tmp_path, bundle, code) == "No module named 'shop.unused'\n"


def test_data_files_are_served_by_importlib_resources(bundle: bytes, tmp_path: Path) -> None:
    """Included files are found below their package, byte for byte, in every way Python offers."""
    code = (
        "import pkgutil\n"
        "from importlib.resources import as_file, files\n"
        "import shop\n"
        "data = files('shop') / 'data'\n"
        "print(sorted(each.name for each in data.iterdir()), data.is_dir(), (data / 'no').is_file())\n"
        "print(data.joinpath('prices.json').read_bytes().decode())\n"
        "print(files('shop.data').joinpath('prices.json').read_text() == '{\"café\": 1}\\n')\n"
        "print(pkgutil.get_data('shop', 'data/logo.bin') == bytes(range(256)))\n"
        "with as_file(data / 'logo.bin') as path:\n    print(path.read_bytes() == bytes(range(256)))\n"
    )
    expected = "['logo.bin', 'prices.json'] True False\n" + '{"café": 1}\r\n\nTrue\nTrue\nTrue\n'
    assert run_in_bundle(tmp_path, bundle, code, PYTHONIOENCODING="utf-8") == expected.replace("\r\n", "\n")


def test_the_bundles_runtime_wins_over_an_installed_one(bundle: bytes, tmp_path: Path) -> None:
    """A bundle runs with the runtime that it was built with, whatever is installed."""
    code = "import flopod, flopod.errors\nprint(flopod.__file__, flopod.errors.__file__, flopod.__path__)"
    assert run_in_bundle(tmp_path, bundle, code) == "flopod/__init__.py flopod/errors.py []\n"


def test_a_package_without_init_is_a_namespace(tmp_path: Path) -> None:
    """A folder without `__init__.py` is importable, and shares its name with installed portions."""
    files: dict[str, str | bytes] = {"acme/orders.py": "async def run(value): return value\n"}
    elsewhere = tmp_path / "elsewhere/acme"
    elsewhere.mkdir(parents=True)
    (elsewhere / "other.py").write_text("X = 2\n")
    found = linked(tmp_path / "src", files, "acme.orders")
    code = "import acme.orders, acme.other\nprint(acme.orders.__package__, acme.other.X)"
    shown = run_in_bundle(tmp_path / "out", found.content, code, PYTHONPATH=str(elsewhere.parent))
    assert shown == "acme 2\n"


@pytest.mark.process
@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_multiprocessing_finds_functions_of_the_bundle(bundle: bytes, tmp_path: Path, method: str) -> None:
    """A child process, however it is started, calls a function that exists in the bundle only."""
    code = (
        "import multiprocessing\n"
        "import shop.prices\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(1) as pool:\n"
        "        print(pool.apply(shop.prices.price, (41,)))\n"
    )
    assert run_in_bundle(tmp_path, bundle, code) == "41\n"


@pytest.mark.parametrize("switch", ["-I", "-O", "-P"])
def test_isolated_and_optimised_interpreters_load_it(bundle: bytes, tmp_path: Path, switch: str) -> None:
    """Interpreter switches do not keep the modules from being found."""
    assert run_in_bundle(tmp_path, bundle, "import shop.orders\nprint(shop.NAME)", switch) == "shop\n"


def test_every_line_of_compiled_code_is_placed() -> None:
    """No instruction keeps the line number of the emitted text."""
    source = Path(pytest.__file__).with_name("__init__.py").read_text()
    lines = [line + 1000 for line in range(1, source.count("\n") + 2)]
    codes = [compile_at(source, lines, "x.py")]
    while codes:
        code = codes.pop()
        codes += [const for const in code.co_consts if hasattr(const, "co_lines")]
        found = {line for _, _, line in code.co_lines() if line is not None}
        assert all(line > 1000 or line in (0, code.co_firstlineno) for line in found)

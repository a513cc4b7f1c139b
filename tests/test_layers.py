"""Who may import whom: packages are in layers, imports go downward only, and no modules form a circle of imports.

Every import counts: inside a function, under `TYPE_CHECKING`, and the names that `fhirmap/__init__` and `import_module`
hold as strings.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = "__init__"

# Lowest first. A package imports packages of lower layers only, never one of its own layer.
# docs/architecture.md has the same table, with what each package is for.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "version",
        "texts",
        "data",
        "records",
        "collector",
        "events",
        "fhir_types",
        "decimals",
        "regular_expressions",
        "signatures",
        "xhtml",
    ),
    ("source_plan", "diagnostics", "bounded_files", "part_files"),
    ("errors",),
    ("plugins",),
    ("language",),
    ("model",),
    ("analysis", "interchange"),
    ("compiler",),
    ("runtime",),
    ("functions",),
    ("compilation", "sources", "journal", "sinks"),
    ("inspection",),
    ("runner", "extending"),
    ("registry", "testing", "spark"),
    ("cli",),
    (PUBLIC, "__main__"),
)
LAYER_OF = {package: number for number, packages in enumerate(LAYERS) for package in packages}

# Allowed by the layers, and yet never: the runtime is shipped without the compiler, rows are read without a map,
# definitions hold without one.
NEVER = {
    ("runtime", "compiler"),
    ("runtime", "language"),
    ("runtime", "model"),
    ("runtime", "analysis"),
    ("sources", "language"),
    ("model", "language"),
}

# What a generated module needs, so that it can be shipped alone.
STANDARD_LIBRARY_ONLY = frozenset(
    {
        "version",
        "texts",
        "data",
        "records",
        "collector",
        "events",
        "fhir_types",
        "decimals",
        "regular_expressions",
        "bounded_files",
        "signatures",
        "xhtml",
        "source_plan",
        "diagnostics",
        "errors",
        "runtime",
    }
)

Imports = Mapping[str, Mapping[str, int]]
"""Module to what it imports, each with the line of its first import."""


def test_every_package_has_one_layer() -> None:
    found = {package_of(module) for module in product()}
    assert found == set(LAYER_OF), "give each package its layer, here and in docs/architecture.md"
    assert len(LAYER_OF) == sum(len(packages) for packages in LAYERS)


def test_no_import_points_upward() -> None:
    assert upward(product(), LAYER_OF, NEVER) == []


def test_no_modules_import_one_another_in_a_circle() -> None:
    assert circles(product()) == set()


def test_what_generated_modules_need_is_python_alone() -> None:
    assert foreign(product(), STANDARD_LIBRARY_ONLY) == []


def test_the_page_lists_the_same_layers() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", page, re.MULTILINE)
    shown = tuple(frozenset(name.strip("/") for name in re.findall(r"`([\w/]+)`", names)) for _, names in rows)
    assert [int(number) for number, _ in rows] == list(range(len(rows)))
    assert shown == tuple(frozenset(packages) for packages in LAYERS[:-1])


# --- the reading itself, on a package made for it -------------------------------------------------------------------


def test_imports_in_functions_for_types_and_in_tables_count(tmp_path: Path) -> None:
    package = tmp_path / "fhirmap"
    (package / "low").mkdir(parents=True)
    (package / "high").mkdir()
    (package / "__init__.py").write_text("TABLE = {'name': 'fhirmap.high.one'}\n")
    (package / "low" / "__init__.py").write_text("")
    (package / "low" / "one.py").write_text("def late():\n    from fhirmap.high import one\n    import colorsys\n")
    (package / "low" / "two.py").write_text("from importlib import import_module\nimport_module('fhirmap.low.three')\n")
    (package / "low" / "three.py").write_text("if TYPE_CHECKING:\n    from fhirmap.low.two import Name\n")
    (package / "high" / "__init__.py").write_text("")
    (package / "high" / "one.py").write_text("import lark\nfrom fhirmap import name\n")

    imports = read_imports(tmp_path)
    layers = {"low": 0, "high": 1, PUBLIC: 2}
    assert imports["fhirmap"] == {"fhirmap.high.one": 1}
    assert upward(imports, layers, set()) == [
        "fhirmap.high.one:2 imports fhirmap",
        "fhirmap.low.one:2 imports fhirmap.high.one",
    ]
    assert "fhirmap.high.one:2 imports fhirmap" in upward(imports, layers, {("high", PUBLIC)})
    assert circles(imports) == {
        frozenset({"fhirmap", "fhirmap.high.one"}),
        frozenset({"fhirmap.low.two", "fhirmap.low.three"}),
    }
    assert foreign(imports, frozenset({"low"})) == ["fhirmap.low.one:2 imports fhirmap.high.one"]
    assert foreign(imports, frozenset({"low", "high", PUBLIC})) == ["fhirmap.high.one:1 imports lark"]


# --- reading ----------------------------------------------------------------------------------------------------------


@cache
def product() -> Imports:
    """The imports of fhirmap's own modules; each file is parsed once for all tests."""
    return read_imports(ROOT)


def read_imports(root: Path) -> Imports:
    """The imports of every module of the package `fhirmap` in ``root``."""
    files = {module_name(path.relative_to(root)): path for path in sorted((root / "fhirmap").rglob("*.py"))}
    imports = {}
    for module, path in files.items():
        found: dict[str, int] = {}
        for line, name in written_imports(ast.parse(path.read_text(encoding="utf-8")), module == "fhirmap"):
            # `from package import name`: a module of that name, else something the package itself defines.
            known = name if name in files else name.rpartition(".")[0]
            target = known if known in files else name
            if target != module:
                found.setdefault(target, line)
        imports[module] = found
    return imports


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def written_imports(tree: ast.AST, names_in_strings: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                own = module.startswith("fhirmap")
                yield from ((node.lineno, f"{module}.{alias.name}" if own else module) for alias in names)
            case ast.ImportFrom():
                raise AssertionError(f"line {node.lineno}: relative import")
            case ast.Call(func=ast.Name("import_module"), args=[ast.Constant(str(name)), *_]):
                yield node.lineno, name
            case ast.Constant(str(name)) if names_in_strings and re.fullmatch(r"fhirmap(\.\w+)+", name):
                yield node.lineno, name


def package_of(module: str) -> str:
    first, _, rest = module.partition(".")
    assert first == "fhirmap"
    return rest.partition(".")[0] or PUBLIC


def is_own(module: str) -> bool:
    return module.partition(".")[0] == "fhirmap"


# --- what is wrong with them ------------------------------------------------------------------------------------------


def upward(imports: Imports, layers: Mapping[str, int], never: set[tuple[str, str]]) -> list[str]:
    """Imports of another package that is not in a lower layer, or that is forbidden."""
    found = []
    for module, targets in imports.items():
        here = package_of(module)
        for target, line in targets.items():
            if not is_own(target) or package_of(target) == here:
                continue
            there = package_of(target)
            if layers[there] >= layers[here] or (here, there) in never:
                found.append(f"{module}:{line} imports {target}")
    return sorted(found)


def circles(imports: Imports) -> set[frozenset[str]]:
    """Sets of modules each of which reaches the others."""
    reached = {module: reach(module, imports) for module in imports}
    return {
        frozenset({module, *(other for other in targets if module in reached.get(other, ()))})
        for module, targets in reached.items()
        if module in targets
    }


def reach(module: str, imports: Imports) -> set[str]:
    """Modules that ``module`` imports, directly or through others; itself where a circle leads back."""
    found: set[str] = set()
    waiting = list(imports[module])
    while waiting:
        name = waiting.pop()
        if name in imports and name not in found:
            found.add(name)
            waiting += imports[name]
    return found


def foreign(imports: Imports, packages: frozenset[str]) -> list[str]:
    """Imports in ``packages`` of anything but Python's own library and one another."""
    found = []
    for module, targets in imports.items():
        if package_of(module) not in packages:
            continue
        for target, line in targets.items():
            is_allowed = (
                package_of(target) in packages
                if is_own(target)
                else target.partition(".")[0] in sys.stdlib_module_names
            )
            if not is_allowed:
                found.append(f"{module}:{line} imports {target}")
    return sorted(found)

"""The arrows between the rooms: contracts over the sources, and what a fresh process really loads."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]

HEADLESS = ["textual", "rich", "kiln_tui", "adapters", "httpx", "websockets"]
"""What no part of the core may load, directly or through others."""

HEAVY = ["numpy", "scipy", "trimesh", "manifold3d", "PIL"]
"""What only worker processes may load."""


def loaded_by(*modules: str) -> set[str]:
    """Top-level names in sys.modules of a fresh process that imported `modules`."""
    code = (
        f"import importlib, json, sys\nfor name in {list(modules)!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert made.returncode == 0, made.stderr
    return set(json.loads(made.stdout))


def modules_of(package: str) -> list[str]:
    """Every module of a package, as import names; `__main__` modules run when imported and are left out."""
    files = sorted((ROOT / package).rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def worker_only(module: str) -> bool:
    """Whether a module of the core says at its top that it is for worker processes, by importing numpy there."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    if not path.exists():
        return False
    tree = ast.parse(path.read_text("utf-8"))
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    return any(name.partition(".")[0] in HEAVY for name in names)


def test_import_contracts(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(cache_dir=None) == 0


def test_the_interface_loads_no_screen_no_network_client_and_nothing_heavy():
    domain = modules_of("core/domain")
    loaded = loaded_by("core.client.api", "core.contract", *domain)
    assert not loaded & {*HEADLESS, *HEAVY, "apsw", "peewee", "watchfiles"}


def test_the_whole_core_runs_without_screens_and_network_clients():
    every = modules_of("core")
    assert len(every) > 50
    assert not loaded_by(*every) & set(HEADLESS)


@pytest.mark.parametrize(
    "module", ["core.kernel.kernel", "core.ledger.store", "core.controllers.inbox", "core.workers.pool"]
)
def test_the_core_process_leaves_the_heavy_libraries_to_its_workers(module):
    assert not worker_only(module)
    assert not loaded_by(module) & set(HEAVY)


def test_adapters_load_no_screen_and_no_database():
    loaded = loaded_by(*modules_of("adapters"))
    assert not loaded & {"textual", "kiln_tui", "peewee", "apsw", "numpy"}


def test_the_command_line_starts_without_screens_and_network_clients():
    loaded = loaded_by("kiln_tui.cli.doctor", "kiln_tui.cli.doctor_machine")
    assert not loaded & {"textual", "httpx", "numpy"}


def test_screens_and_widgets_never_reach_behind_the_interface():
    """A screen is a client: it may know the interface, the views and the domain, nothing else of the core."""
    allowed = ("core.client", "core.domain", "core.contract")
    reached = []
    for folder in ("screens", "widgets", "presentation"):
        for file in (ROOT / "kiln_tui" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                reached += [
                    f"{file.relative_to(ROOT)}: {name}"
                    for name in names
                    if name.startswith(("core.", "adapters")) and not name.startswith(allowed)
                ]
    assert reached == []


def test_dependencies_have_an_upper_bound_a_pin_and_a_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [
        line for extra in project["optional-dependencies"].values() for line in extra
    ]
    lines = (ROOT / "constraints.txt").read_text().lower().splitlines()
    pinned = {line.partition("==")[0] for line in lines if line and not line.startswith("#")}
    assert all("==" in line for line in lines if line and not line.startswith("#"))
    reasons = (ROOT / "docs" / "dependencies.md").read_text().lower()
    for line in wanted:
        name = line.partition(">")[0].partition("=")[0].lower()
        assert "<" in line or "==" in line, f"{line} has no upper bound"
        assert name in pinned, f"{name} is not in constraints.txt"
        assert f"`{name}`" in reasons, f"{name} has no reason in docs/dependencies.md"


def test_constraints_name_no_machine_and_no_index():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert not any(sign in line for line in pins for sign in ("/", ":", "@", "--", " "))

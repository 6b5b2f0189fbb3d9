"""The layer of use cases: what it may import, and what the front ends leave to it."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import MetaRegistrationLib

LIBRARY = Path(MetaRegistrationLib.__file__).parent
WORKFLOWS = sorted(path.stem for path in (LIBRARY / "workflows").glob("*.py") if path.stem != "__init__")
FRONT_ENDS = {"argparse", "qt", "ctk", "slicer", "vtk", "PySide6"}


def imported(path):
    """Names of the packages that a file imports from elsewhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_knows_no_front_end(name):
    path = LIBRARY / "workflows" / f"{name}.py"
    assert not FRONT_ENDS & set(imported(path))
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_options_are_frozen(name):
    module = importlib.import_module(f"MetaRegistrationLib.workflows.{name}")
    options = [
        value
        for key, value in vars(module).items()
        if key.endswith(("Options", "Selection")) and value.__module__ == module.__name__
    ]
    for kind in options:
        assert dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen, kind


def test_importing_the_workflows_loads_neither_torch_nor_slicer():
    names = ", ".join(f"MetaRegistrationLib.workflows.{name}" for name in WORKFLOWS)
    code = f"import sys, {names}; print([name for name in ('torch', 'slicer', 'argparse') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["register", "evaluate", "finetune", "series", "demo", "warp"])
def test_a_command_parses_calls_and_prints(command):
    """What a command does stands in its workflow, so that its own functions stay short."""
    tree = ast.parse((LIBRARY / "commands" / f"{command}.py").read_text(encoding="utf-8"))
    run = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run")
    assert run.end_lineno - run.lineno < 20
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert any((module or "").startswith("workflows.") for module in modules)
    deeper = {"registration.registrar", "training.run", "training.finetune", "visits.report", "registration.results"}
    assert not deeper & modules

"""What the mrml package needs, and who may import slicer and vtk."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

_LIBRARY = Path(__file__).resolve().parents[2] / "MetaRegistrationLib"


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_only_the_mrml_package_imports_slicer_or_vtk():
    others = [path for path in _LIBRARY.rglob("*.py") if (_LIBRARY / "mrml") not in path.parents]
    assert others
    offenders = {path.name for path in others if _imported(path) & {"vtk", "vtkmodules"}}
    offenders |= {
        path.name for path in others if "slicer" in _imported(path) and (_LIBRARY / "panel") not in path.parents
    }
    assert not offenders


def test_the_mrml_package_opens_without_torch():
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    modules = sorted(path.stem for path in (_LIBRARY / "mrml").glob("*.py") if path.stem != "__init__")
    imports = "\n".join(f"import MetaRegistrationLib.mrml.{name}" for name in modules)
    code = f"import sys\nsys.modules['torch'] = None\n{imports}"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=_LIBRARY.parent, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr

"""The rooms of the library: each has one subject, and what it needs lies in rooms below it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import MetaRegistrationLib

LIBRARY = Path(MetaRegistrationLib.__file__).parent
ORDER = (
    ("errors", "words", "numeric", "initial_kinds", "date_orders", "calibration"),
    ("progress",),
    ("stages", "versions", "resources", "eye_length"),
    ("core",),
    ("octa",),
    ("formats",),
    ("pairs", "networks", "refinement", "simulation", "preparation"),
    ("checkpoints", "alignment", "error_map"),
    ("tasks",),
    ("training",),
    ("registration",),
    ("visits",),
    ("workflows",),
    ("experiments", "jobs", "mrml"),
    ("api", "commands", "panel", "images", "geometry", "frames"),
)
"""From the ground up: a room may need rooms of a lower line, and none of its own or a higher one."""
LEVELS = {name: level for level, names in enumerate(ORDER) for name in names}


def imported(file):
    """(room, line) of all relative imports of a file, those inside of functions too."""
    package = file.relative_to(LIBRARY.parent).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = (*package[: len(package) - node.level + 1], *(node.module or "").split("."))
            module = [part for part in module if part]
            for name in [module[1]] if len(module) > 1 else [alias.name for alias in node.names]:
                yield name, node.lineno


def test_dependencies_go_one_way():
    against = []
    for file in sorted(LIBRARY.rglob("*.py")):
        parts = file.relative_to(LIBRARY).with_suffix("").parts
        if parts[0] in ("__init__", "__main__"):
            continue
        against += [
            f"{file.relative_to(LIBRARY)}:{line} needs {name}"
            for name, line in imported(file)
            if name not in (parts[0], "__version__") and LEVELS[name] >= LEVELS[parts[0]]
        ]
    assert not against


def test_the_ground_floor_stays_small():
    modules = {path.stem for path in LIBRARY.glob("*.py")} - {"__init__", "__main__"}
    assert modules == {"checkpoints", *ORDER[0], *ORDER[1], *ORDER[2], "images", "geometry"}
    rooms = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert rooms | modules == set(LEVELS)


def test_every_room_says_its_subject():
    for room in LIBRARY.glob("*/__init__.py"):
        assert ast.get_docstring(ast.parse(room.read_text(encoding="utf-8"))), room


def test_the_page_shows_the_rooms():
    page = (LIBRARY.parent / "Documentation" / "Reference" / "Conventions.md").read_text(encoding="utf-8")
    picture = page.split("**Layers.**")[1].split("```")[1]
    for room in LIBRARY.glob("*/__init__.py"):
        assert f"{room.parent.name}/" in picture


def test_waiting_threads_hardly_spin_unless_somebody_says_so():
    code = "import os, MetaRegistrationLib; print(os.environ['OMP_WAIT_POLICY'], os.environ.get('GOMP_SPINCOUNT'))"
    bare = {key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    for environment, policy in ((bare, "PASSIVE 3000"), ({**bare, "OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None")):
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == policy

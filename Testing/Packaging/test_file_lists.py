"""The lists in CMake and pyproject.toml name the files that are on disk: Slicer and pip install nothing else."""

from __future__ import annotations

import ast
import struct
from pathlib import Path

import list_files
import pytest
from cmake_files import variables

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib


def test_lists_match_the_files_on_disk():
    assert not list_files.differences(), "run: python Testing/Packaging/list_files.py --write"


def test_cmake_reads_the_list_that_was_compared(root: Path):
    read = variables(root / "MetaRegistrationLib" / "CMakeLists.txt")["MODULE_PYTHON_SCRIPTS"]
    assert read == list_files.listed_scripts()
    assert {"__init__.py", "commands/__init__.py", "resources.py"} <= set(read)


def test_pip_reads_the_list_that_was_compared(root: Path):
    read = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    assert read == list_files.listed_packages()


def test_every_folder_of_the_library_is_a_package(root: Path):
    library = root / "MetaRegistrationLib"
    folders = {(library / script).parent for script in list_files.scripts_on_disk()}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_library_holds_nothing_that_the_lists_cannot_name(root: Path, tracked_files: list[Path]):
    library = root / "MetaRegistrationLib"
    others = [path for path in tracked_files if library in path.parents and path.suffix != ".py"]
    assert others == [library / "CMakeLists.txt"]


def test_pip_and_cmake_ship_the_same_resource_folders(root: Path):
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    by_pip = {pattern.split("/")[0] for pattern in settings["package-data"][list_files.RESOURCE_PACKAGE]}
    by_cmake = set(variables(root / "MetaRegistrationLib" / "CMakeLists.txt")["_shipped_folders"])
    assert by_pip == by_cmake == {"Checkpoints", "SamplePairs", "SampleVisits", "Tasks"}


def test_pip_patterns_reach_every_shipped_file(root: Path, tracked_files: list[Path]):
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    resources = root / "Resources"
    patterns = settings["package-data"][list_files.RESOURCE_PACKAGE]
    reached = {path for pattern in patterns for path in resources.glob(pattern) if path.is_file()}
    folders = {pattern.split("/")[0] for pattern in patterns}
    shipped = {path for path in tracked_files if any(resources / folder in path.parents for folder in folders)}
    assert shipped
    assert shipped - reached == set()


def test_module_folder_holds_one_module_and_its_resources(root: Path, tracked_files: list[Path]):
    folder = root / "MetaRegistration"
    listed = variables(folder / "CMakeLists.txt")
    names = [*listed["MODULE_PYTHON_SCRIPTS"], *listed["MODULE_PYTHON_RESOURCES"]]
    assert {"MetaRegistration.py", "Resources/Icons/MetaRegistration.png", "Resources/UI/MetaRegistration.ui"} <= set(
        names
    )
    assert [name for name in names if not (folder / name).is_file()] == []
    present = {path.relative_to(folder).as_posix() for path in tracked_files if folder in path.parents}
    assert present == {*names, "CMakeLists.txt"}


def test_module_file_defines_the_four_classes_that_slicer_looks_for(root: Path):
    tree = ast.parse((root / "MetaRegistration" / "MetaRegistration.py").read_text(encoding="utf-8"))
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    wanted = {f"MetaRegistration{part}" for part in ("", "Widget", "Logic", "Test")}
    assert wanted <= classes | imported


@pytest.mark.parametrize(
    "icon", ["Resources/MetaRegistration.png", "MetaRegistration/Resources/Icons/MetaRegistration.png"]
)
def test_icon_is_a_png_of_128_pixels(root: Path, icon: str):
    head = (root / icon).read_bytes()[:26]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (128, 128)
    assert head[25] == 6, "colour type RGBA: transparent outside the disc"


def library(folder: Path, *files: str) -> None:
    """A small repository with both lists empty."""
    for file in files:
        path = folder / "MetaRegistrationLib" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "MetaRegistrationLib/CMakeLists.txt").write_text("# before\nset(MODULE_PYTHON_SCRIPTS\n  )\nafter()\n")
    (folder / "pyproject.toml").write_text('a = 1\npackages = [\n]\n[b]\nc = [\n"d"\n]\n')


def test_writing_the_lists_changes_only_them(tmp_path: Path):
    library(tmp_path, "__init__.py", "b.py", "sub/__init__.py", "sub/a.py")
    assert len(list_files.differences(tmp_path)) == 4 + 3
    list_files.write(tmp_path)
    assert list_files.differences(tmp_path) == []
    cmake = (tmp_path / "MetaRegistrationLib/CMakeLists.txt").read_bytes()
    scripts = b"  __init__.py\n  b.py\n  sub/__init__.py\n  sub/a.py\n"
    assert cmake == b"# before\nset(MODULE_PYTHON_SCRIPTS\n" + scripts + b"  )\nafter()\n"
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    packages = ["MetaRegistrationLib", "MetaRegistrationLib.sub", "MetaRegistrationLib.Resources"]
    assert settings == {"a": 1, "packages": packages, "b": {"c": ["d"]}}


def test_a_removed_file_and_a_double_entry_are_named(tmp_path: Path):
    library(tmp_path, "__init__.py", "gone.py")
    list_files.write(tmp_path)
    (tmp_path / "MetaRegistrationLib/gone.py").unlink()
    path = tmp_path / "MetaRegistrationLib/CMakeLists.txt"
    path.write_text(path.read_text().replace("  __init__.py\n", "  __init__.py\n  __init__.py\n"))
    assert list_files.differences(tmp_path) == [
        "MetaRegistrationLib/CMakeLists.txt names gone.py, which is not on disk",
        "MetaRegistrationLib/CMakeLists.txt names __init__.py twice",
    ]

"""The CMake project, configured, built and installed against the stand-in of Slicer: the code finds all that it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import list_files
import pytest
from cmake_files import variables
from cmake_project import Trees, build_and_install, cmake, configure, layout


@pytest.fixture(scope="module")
def trees(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """The extension, in a folder whose name has a space and accents."""
    return build_and_install(root, tmp_path_factory.mktemp("Extensions éü"))


def shipped_files(root: Path) -> set[str]:
    """Files of the top-level Resources/ that the extension carries."""
    folders = variables(root / "MetaRegistrationLib" / "CMakeLists.txt")["_shipped_folders"]
    return {f"{folder}/{file}" for folder in folders for file in layout(root / "Resources" / folder)}


def expected_layout(root: Path) -> set[str]:
    """What the folder of scripted modules must hold, in both trees: each script has its .pyc."""
    module = variables(root / "MetaRegistration" / "CMakeLists.txt")
    scripts = [
        *module["MODULE_PYTHON_SCRIPTS"],
        *(f"MetaRegistrationLib/{file}" for file in list_files.scripts_on_disk()),
    ]
    shipped = {f"MetaRegistrationLib/Resources/{file}" for file in shipped_files(root)}
    return {*scripts, *(f"{script}c" for script in scripts), *module["MODULE_PYTHON_RESOURCES"], *shipped}


def run_alone(code: str, folder: Path) -> str:
    """Output of Python code that sees the standard library and one folder, nothing else."""
    script = f"import sys; sys.path.insert(0, sys.argv[1]); {code}"
    command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", script, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_build_tree_holds_every_file_and_nothing_else(root: Path, trees: Trees):
    assert layout(trees.built) == expected_layout(root)


def test_installed_tree_is_the_build_tree(trees: Trees):
    assert layout(trees.installed) == layout(trees.built)


def test_nothing_is_installed_outside_the_scripted_modules(trees: Trees):
    prefix = trees.installed.parents[2]
    assert layout(prefix) == {f"lib/Slicer-5.12/qt-scripted-modules/{file}" for file in layout(trees.installed)}


@pytest.mark.parametrize("tree", ["built", "installed", "source"])
def test_library_finds_its_resources(root: Path, trees: Trees, tree: str):
    folder = root if tree == "source" else getattr(trees, tree)
    code = (
        "import MetaRegistrationLib; from MetaRegistrationLib import resources;"
        "print(MetaRegistrationLib.__file__); print(resources.default_checkpoint()); print(resources.sample_pairs())"
    )
    package, checkpoint, pairs = map(Path, run_alone(code, folder).splitlines())
    resources = folder / ("Resources" if tree == "source" else "MetaRegistrationLib/Resources")
    assert package == folder / "MetaRegistrationLib" / "__init__.py"
    assert checkpoint.is_relative_to(resources)
    assert checkpoint.read_bytes() == (root / "Resources" / "Checkpoints" / checkpoint.name).read_bytes()
    assert layout(pairs) == layout(root / "Resources" / "SamplePairs")


def test_task_sets_and_model_cards_are_installed(root: Path, trees: Trees):
    code = "from MetaRegistrationLib.resources import resource; [print(resource(file)) for file in sys.stdin.read().split('|')]"
    files = sorted(shipped_files(root))
    script = f"import sys; sys.path.insert(0, sys.argv[1]); {code}"
    command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", script, str(trees.installed)]
    done = subprocess.run(command, input="|".join(files), capture_output=True, text=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, done.stderr
    found = [Path(line) for line in done.stdout.splitlines()]
    assert found == [trees.installed / "MetaRegistrationLib" / "Resources" / file for file in files]


def test_installed_module_file_compiles_and_has_its_resources(trees: Trees):
    module = trees.installed / "MetaRegistration.py"
    compile(module.read_text(encoding="utf-8"), str(module), "exec")
    # self.resourcePath(f) is Resources/f beside the module file.
    for file in ("UI/MetaRegistration.ui", "Icons/MetaRegistration.png"):
        assert (module.parent / "Resources" / file).stat().st_size > 0


def test_installed_command_line_runs(trees: Trees, tmp_path: Path):
    environment = os.environ | {"PYTHONPATH": str(trees.installed), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    samples = trees.installed / "MetaRegistrationLib" / "Resources" / "SamplePairs"
    command = [sys.executable, "-m", "MetaRegistrationLib", "pairs", str(samples)]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, cwd=tmp_path, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "12 pairs, 0 left out" in done.stdout


def test_slicer_would_run_the_tests_of_the_module(trees: Trees):
    listing = cmake("--test-dir", trees.binary, "-N", tool="ctest").stdout
    names = {line.split(": ")[1].strip() for line in listing.splitlines() if "Test #" in line}
    assert names == {"py_MetaRegistration", "py_nomainwindow_qSlicerMetaRegistrationModuleGenericTest"}


def test_the_test_of_the_module_can_be_skipped(trees: Trees):
    listing = json.loads(cmake("--test-dir", trees.binary, "--show-only=json-v1", tool="ctest").stdout)
    skipping = [
        test["name"]
        for test in listing["tests"]
        if "SKIP_REGULAR_EXPRESSION" in {property["name"] for property in test["properties"]}
    ]
    assert skipping == ["py_MetaRegistration"]


def test_a_changed_resource_is_built_again(root: Path, trees: Trees):
    copy = trees.built / "MetaRegistrationLib" / "Resources" / "SamplePairs" / "pairs.csv"
    copy.unlink()
    cmake("--build", trees.binary, "--config", "Release")
    assert copy.read_bytes() == (root / "Resources" / "SamplePairs" / "pairs.csv").read_bytes()


def test_stand_in_refuses_a_script_that_is_not_there(tmp_path: Path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20.6)\nproject(Broken NONE)\nfind_package(Slicer REQUIRED)\n"
        "include(${Slicer_USE_FILE})\nslicerMacroBuildScriptedModule(NAME Broken SCRIPTS absent.py)\n"
    )
    configured = configure(tmp_path, tmp_path / "build")
    assert configured.returncode != 0
    assert "given absent.py" in " ".join(configured.stderr.split())


def test_slicers_own_macros_give_the_same_layout(root: Path, trees: Trees, tmp_path_factory: pytest.TempPathFactory):
    sources = {name: os.environ.get(name) for name in ("SLICER_SOURCE_DIR", "CTK_SOURCE_DIR")}
    if not all(sources.values()):
        pytest.skip("set SLICER_SOURCE_DIR and CTK_SOURCE_DIR to source checkouts of Slicer and CTK")
    real = build_and_install(root, tmp_path_factory.mktemp("real"), **sources)
    assert layout(real.built) == layout(trees.built)
    assert layout(real.installed) == layout(trees.installed)
    listings = [cmake("--test-dir", made.binary, "-N", tool="ctest").stdout for made in (real, trees)]
    real_names, names = ({line.split(": ")[1] for line in text.splitlines() if "Test #" in line} for text in listings)
    assert real_names == names

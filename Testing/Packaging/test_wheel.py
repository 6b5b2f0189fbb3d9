"""The wheel, built and installed into an environment of its own: the command line runs outside of the repository."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def run(*words: object, folder: Path) -> str:
    """Standard output of a program that must end well, and that does not see the repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONUTF8": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, encoding="utf-8", env=environment, cwd=folder
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, tracked_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the repository, built with what is installed here: nothing is downloaded."""
    for module in ("build", "setuptools"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed; `pip install {module}` brings it")
    folder = tmp_path_factory.mktemp("wheel")
    for path in tracked_files:
        copy = folder / "source" / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder / "source", folder=folder
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.long
def test_the_wheel_holds_the_library_and_its_resources(root: Path, wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(root).as_posix() for path in (root / "MetaRegistrationLib").rglob("*.py")}
    resources = {
        f"MetaRegistrationLib/{path.relative_to(root).as_posix()}"
        for folder in ("Checkpoints", "SamplePairs", "SampleVisits", "Tasks")
        for path in (root / "Resources" / folder).rglob("*")
        if path.is_file()
    }
    assert names == modules | resources


@pytest.mark.long
def test_the_demo_runs_from_an_environment_of_its_own(root: Path, wheel: Path, tmp_path: Path):
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed")
    home = tmp_path / "Umgebung für Ärzte"
    venv.create(home, symlinks=os.name != "nt")
    python = next((home / SCRIPTS).glob("python*"))
    options = ("install", "--quiet", "--no-deps", "--no-index", "--no-warn-script-location")
    run(sys.executable, "-m", "pip", "--python", python, *options, wheel, folder=tmp_path)
    # The dependencies are those of this environment; a .pth file of theirs, such as that of an editable package, is not read.
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=tmp_path).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    where = run(python, "-c", "import MetaRegistrationLib; print(MetaRegistrationLib.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(home)

    program = next((home / SCRIPTS).glob("meta-registration*"))
    said = run(program, "demo", "--epochs", 1, "--device", "cpu", "--output", tmp_path / "out", folder=tmp_path)
    assert "overlay.png" in said
    with (tmp_path / "out" / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) >= 2
    assert all(float(row["distance_after_px"]) < 0.5 * float(row["distance_before_px"]) for row in rows)

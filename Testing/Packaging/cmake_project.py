"""Configure, build and install a CMake project in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

STANDIN = Path(__file__).resolve().parent / "slicer_standin"
SCRIPTED_MODULES = "lib/Slicer-5.12/qt-scripted-modules"


@dataclass(frozen=True)
class Trees:
    """Where Slicer looks for scripted modules before and after installation."""

    binary: Path
    built: Path
    installed: Path


def cmake(*arguments: object, check: bool = True, tool: str = "cmake") -> subprocess.CompletedProcess[str]:
    """Run cmake (or ctest); the test is skipped where it, or a compiler, is not installed."""
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed; `pip install cmake` brings it")
    # A job server that the caller set up is not for this build.
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    done = subprocess.run(
        [program, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        timeout=600,
    )
    if "COMPILER could be found" in done.stderr:
        pytest.skip("cmake finds no C++ compiler, which project(...) asks for")
    if check and done.returncode:
        pytest.fail(f"{tool} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done


def configure(source: Path, binary: Path, **definitions: object) -> subprocess.CompletedProcess[str]:
    """Configure against the stand-in of Slicer; the return code is the caller's to look at."""
    given = {"Slicer_DIR": STANDIN, "Python3_EXECUTABLE": sys.executable, **definitions}
    # Nothing is compiled: spare the trial compilations.
    given |= {"CMAKE_C_COMPILER_FORCED": "ON", "CMAKE_CXX_COMPILER_FORCED": "ON"}
    options = [f"-D{name}={value}" for name, value in given.items()]
    if shutil.which("ninja"):  # several times as fast as make with many small files
        options += ["-G", "Ninja"]
    return cmake("-S", source, "-B", binary, *options, check=False)


def build_and_install(source: Path, folder: Path, **definitions: object) -> Trees:
    """Both trees of a project, made in `folder`."""
    binary, prefix = folder / "build", folder / "installed"
    configured = configure(source, binary, **definitions)
    assert configured.returncode == 0, configured.stdout[-2000:] + configured.stderr[-4000:]
    cmake("--build", binary, "--config", "Release", "--parallel", 2)
    cmake("--install", binary, "--config", "Release", "--prefix", prefix)
    return Trees(binary, binary / SCRIPTED_MODULES, prefix / SCRIPTED_MODULES)


def layout(folder: Path) -> set[str]:
    """Paths of the files below a folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

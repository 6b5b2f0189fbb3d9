"""Keep the lists of the library's files: the scripts in MetaRegistrationLib/CMakeLists.txt, the packages in pyproject.toml.

python Testing/Packaging/list_files.py            say whether the lists match the files on disk (exit code 1 if not)
python Testing/Packaging/list_files.py --write    rewrite them
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = "MetaRegistrationLib"
# The shipped files count as a package of the installed library: pyproject.toml maps it to the top-level Resources/.
RESOURCE_PACKAGE = f"{LIBRARY}.Resources"

_CMAKE_LIST = re.compile(r"(?<=set\(MODULE_PYTHON_SCRIPTS\n).*?(?=  \)\n)", re.DOTALL)
_PYPROJECT_LIST = re.compile(r"(?<=^packages = \[\n).*?(?=^\]\n)", re.DOTALL | re.MULTILINE)


def scripts_on_disk(root: Path = ROOT) -> list[str]:
    """Python files of the library, by their path relative to it."""
    library = root / LIBRARY
    return sorted(path.relative_to(library).as_posix() for path in library.rglob("*.py"))


def packages_on_disk(root: Path = ROOT) -> list[str]:
    """Dotted names of the library's packages, and of its resources."""
    folders = {str(Path(LIBRARY, script).parent) for script in scripts_on_disk(root)}
    return [*sorted(Path(folder).as_posix().replace("/", ".") for folder in folders), RESOURCE_PACKAGE]


def listed_scripts(root: Path = ROOT) -> list[str]:
    """Scripts that CMake builds and installs."""
    return _listed(root / LIBRARY / "CMakeLists.txt", _CMAKE_LIST).split()


def listed_packages(root: Path = ROOT) -> list[str]:
    """Packages that pip installs."""
    return re.findall(r'"([^"]+)"', _listed(root / "pyproject.toml", _PYPROJECT_LIST))


def write(root: Path = ROOT) -> None:
    """Make both lists those of the files on disk; the rest of the two files stays as it is."""
    cmake = "".join(f"  {script}\n" for script in scripts_on_disk(root))
    packages = "".join(f'    "{package}",\n' for package in packages_on_disk(root))
    _replace(root / LIBRARY / "CMakeLists.txt", _CMAKE_LIST, cmake)
    _replace(root / "pyproject.toml", _PYPROJECT_LIST, packages)


def differences(root: Path = ROOT) -> list[str]:
    """What is on disk and not listed, or listed and not on disk; one line each."""
    pairs = [
        (f"{LIBRARY}/CMakeLists.txt", listed_scripts(root), scripts_on_disk(root)),
        ("pyproject.toml", listed_packages(root), packages_on_disk(root)),
    ]
    lines = []
    for name, listed, present in pairs:
        lines += [f"{name} lacks {entry}" for entry in present if entry not in listed]
        lines += [f"{name} names {entry}, which is not on disk" for entry in listed if entry not in present]
        lines += [f"{name} names {entry} twice" for entry in sorted(set(listed)) if listed.count(entry) > 1]
    return lines


def _listed(path: Path, pattern: re.Pattern[str]) -> str:
    found = pattern.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{path} has no list that matches {pattern.pattern!r}; write an empty one first.")
    return found.group()


def _replace(path: Path, pattern: re.Pattern[str], lines: str) -> None:
    text = path.read_text(encoding="utf-8")
    _listed(path, pattern)
    new = pattern.sub(lambda _: lines, text, count=1)
    if new != text:
        path.write_text(new, encoding="utf-8", newline="\n")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="rewrite the lists instead of checking them")
    if parser.parse_args().write:
        write()
    problems = differences()
    print("\n".join(problems) or "The lists match the files on disk.")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

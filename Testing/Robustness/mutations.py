"""Do the tests notice? Changes the library in small ways, one at a time, and runs the tests that enter the changed function.

    python Testing/Robustness/mutations.py                  known mutations, and a sample of each room
    python Testing/Robustness/mutations.py --known          the known mutations alone
    python Testing/Robustness/mutations.py --room visits --count 40 --seed 2

Works on a copy of the repository. The sample depends on the seed and on the sources only, so that a survivor can be tried
again: its number stays the same as long as the room does not change. Needs a system with `fork`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from function_calls import Calls, CallsRecorder, function_at, read_calls
from mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = "MetaRegistrationLib"
TESTS = "Testing/Library"
KILLED, SURVIVED, HUNG = "killed", "survived", "hung"
UNSEEN = "unseen"  # no test of the room enters the function

# Of each room: its files, and its tests.
ROOMS = {
    "alignment": (
        ["alignment"],
        "block_matches alignment_parts coincidence quadratic from_points reframing calibration pipeline stages"
        " alignment_contract alignment",
    ),
    "registration": (
        ["registration"],
        "measures pipeline schema overlays error_map size_check moving_visit stages large_images stored_axes results"
        " registration landmarks",
    ),
    "visits": (
        ["visits"],
        "average visit_sides visit_dates comparable visits visit_trust visit_consistency visit_quality visit_sources"
        " visit_measures measure_files faz_files own_regions visit_errors change page",
    ),
    "units": (["formats/units.py"], "units"),
    "frames": (["core/geometry.py", "core/preprocessing.py"], "geometry preprocessing field_of_view images"),
}

# Mutations that people made, and that the tests once did not notice: file, text, and what it became.
KNOWN = [
    ("formats/units.py", '"centimetres"), 10.0)', '"centimetres"), 100.0)', "1 cm is 100 mm"),
    (
        "visits/regions.py",
        '"right": {"right": "nasal", "left": "temporal"}, "left": {"right": "temporal", "left": "nasal"}',
        '"right": {"right": "temporal", "left": "nasal"}, "left": {"right": "nasal", "left": "temporal"}',
        "nasal and temporal are swapped",
    ),
    (
        "registration/pipeline.py",
        "chosen = self.candidates.best()",
        "chosen = self.candidates.all[-1]",
        "a refinement that does not help is the result",
    ),
    (
        "visits/series.py",
        "calibration.CONSISTENCY_PX.value",
        "10 * calibration.CONSISTENCY_PX.value",
        "the limit of consistency is 5 px",
    ),
    ("visits/average.py", "(count >= _TRIMMED_FROM) | ", "", "an average of four and more is not trimmed"),
    (
        "registration/distances.py",
        "registration.fixed_grid.scale",
        "registration.moving_grid.scale",
        "distances are in pixels of the moving image's grid",
    ),
]


@dataclass(frozen=True)
class Outcome:
    """What the tests said of a mutant."""

    number: int
    file: str
    line: int
    change: str
    outcome: str
    tests: int


def known_mutants(library: Path) -> list[Mutant]:
    """The known mutations, as mutants of today's sources."""
    found = []
    for file, old, new, name in KNOWN:
        source = (library / file).read_text(encoding="utf-8")
        if source.count(old) != 1:
            raise SystemExit(f"mutations.py: {file} no longer contains {old!r} once: adapt KNOWN.")
        start = source.index(old)
        found.append(Mutant(file, source.count("\n", 0, start) + 1, name, start, start + len(old), new))
    return found


def files_of(library: Path, room: str) -> list[Path]:
    """The Python files of a room."""
    paths = [library / name for name in ROOMS[room][0]]
    return [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.py")))]


def sample(library: Path, room: str, count: int, seed: int) -> list[Mutant]:
    """Mutants of a room, drawn by a seed."""
    found = [mutant for path in files_of(library, room) for mutant in mutants_of(path, library)]
    return random.Random(f"{room} {seed}").sample(found, min(count, len(found)))


def room_of(file: str) -> str:
    """The room of a file of the library."""
    return next(room for room, (paths, _) in ROOMS.items() if any(file.startswith(path) for path in paths))


def tests_of(mutant: Mutant, tree: Path, calls: Calls, budget_s: float) -> list[str]:
    """The tests that enter the changed function, or the changed file if it is outside every function, fastest first."""
    path = tree / LIBRARY / mutant.file
    first = function_at(path.read_text(encoding="utf-8"), mutant.line)
    entered = [test for test in calls.values() if any(f == mutant.file and first in (0, n) for f, n in test.entered)]
    chosen, seconds = [], 0.0
    for test in sorted(entered, key=lambda test: test.seconds):
        seconds += test.seconds
        if chosen and seconds > budget_s:
            break
        chosen.append(test.name)
    return chosen


def tried(mutant: Mutant, tree: Path, calls: Calls, budget_s: float) -> tuple[str, int]:
    """Apply a mutant to the tree, run its tests in a child process, and restore the file; also their number."""
    path = tree / LIBRARY / mutant.file
    tests, source = tests_of(mutant, tree, calls, budget_s), path.read_text(encoding="utf-8")
    if not tests:
        return UNSEEN, 0
    path.write_text(mutant.applied(source), encoding="utf-8", newline="\n")
    try:
        child = os.fork()
        if child == 0:
            os._exit(_run(tests))
        return _waited(child, time.monotonic() + 600), len(tests)
    finally:
        path.write_text(source, encoding="utf-8", newline="\n")


def _run(tests: list[str], *plugins: object) -> int:
    os.setsid()
    import pytest

    sys.dont_write_bytecode = True
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], list(plugins)))


def calls_of(room: str, tree: Path) -> Calls:
    """Which functions of the library each test of a room enters."""
    names = [f"{TESTS}/test_{name}.py" for name in ROOMS[room][1].split()]
    report = tree / f"{room}.json"
    child = os.fork()
    if child == 0:
        os._exit(_run([name for name in names if (tree / name).is_file()], CallsRecorder(tree / LIBRARY, report)))
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"mutations.py: the tests of {room} fail as they are.")
    return read_calls(report)


def _waited(child: int, end: float) -> str:
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return SURVIVED if status == 0 else KILLED
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HUNG  # an endless loop is noticed, too


def copied(folder: Path) -> Path:
    """A copy of what the tests need; large and unchanging folders are links."""
    tree = folder / "repository"
    tree.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in (LIBRARY, "Testing"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    for name in ("Resources", "Documentation", "MetaRegistration"):
        (tree / name).symlink_to(ROOT / name)
    for name in ("pyproject.toml", "README.md", "CMakeLists.txt"):
        shutil.copyfile(ROOT / name, tree / name)
    return tree


def enter(tree: Path) -> None:
    """Let this process and its children use the library of the copy, with its heavy dependencies imported already."""
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    sys.path.insert(0, str(tree))
    import PIL.Image
    import pytest
    import scipy.ndimage
    import SimpleITK
    import torch

    torch.set_num_threads(1)
    assert all((PIL.Image, pytest, scipy.ndimage, SimpleITK))


def asked_for(arguments: argparse.Namespace, library: Path) -> list[Mutant]:
    """The mutants to try."""
    rooms = arguments.room or list(ROOMS)
    drawn = [] if arguments.known else [m for r in rooms for m in sample(library, r, arguments.count, arguments.seed)]
    return drawn if arguments.room else known_mutants(library) + drawn


def main() -> int:
    """Try every mutant and print the survivors; the return code is 1 if a known mutation survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--known", action="store_true", help="only the known mutations")
    parser.add_argument("--room", action="append", choices=list(ROOMS), help="only a sample of this room")
    parser.add_argument("--count", type=int, default=25, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--budget", type=float, default=30.0, metavar="SECONDS", help="processor time of the tests of one mutant"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write all outcomes as JSON lines")
    arguments = parser.parse_args()
    outcomes: list[Outcome] = []
    report = arguments.report and arguments.report.resolve()
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        mutants = asked_for(arguments, tree / LIBRARY)
        enter(tree)
        calls = {room: calls_of(room, tree) for room in sorted({room_of(mutant.file) for mutant in mutants})}
        for number, mutant in enumerate(mutants, 1):
            outcome, tests = tried(mutant, tree, calls[room_of(mutant.file)], arguments.budget)
            outcomes.append(Outcome(number, mutant.file, mutant.line, mutant.change, outcome, tests))
            print(f"{number}/{len(mutants)} {outcome:8} {mutant.file}:{mutant.line} {mutant.change}", flush=True)
            if report:
                with report.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(asdict(outcomes[-1])) + "\n")
        os.chdir(ROOT)
    return _summary(outcomes)


def _summary(outcomes: list[Outcome]) -> int:
    print()
    for room in ROOMS:
        found = [each for each in outcomes if room_of(each.file) == room]
        alive = [each for each in found if each.outcome in (SURVIVED, UNSEEN)]
        if found:
            print(f"{room}: {len(alive)} of {len(found)} survived")
    names = {name for *_, name in KNOWN}
    return int(any(each.outcome != KILLED and each.change in names for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())

"""Give the readers hostile files, and watch what comes of it: anything but a value or an error for users is a finding.

python Testing/Robustness/fuzz.py --seconds 3600 --report fuzz.json
python Testing/Robustness/fuzz.py --kinds tif dcm --files 500 --seed 1
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import hostile  # noqa: E402

LONGEST_S, LARGEST_BYTES = 10.0, 2 << 30
WAITED_S = 600.0  # for a reader that computes nothing


@dataclass
class Result:
    """What came of the files of one kind."""

    kind: str
    files: int = 0
    outcomes: Counter = field(default_factory=Counter)
    slowest_s: float = 0.0
    findings: list[dict] = field(default_factory=list)


class Child:
    """A process that reads what it is told to, in a memory of `LARGEST_BYTES`."""

    def __init__(self, kind: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "readers.py"), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=environment,
        )
        self._answers: queue.Queue = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        if self._answers.get(timeout=120) != "ready\n":
            raise SystemExit(f"The reader of {kind} does not start.")

    def _listen(self) -> None:
        for line in self._process.stdout:
            if line.startswith(("@", "ready")):
                self._answers.put(line)
        self._answers.put(None)

    def read(self, path: Path) -> tuple[str, float]:
        """Outcome and seconds."""
        self._process.stdin.write(json.dumps(str(path)) + "\n")
        self._process.stdin.flush()
        end, began, largest = time.monotonic() + LONGEST_S, _processor_time(self._process.pid), 0
        while True:
            try:
                answer = self._answers.get(timeout=0.05)
            except queue.Empty:
                largest = max(largest, _memory(self._process.pid))
                if largest > LARGEST_BYTES:
                    return f"finding: {largest >> 20} MB of memory", LONGEST_S
                late, computed = time.monotonic() - end, _processor_time(self._process.pid) - began
                if late > 0 and (computed > LONGEST_S or late > WAITED_S):
                    return f"finding: not done in {LONGEST_S:.0f} s", LONGEST_S
                continue
            if answer is None:
                return f"finding: the process died ({self._process.wait()})", 0.0
            outcome, seconds = json.loads(answer[1:])
            return outcome, seconds

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


def _memory(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _processor_time(pid: int) -> float:
    """Seconds that a process has computed: on a busy machine a reader that is not slow may take long."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def campaign(kind: str, *, seconds: float, files: int | None, seed: int, keep: Path | None = None) -> Result:
    """Read hostile files of a kind until the time is over or there were enough."""
    rng = np.random.default_rng([seed, hostile.KINDS.index(kind)])
    good, result, child = hostile.seeds(kind), Result(kind), None
    others = good + [data for other in hostile.KINDS[:4] for data in hostile.seeds(other)]
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        name = kind if kind in ("pairs.csv", "adapted.json") else f"hostile.{kind.replace(' ', '_')}"
        path = Path(folder) / name
        for image in "abc":
            (Path(folder) / f"{image}.png").write_bytes(hostile.seeds("png")[0])
        while time.monotonic() < end and (files is None or result.files < files):
            child = child or Child(kind)
            data = hostile.hostile_file(kind, rng, good, others)
            path.write_bytes(data)
            outcome, taken = child.read(path)
            result.files += 1
            result.slowest_s = max(result.slowest_s, taken)
            result.outcomes[outcome.split(" ")[0].rstrip(":")] += 1
            if outcome.startswith("finding"):
                result.findings.append({"file": result.files, "what": outcome})
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{result.files}.{name}").write_bytes(data)
                child.end()
                child = None
    if child is not None:
        child.end()
    return result


def main() -> int:
    """Run the campaigns that were asked for; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=hostile.KINDS, default=hostile.KINDS)
    parser.add_argument("--seconds", type=float, default=3600.0, help="for all kinds together (%(default)s)")
    parser.add_argument("--files", type=int, help="of each kind, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the files of findings here")
    parser.add_argument("--report", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    results = []
    for kind in arguments.kinds:
        share = arguments.seconds / len(arguments.kinds)
        keep = arguments.keep / kind.replace(" ", "_") if arguments.keep else None
        result = campaign(kind, seconds=share, files=arguments.files, seed=arguments.seed, keep=keep)
        results.append(result)
        counted = ", ".join(f"{count} {outcome}" for outcome, count in result.outcomes.most_common())
        print(f"{kind}: {result.files} files, {counted}; slowest {result.slowest_s:.2f} s", flush=True)
        for what, count in Counter(finding["what"][:160] for finding in result.findings).most_common(10):
            print(f"    {count} x {what}", flush=True)
    if arguments.report:
        arguments.report.write_text(
            json.dumps([{**vars(result), "outcomes": dict(result.outcomes)} for result in results], indent=1),
            encoding="utf-8",
        )
    return int(any(result.findings for result in results))


if __name__ == "__main__":
    sys.exit(main())

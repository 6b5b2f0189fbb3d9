"""Pairs per second, processor time and memory of `register` over a folder, by number of processes; and kill and resume.

    python Testing/Benchmarks/throughput.py --pairs my_pairs --folder /tmp/throughput --jobs 1 2 --count 60
    python Testing/Benchmarks/throughput.py --pairs my_pairs --folder /tmp/throughput --kill --count 200

The folder gets hard links to the pairs, as many as wanted. The first command registers them once for each number of processes and
compares all result files. The wall time is that of an idle machine only. Memory is the sum over the processes of what each has of
its own and its share of what several have (PSS of Linux). The second command kills a run at random moments and resumes it, and
compares it with a run that was not killed. Further options are those of register, such as --no-network --refine 0 for pairs that
take less time.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from MetaRegistrationLib.formats.files import write_json
from MetaRegistrationLib.formats.written_files import WrittenFiles
from MetaRegistrationLib.pairs.folders import find_pairs

_TABLES = ("metrics.csv", "summary.json", "written_files.jsonl", "registration.json")
_SECONDS_COLUMN = "seconds"


def make(source: Path, folder: Path, count: int) -> Path:
    """A folder of `count` pairs, hard links to those of `source`, again and again."""
    pairs = find_pairs(source, check=False).pairs
    shutil.rmtree(folder, ignore_errors=True)
    rows = ["moving,fixed,landmarks,name"]
    (folder / "images").mkdir(parents=True)
    for number in range(count):
        pair, names = pairs[number % len(pairs)], []
        for role in ("moving", "fixed", "landmarks"):
            path = getattr(pair, role)
            if path is None:
                names.append("")
                continue
            names.append(f"images/{number:06d}_{role}{path.suffix}")
            _link(path, folder / names[-1])
        rows.append(",".join([*names, f"pair_{number:06d}"]))
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def command(pairs: Path, output: Path, jobs: int, write: str, *more: str) -> list[str]:
    """The command line of a run."""
    words = ["register", "--pairs", str(pairs), "--output", str(output), "--jobs", str(jobs), "--write", write]
    return [sys.executable, "-m", "MetaRegistrationLib", *words, "--device", "cpu", *more]


def measured(pairs: Path, output: Path, jobs: int, write: str, count: int, more: list[str]) -> dict:
    """One run: seconds, processor seconds, most memory, bytes of a pair."""
    shutil.rmtree(output, ignore_errors=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        command(pairs, output, jobs, write, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    memory = _Memory(process.pid)
    if process.wait():
        raise SystemExit(f"register ended with {process.returncode}")
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return {
        "jobs": jobs,
        "pairs": count,
        "seconds": seconds,
        "pairs_per_second": count / seconds,
        "processor_seconds": used,
        "processor_seconds_per_pair": used / count,
        "memory_mb": memory.most / 1e6,
        "bytes_per_pair": size / count,
    }


class _Memory:
    """The most memory that a process and its children had at once, bytes; 0 where /proc does not say."""

    def __init__(self, pid: int) -> None:
        self.most, self._pid = 0, pid
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while Path(f"/proc/{self._pid}").exists():
            self.most = max(self.most, sum(map(_pss, _family(self._pid))))
            time.sleep(0.5)


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        except OSError:
            continue
        found += map(int, children.split())
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def differences(first: Path, second: Path) -> list[str]:
    """Files of pairs that differ between two outputs, and columns of metrics.csv but the time."""
    names = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        for folder in (first, second)
    ]
    found = sorted(names[0] ^ names[1])
    for name in sorted(names[0] & names[1]):
        if Path(name).name not in _TABLES and (first / name).read_bytes() != (second / name).read_bytes():
            found.append(name)
    if _table(first) != _table(second):
        found.append("metrics.csv")
    return found


def _table(folder: Path) -> list[list[str]]:
    rows = [line.split(",") for line in (folder / "metrics.csv").read_text(encoding="utf-8").splitlines()]
    skip = rows[0].index(_SECONDS_COLUMN)
    return [row[:skip] + row[skip + 1 :] for row in rows]


def kill_and_resume(pairs: Path, output: Path, jobs: int, write: str, count: int, kills: int, more: list[str]) -> dict:
    """Kill a run at random moments and resume it."""
    shutil.rmtree(output, ignore_errors=True)
    chance, words = random.Random(0), command(pairs, output, jobs, write, "--resume", *more)
    done_at = []
    for _ in range(kills):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = min(_finished(output) + chance.randint(1, max(count // (kills + 1), 1)), count - 1)
        while process.poll() is None and _finished(output) < wanted:
            time.sleep(0.05)
        time.sleep(chance.random())
        process.kill()
        process.wait()
        done_at.append(_finished(output))
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return {"killed_after_pairs": done_at}


def _finished(output: Path) -> int:
    listed = WrittenFiles.read(output)
    return 0 if listed is None else sum("pair" in note for note in listed.notes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of pairs")
    parser.add_argument("--folder", type=Path, required=True, help="folder for links and results, made new")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--write", default="transform", help="as of register")
    parser.add_argument("--kill", action="store_true", help="kill and resume, instead of the speed")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options, more = parser.parse_known_args()
    pairs = make(options.pairs, options.folder / "pairs", options.count)
    runs = [measured(pairs, options.folder / "out_1", options.jobs[0], options.write, options.count, more)]
    found = {"runs": runs}
    print(runs[0], flush=True)
    if options.kill:
        output = options.folder / "out_killed"
        found |= kill_and_resume(pairs, output, options.jobs[-1], options.write, options.count, options.kills, more)
        found["differences"] = differences(options.folder / "out_1", output)
    else:
        for jobs in options.jobs[1:]:
            output = options.folder / f"out_{jobs}"
            runs.append(measured(pairs, output, jobs, options.write, options.count, more))
            runs[-1]["times_faster"] = runs[0]["seconds"] / runs[-1]["seconds"]
            runs[-1]["memory_mb_a_further_process"] = (runs[-1]["memory_mb"] - runs[0]["memory_mb"]) / max(jobs - 1, 1)
            runs[-1]["differences"] = differences(options.folder / "out_1", output)
            print(runs[-1], flush=True)
    print({key: value for key, value in found.items() if key != "runs"})
    sizes = [path.stat().st_size for path in (options.folder / "out_1").rglob("transform.npz")]
    if sizes:
        print(f"transform.npz: mean {np.mean(sizes):.0f}, median {np.median(sizes):.0f}, most {max(sizes)} bytes")
    if options.json:
        write_json(options.json, found)


if __name__ == "__main__":
    main()

"""Freed memory stays with the process: fewer pages are asked for again."""

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys, torch
from MetaRegistrationLib.core.memory import keep_freed_memory

torch.set_num_threads(1)
kept = keep_freed_memory() if sys.argv[1] == "keep" else False
for turn in range(30):
    if turn == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    maps = [torch.ones(3, 400, 400) for _ in range(8)]
    del maps
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _kept_and_faults(word, **environment):
    bare = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    command = [sys.executable, "-c", _PROGRAM, word]
    done = subprocess.run(command, env={**bare, **environment}, capture_output=True, text=True, check=True)
    kept, faults = done.stdout.split()
    return kept == "True", int(faults)


@pytest.mark.skipif(
    sys.platform != "linux" or "CS_GNU_LIBC_VERSION" not in os.confstr_names,
    reason="only glibc gives memory back so soon",
)
def test_freed_maps_are_not_asked_for_again():
    given_back, faults_before = _kept_and_faults("ask")
    kept, faults = _kept_and_faults("keep")
    assert kept and not given_back
    assert faults < faults_before / 10 and faults_before > 10_000
    assert not _kept_and_faults("keep", MALLOC_TRIM_THRESHOLD_="1000000")[0], "whoever has set a limit keeps it"

"""A logic for tests of the panel alone: it keeps what it is asked, and answers what the test prepared."""

from __future__ import annotations

from pathlib import Path

import qt

from MetaRegistrationLib.jobs.estimates import Estimate
from MetaRegistrationLib.jobs.hosts import QtHost
from MetaRegistrationLib.jobs.outcome import JobEnd
from MetaRegistrationLib.jobs.store import CheckpointStore
from MetaRegistrationLib.pairs.folders import PairFiles, PairFolder
from MetaRegistrationLib.panel.devices import Device
from MetaRegistrationLib.panel.landmarks_logic import LandmarksLogic
from MetaRegistrationLib.panel.pairs_logic import FoundPairs, PairRow
from MetaRegistrationLib.panel.register_logic import RegisterLogic
from MetaRegistrationLib.panel.visits_logic import VisitsLogic


class FakeDependency:
    """PyTorch, there or not."""

    def __init__(self, there: bool = True) -> None:
        self.there, self.asked, self.error = there, 0, None

    def torch_is_there(self):
        return self.there

    def missing(self):
        return [] if self.there else ["PyTorch"]

    def install(self, on_step, on_end):
        self.asked += 1
        if self.error is not None:
            raise self.error
        self.there = True
        on_end("")


class FakePairs:
    """Folders by name: a number of pairs, or the error that reading them raises."""

    def __init__(self) -> None:
        self.folders: dict[str, object] = {}
        self.loaded: list[str] = []
        self.left_out: tuple = ()

    def scan(self, folder, sizes):
        yield 0, 1
        found = self.folders[folder]
        if isinstance(found, Exception):
            raise found
        names = [f"pair {number}" for number in range(1, found + 1)]
        files = tuple(PairFiles(name, Path(f"{name}_m.png"), Path(f"{name}_f.png")) for name in names)
        rows = tuple(PairRow(name, "32 × 32", f"{sizes.spacing_um or 'unknown'}", "–", "–") for name in names)
        return FoundPairs(PairFolder(Path(folder), "a layout", files, self.left_out), rows)

    def load(self, files):
        self.loaded.append(files.name)
        raise FileNotFoundError(2, "no such file", files.name)

    def loaded_row(self, pairs, moving, fixed):
        return -1

    def only_other(self, volume):
        return None

    def show(self, moving, fixed, moving_slice=0, fixed_slice=0):
        pass

    def result_above(self, moving):
        return None

    def give_pixel_size(self, parameters, micrometres):
        return False


class FakeJob:
    """A job whose events and end the test gives."""

    def __init__(self, request, on_event, on_end) -> None:
        self.request, self.on_event, self.on_end = request, on_event, on_end
        self.cancelled = False

    def cancel(self):
        self.cancelled = True

    def end(self, status, message, saved=None):
        self.on_end(JobEnd(status, message, saved, 0, ""))


class FakeAdapt:
    """Checkpoints and jobs."""

    def __init__(self, folder: Path) -> None:
        self.store = CheckpointStore(folder)
        self.choices = [("meta-learned (shipped)", Path("/shipped/meta.pt"))]
        self.jobs: list[FakeJob] = []
        self.gpus = [Device("Test GPU 9000", "cuda:0")]
        self.error, self.closed, self.deleted = None, 0, []
        self.stopped_names: set[str] = set()

    def checkpoints(self):
        return self.choices

    def purpose(self, path):
        return f"For images like {path.parent.name}."

    def devices(self):
        return [Device("CPU (slow)", "cpu")]

    def find_gpus(self, on_found):
        on_found(self.gpus)

    def free_name(self, wish):
        return wish

    def resumable(self, name):
        return name in self.stopped_names

    def estimate(self, folder, epochs, device):
        return Estimate(epochs * (1 if device != "cpu" else 60), 1.0, False)

    def start(self, request, on_event, on_end):
        if self.error is not None:
            raise self.error
        self.jobs.append(FakeJob(request, on_event, on_end))
        return self.jobs[-1]

    def is_own(self, path):
        return path is not None and path.parent.parent == self.store.folder

    def delete(self, path):
        self.deleted.append(path)
        self.choices = [choice for choice in self.choices if choice[1] != path]

    def close(self):
        self.closed += 1


class FakeRegister(RegisterLogic):
    """The real one, but for what needs torch or a process."""

    def __init__(self, host) -> None:
        super().__init__(host)
        self.result: object = None
        self.requests: list = []
        self.jobs: list[FakeJob] = []

    def steps(self, request):
        self.requests.append(request)
        yield "Working ..."
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def start_folder(self, request, on_event, on_end):
        self.jobs.append(FakeJob(request, on_event, on_end))
        return self.jobs[-1]


class FakeChart:
    """Keeps its points."""

    def __init__(self) -> None:
        self.points: list[tuple] = []
        self.labels: tuple[str, str] | None = None
        self.shown = False

    def append(self, *point):
        self.points.append(point)

    def label(self, *labels):
        self.labels = labels

    def clear(self):
        self.points.clear()

    def show(self):
        self.shown = True


class FakeLogic:
    """All parts."""

    def __init__(self, folder: Path) -> None:
        self.host = QtHost(qt)
        self.dependency = FakeDependency()
        self.pairs = FakePairs()
        self.adapt = FakeAdapt(folder)
        self.register = FakeRegister(self.host)
        self.landmarks = LandmarksLogic()
        self.visits = VisitsLogic(self.host)
        self.charts: list[FakeChart] = []
        self.closed = 0

    def getParameterNode(self):
        import sys

        import slicer

        node = slicer.mrmlScene.GetSingletonNode("MetaRegistration", "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
            node.SetSingletonTag("MetaRegistration")
        return sys.modules["MetaRegistration"].MetaRegistrationParameterNode(node)

    def new_chart(self, name):
        self.charts.append(FakeChart())
        return self.charts[-1]

    def close(self):
        self.closed += 1

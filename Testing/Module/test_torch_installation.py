"""PyTorch is missing: what it is, how large, one click, progress, cancel, and where it failed."""

from __future__ import annotations

import importlib
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from panel_helpers import open_panel, settle, tooltip

from MetaRegistrationLib.jobs import pip_child
from MetaRegistrationLib.panel import torch_installation
from MetaRegistrationLib.panel.dependency_logic import DependencyLogic

TOOL = """
import pathlib, sys, time
assert sys.argv[1:4] == ["install", "torch>=2.1", "torchvision"], sys.argv
what, target = {what!r}, pathlib.Path({target!r})
print("Collecting torch>=2.1", flush=True)
if what == "no network":
    print("ERROR: Could not find a version that satisfies the requirement torch>=2.1 (from versions: none)", file=sys.stderr)
    print("ERROR: No matching distribution found for torch>=2.1", file=sys.stderr)
    sys.exit(1)
print("  Downloading https://download.pytorch.org/whl/cpu/torch-2.5.1%2Bcpu-cp312-cp312-win_amd64.whl (205.3 MB)", flush=True)
while what == "fine" and not (target / "seen").exists():
    time.sleep(0.02)
for percent in range(0, 101, 10):
    print(f"Progress {{percent * 2000}} of 200000", flush=True)
    time.sleep(0.02)
if what == "no space":
    print("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", file=sys.stderr)
    sys.exit(1)
while what == "slow":
    time.sleep(0.05)
print("Installing collected packages: torch", flush=True)
(target / "torch").mkdir()
if what == "slow to install":
    while not (target / "go on").exists():
        time.sleep(0.02)
(target / "torch" / "__init__.py").write_text("")
print("Successfully installed torch-2.5.1")
"""


class Extension:
    """Slicer's PyTorch extension, as far as the module uses it."""

    def _getPipInstallArguments(self, backend, torch_requirement, torchvision_requirement):
        assert backend is None and torchvision_requirement is None
        return ["install", f"torch{torch_requirement}", "torchvision"]


@pytest.fixture
def computer(monkeypatch, tmp_path):
    """A computer without PyTorch and with the extension; `computer(what)` says how the tool of the extension fares."""
    tools, target = tmp_path / "tools", tmp_path / "Größe site-packages"
    target.mkdir()

    def prepare(what: str) -> Path:
        (tools / "light_the_torch").mkdir(parents=True)
        (tools / "light_the_torch" / "__init__.py").write_text("")
        code = TOOL.format(what=what, target=str(target))
        (tools / "light_the_torch" / "__main__.py").write_text(code, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tools))
        monkeypatch.syspath_prepend(str(tools))
        monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=Extension))
        monkeypatch.setattr(DependencyLogic, "torch_is_there", there)
        return target

    def there(self) -> bool:
        importlib.invalidate_caches()
        return not self._installing and (target / "torch" / "__init__.py").is_file()

    monkeypatch.setattr(torch_installation, "_progress_option", list)
    return prepare


def seen(rig, widget, target, until) -> tuple[list[str], list[float]]:
    """The texts that are shown until a condition holds, and every share that the bar takes."""
    texts, shares = [], []

    def look() -> bool:
        if widget.ui.dependencyLabel.text not in texts[-1:]:
            texts.append(widget.ui.dependencyLabel.text)
        if texts[-1].startswith("Downloading"):
            (target / "seen").touch()
        return until()

    widget.ui.dependencyProgressBar.connect("valueChanged(int)", shares.append)

    rig.wait_until(look, "for the installation")
    return texts, shares


def test_one_click_installs_it_with_progress(rig, computer):
    target = computer("fine")
    widget = open_panel(rig)
    ui = widget.ui
    first = ui.dependencyLabel.text
    assert ui.dependencyFrame.visible and not ui.dependencyProgressBar.visible
    for part in ("PyTorch is missing", "It is the library", "0.2 GB", "3 GB"):
        assert part in first
    rig.screenshot(ui.dependencyFrame, "torch_is_missing")
    ui.installTorchButton.click()
    assert ui.installTorchButton.text == "Cancel"
    texts, shares = seen(rig, widget, target, lambda: not ui.dependencyFrame.visible)
    assert "Downloading torch-2.5.1 (205.3 MB) ..." in texts
    download = shares[: shares.index(100) + 1]
    assert download == sorted(download) and len(download) > 3
    assert "PyTorch" not in ui.registerButton.toolTip
    assert ui.installTorchButton.text == "Install PyTorch"


@pytest.mark.parametrize(
    ("what", "where", "why"),
    [
        ("no network", "Looking for torch>=2.1 ...", "Could not find a version that satisfies the requirement"),
        ("no space", "Downloading torch-2.5.1 (205.3 MB) ...", "[Errno 28] No space left on device"),
    ],
)
def test_where_it_failed_is_said(rig, computer, what, where, why):
    computer(what)
    widget = open_panel(rig)
    ui = widget.ui
    ui.installTorchButton.click()
    rig.wait_until(lambda: "could not be installed" in ui.dependencyLabel.text, "for the end")
    text = ui.dependencyLabel.text
    assert f"It failed at: {where}" in text and why in text and "click again" in text
    assert ui.dependencyFrame.visible and ui.installTorchButton.enabled and not ui.dependencyProgressBar.visible
    assert "Errno 28" in widget.panel.state.log or what == "no network"
    assert tooltip(ui.registerButton).startswith("Still missing: PyTorch")


def test_cancel_stops_the_download_and_leaves_nothing(rig, computer):
    target = computer("slow")
    widget = open_panel(rig)
    ui = widget.ui
    ui.installTorchButton.click()
    rig.wait_until(lambda: ui.dependencyProgressBar.value == 100, "for the download")
    process = widget.panel.dependency._installation._job._process
    ui.installTorchButton.click()
    rig.wait_until(lambda: ui.installTorchButton.text == "Install PyTorch", "for the end")
    assert "cancelled" in ui.dependencyLabel.text and "Nothing was installed" in ui.dependencyLabel.text
    assert list(target.iterdir()) == [] and getattr(process.state(), "value", process.state()) == 0


def test_what_is_put_in_place_is_not_interrupted(rig, computer):
    target = computer("slow to install")
    widget = open_panel(rig)
    ui = widget.ui
    ui.installTorchButton.click()
    rig.wait_until(lambda: "cannot be interrupted" in ui.dependencyLabel.text, "for the files")
    assert not ui.installTorchButton.enabled
    assert tooltip(ui.registerButton).startswith("Still missing: PyTorch"), "half of it is not PyTorch"
    (target / "go on").touch()  # the module closes only when the files are there
    rig.close_module("MetaRegistration")
    assert (target / "torch" / "__init__.py").is_file()


def test_the_module_closes_amid_a_download(rig, computer):
    target = computer("slow")
    widget = open_panel(rig)
    widget.ui.installTorchButton.click()
    settle(rig, 0.5)
    rig.close_module("MetaRegistration")
    assert list(target.iterdir()) == []


def test_an_extension_of_another_version_installs_by_itself(rig, monkeypatch):
    asked, ended = [], []

    class Logic:
        def installTorch(self, **options):
            asked.append(options)
            return object() if len(asked) == 1 else None

    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=Logic))
    logic = DependencyLogic(None)
    assert logic.install(lambda step: None, ended.append) is None
    assert asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.1"}] and ended == [""]
    logic.install(lambda step: None, ended.append)
    assert "declined" in ended[1]


def test_a_folder_without_the_package_is_not_pytorch(rig, monkeypatch, tmp_path):
    (tmp_path / "torch").mkdir()
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert not DependencyLogic(None).torch_is_there()


def test_lines_of_pip_become_events():
    stream = io.StringIO()
    told = pip_child.Told(stream)
    told.write("Collecting torch\nProgress 0 of 300\nProgress 1 of 300\nProg")
    told.write("ress 150 of 300\nhello\n")
    told.flush()
    lines = stream.getvalue().splitlines()
    assert [line for line in lines if not line.startswith("{")] == ["Collecting torch", "hello"]
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert [(event["phase"], event.get("done")) for event in events] == [
        ("finding", None),
        ("downloading", 0),
        ("downloading", 150),
    ]


def test_the_child_ends_as_its_module_does(tmp_path, monkeypatch, capsys):
    (tmp_path / "ends.py").write_text("import sys\nsys.exit({'0': None, '3': 3, 'text': 'no'}[sys.argv[1]])\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    assert [pip_child.main(["ends", text]) for text in ("0", "3", "text")] == [0, 3, 1]
    kinds = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["process", "finished", "process", "process"]


def test_pytorch_that_was_found_is_not_looked_for_again(rig, monkeypatch, tmp_path):
    """Every section asks at every change, before torch is imported."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    logic = DependencyLogic(None)
    assert not logic.torch_is_there()
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("")
    importlib.invalidate_caches()
    assert logic.torch_is_there(), "installed meanwhile"
    monkeypatch.setattr(sys, "path", [])
    assert logic.torch_is_there()

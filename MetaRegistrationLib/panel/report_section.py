"""The button *Copy report*: copies the information for a support forum, without names of patients or paths."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from .. import __version__
from ..resources import shipped_checkpoints
from .pixel_sizes import PixelSizes
from .state import PanelState
from .texts import tr as _
from .widgets import say

_PACKAGES = ("torch", "numpy", "scipy", "SimpleITK", "pydicom")
_LABELS = (
    "pairsStatusLabel",
    "adaptStatusLabel",
    "registerStatusLabel",
    "registerFolderStatusLabel",
    "measuresLabel",
    "expectedErrorLabel",
    "landmarksStatusLabel",
)
_VOLUMES = ("movingVolume", "fixedVolume", "movingMask", "fixedMask", "warpedVolume")
_NODES = (*_VOLUMES, "transform", "movingPoints", "fixedPoints", "distanceTable")
_LINES = 80
# Words of the program and of its input, by which folders, pairs and volumes are often called.
_ORDINARY_WORDS = """
    adapted affine after all analysis angiogram angiograms average baseline batch before bmp both change changes
    checkpoint checkpoints clean control cpu csv cuda data dataset deep demo device dicom diff distance distances
    epoch epochs error errors eye eyes faz final first fixed flow folder fundus good image images input inputs label
    labels landmark landmarks last later layout left log loss macula mask masks measure measures meta metrics moving
    name names ncc network new nii none old one online output outputs pair pairs patient patients phantom phantoms
    pilot pixel pixels png point points python quality raw reference region regions register registered registration
    report result results retina right run runs sample samples scan scans series session sessions set sets settings
    shift similarity size sizes slab slicer slices spacing stage stages status step steps study superficial table
    tables test tests tif tiff time times torch train training transform transforms trial two uncertain used valid
    validation vessel vessels video visit visits volume volumes warped
"""
_ORDINARY = frozenset(_ORDINARY_WORDS.split())
_PATH = re.compile(r"""(?<![\w.])(?:[A-Za-z]:[\\/]|\\\\|~?/)(?:<name>|[^\s"'<>|:;,)])+""")
_FILE = re.compile(
    r"""[^\s"'/\\()]+\.(?:png|jpe?g|tiff?|bmp|nrrd|nhdr|mha|mhd|nii(?:\.gz)?|dcm|csv|fcsv|json|pt|toml|mr[bm]l?)\b""",
    re.I,
)


class ReportSection:
    """Controls the button.

    Parameters
    ----------
    ui : namespace of widgets
    state : PanelState
    """

    def __init__(self, ui, state: PanelState) -> None:
        self.ui, self._state = ui, state
        ui.copyReportButton.connect("clicked(bool)", lambda checked: self.copy())
        say(ui.reportLabel, "")

    def copy(self) -> None:
        """Put the report on the clipboard."""
        import qt

        qt.QApplication.clipboard().setText(self.text())
        say(self.ui.reportLabel, _("Copied. The report has no names and no paths. Read it before you post it."))

    def text(self) -> str:
        """The report."""
        said = [f"{name.removesuffix('Label')}: {getattr(self.ui, name).text}" for name in _LABELS]
        parts = {
            "Versions": _versions(),
            "Settings": self._settings(),
            "Images": self._images(),
            "Messages of the panel": [line for line in said if not line.endswith(": ")],
            "Log of the last run": self._state.log.splitlines()[-_LINES:],
        }
        names = self._names()
        lines = [f"MetaRegistration {__version__}"]
        for title, content in parts.items():
            lines += ["", f"{title}:", *(f"  {without_names(line, names)}" for line in content or ["nothing"])]
        return "\n".join(lines) + "\n"

    def _settings(self) -> list[str]:
        state, shipped = self._state, {path.name for path in shipped_checkpoints()}
        checkpoint = state.checkpoint
        own = checkpoint is None or checkpoint.name not in shipped
        values = {
            "stages": state.stages.to_dict(),
            "checkpoint": "adapted" if own else checkpoint.stem,
            "device": state.device,
            "epochs": state.parameters.epochs,
            "pixel sizes": PixelSizes.given_in(self.ui).to_dict(),
            "pairs": None if state.folder is None else f"{len(state.folder.pairs)}, {state.folder.layout}",
        }
        return [f"{name}: {value}" for name, value in values.items()]

    def _images(self) -> list[str]:
        lines = []
        for name in _VOLUMES:
            node = getattr(self._state.parameters, name)
            image = node.GetImageData() if node is not None and hasattr(node, "GetImageData") else None
            if image is not None:
                spacing = " x ".join(f"{step:.5g}" for step in node.GetSpacing())
                lines.append(f"{name}: {image.GetDimensions()}, {image.GetScalarTypeAsString()}, {spacing} mm")
        return lines

    def _names(self) -> set[str]:
        nodes = [getattr(self._state.parameters, name) for name in _NODES]
        names = {node.GetName() for node in nodes if node is not None}
        folder = self._state.folder
        if folder is not None:
            names |= {folder.root.name, *(pair.name for pair in folder.pairs)}
            names |= {Path(path).stem for pair in folder.pairs for path in (pair.moving, pair.fixed)}
        names |= {self.ui.adaptedNameLineEdit.text, Path.home().name, *self._state.names}
        return {name for name in names if name and len(name) > 2}


def without_names(text: str, names: Iterable[str]) -> str:
    """`text` with every path, file and known name replaced by a general word.

    A name that consists of ordinary words, such as a folder called pairs, says nothing of a patient, and stays: the report itself
    needs these words.
    """
    for name in sorted(names, key=len, reverse=True):  # the longer first: one may be a part of another
        if not is_ordinary(name):
            text = re.sub(rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])", "<name>", text)
    return _FILE.sub("<file>", _PATH.sub("<path>", text))


def is_ordinary(name: str) -> bool:
    """Whether a name consists of words of the trade alone, without a number."""
    words = re.findall(r"[^\W_]+", name)
    return bool(words) and all(word.lower() in _ORDINARY for word in words)


def _versions() -> list[str]:
    lines = [f"Python {platform.python_version()} on {platform.system()} {platform.release()} {platform.machine()}"]
    try:
        import slicer

        lines.append(f"Slicer {slicer.app.majorVersion}.{slicer.app.minorVersion}, revision {slicer.app.revision}")
    except (ImportError, AttributeError):
        lines.append("Slicer: version unknown")
    for package in _PACKAGES:  # by their records: importing torch takes seconds
        try:
            lines.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{package}: not installed")
    return lines

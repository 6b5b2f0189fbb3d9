"""Stand-in for Slicer's Sample Data module: its registry, its panel with a box for each category, and its cache of downloads.

Only files of this machine are downloaded. A file that the cache holds with the right checksum is not downloaded again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import slicer
from PySide6 import QtWidgets


class SampleDataSource:
    """One data set; the arguments that are lists in Slicer are lists here."""

    def __init__(self, **values: Any) -> None:
        uris = values["uris"]
        count = len(uris) if isinstance(uris, list) else 1
        for name in ("uris", "fileNames", "nodeNames", "checksums", "loadFiles", "loadFileTypes"):
            value = values[name]
            values[name] = value if isinstance(value, list) else [value] * count
        self.__dict__.update(values, sampleDescription=values["sampleName"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SampleDataSource) and vars(self) == vars(other)

    __hash__ = None


class SampleDataLogic:
    """What modules register, and what a click loads."""

    @staticmethod
    def registerCustomSampleDataCategory(category, title):
        """Give a category a title."""
        _categories()[category] = {"title": title}

    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties={},  # noqa: B006
        checksums=None,
        loadFileType=None,
    ):
        """Register a data set, once."""
        if loadFileType is not None and loadFileTypes is not None:
            raise ValueError("loadFileType and loadFileTypes cannot be specified at the same time")
        values = {name: value for name, value in locals().items() if name not in ("category", "loadFileType")}
        source = SampleDataSource(**{**values, "loadFileTypes": loadFileTypes or loadFileType})
        known = _sources().setdefault(category, [])
        if source not in known:
            known.append(source)

    @staticmethod
    def categoryTitle(category):
        """The title of a category, or its name."""
        return _categories().get(category, {}).get("title", category)

    @staticmethod
    def sampleDataSourcesByCategory(category=None):
        """The data sets of a category, or all by category."""
        return _sources() if category is None else _sources().get(category, [])

    def downloadFileIntoCache(self, uri, name, checksum=None, forceDownload=False):
        """The path of a file in the cache, where it is put unless it is there.

        Raises
        ------
        ValueError
            It cannot be downloaded.
        """
        folder = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
        path = folder / name
        if forceDownload or not path.exists() or not _matches(path, checksum):
            parsed = urlparse(uri)
            if parsed.scheme != "file":
                raise ValueError(f"Failed to download {uri} to {path}")
            path.write_bytes(Path(url2pathname(parsed.path)).read_bytes())
        return str(path)

    def downloadSamples(self, sampleName):
        """Load a data set as a click on its button does."""
        for sources in _sources().values():
            for source in sources:
                if source.sampleName == sampleName:
                    return _load(source)
        raise ValueError(f"no sample data set {sampleName!r}")


def panel() -> QtWidgets.QWidget:
    """The panel of the module: a box with its title for each category, a button for each data set."""
    found = QtWidgets.QWidget()
    column = QtWidgets.QVBoxLayout(found)
    for category, sources in sorted(_sources().items()):
        box = QtWidgets.QGroupBox(SampleDataLogic.categoryTitle(category))
        box.setObjectName(f"{category}CollapsibleGroupBox")
        rows = QtWidgets.QVBoxLayout(box)
        for source in sources:
            button = QtWidgets.QToolButton()
            button.setText(source.sampleDescription)
            button.setObjectName(f"{source.sampleName}PushButton")
            button.clicked.connect(lambda checked=False, source=source: _load(source))
            rows.addWidget(button)
        column.addWidget(box)
    return found


def clear() -> None:
    """Forget all."""
    for name in ("sampleDataSources", "sampleDataSourceCategories"):
        if hasattr(slicer.modules, name):
            delattr(slicer.modules, name)


def _load(source: SampleDataSource) -> list:
    if not callable(source.customDownloader):
        raise TypeError(f"{source.sampleName}: the rig loads only data sets with a customDownloader")
    return source.customDownloader(source)


def _matches(path: Path, checksum: str | None) -> bool:
    if not checksum:
        return True
    kind, _, digest = checksum.partition(":")
    return hashlib.new(kind.lower(), path.read_bytes()).hexdigest() == digest


def _sources() -> dict[str, list[SampleDataSource]]:
    return _of_modules("sampleDataSources")


def _categories() -> dict[str, dict[str, str]]:
    return _of_modules("sampleDataSourceCategories")


def _of_modules(name: str) -> dict:
    if not hasattr(slicer.modules, name):
        setattr(slicer.modules, name, {})
    return getattr(slicer.modules, name)

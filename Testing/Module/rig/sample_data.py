"""Stand-in for Slicer's Sample Data module: keeps what was registered, downloads nothing."""

from __future__ import annotations

from typing import Any

categories: dict[str, str] = {}
sources: list[dict[str, Any]] = []


class SampleDataLogic:
    """Registration of sample data sets, with the arguments that Slicer's own takes."""

    @staticmethod
    def registerCustomSampleDataCategory(category, title):
        """Give a category a title."""
        categories[category] = title

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
        loadFileProperties=None,
        checksums=None,
        loadFileType=None,
    ):
        """Register a data set."""
        if loadFileType is not None and loadFileTypes is not None:
            raise ValueError("loadFileType and loadFileTypes cannot be given together")
        sources.append({name: value for name, value in locals().items() if value is not None})


def clear() -> None:
    """Forget all."""
    categories.clear()
    sources.clear()

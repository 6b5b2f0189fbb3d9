"""What is offered to Slicer's Sample Data module: shipped phantoms and real pairs with their checksums."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from mrml_scene import mrml_scene  # noqa: E402

from MetaRegistrationLib.core.geometry import Geometry  # noqa: E402
from MetaRegistrationLib.formats.landmarks import read_landmark_pairs  # noqa: E402

_REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Sources registered with a stand-in that takes the arguments which Slicer's SampleDataLogic takes."""
    registered = []

    class SampleDataLogic:
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
        ):
            registered.append(SimpleNamespace(**locals()))

    module = ModuleType("SampleData")
    module.SampleDataLogic = SampleDataLogic
    monkeypatch.setitem(sys.modules, "SampleData", module)
    with mrml_scene(tmp_path) as rig:
        from MetaRegistrationLib.mrml.samples import register_sample_data

        chosen = []
        assert register_sample_data(tmp_path / "icon.png", chosen.append)
        yield SimpleNamespace(all=registered, rig=rig, chosen=chosen)


def _phantoms(sources):
    return [source for source in sources.all if len(source.uris) == 3]


def _real(sources):
    return [source for source in sources.all if len(source.uris) == 2]


def test_every_shipped_phantom_pair_is_offered(sources):
    phantoms = _phantoms(sources)
    images = sorted((_REPOSITORY / "Resources" / "SamplePairs" / "moving").glob("*.png"))
    assert [source.sampleName for source in phantoms] == [path.stem for path in images]
    for source in phantoms:
        assert len(source.uris) == len(source.fileNames) == len(source.nodeNames) == 3
        assert all(Path(url2pathname(urlparse(uri).path)).is_file() for uri in source.uris)
        assert Path(source.thumbnailFileName).is_file()


def test_a_phantom_pair_is_loaded_with_its_landmarks(sources):
    from MetaRegistrationLib.mrml.layouts import PAIR_AND_OVERLAY_LAYOUT
    from MetaRegistrationLib.mrml.markups import landmarks_from_node
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    source = _phantoms(sources)[1]
    moving, fixed, moving_points, fixed_points = source.customDownloader(source)
    size = image_from_volume(moving).geometry.size
    assert size == image_from_volume(fixed).geometry.size
    table = url2pathname(urlparse(source.uris[2]).path)
    for node, expected in zip((moving_points, fixed_points), read_landmark_pairs(table), strict=True):
        found = landmarks_from_node(node, Geometry(size))
        assert found.labels == expected.labels
        np.testing.assert_allclose(found.points, expected.points, atol=1e-9)
    assert moving_points.GetName() == f"{source.sampleName} moving points"
    assert sources.rig.layouts == [PAIR_AND_OVERLAY_LAYOUT] and sources.chosen == [
        (moving, fixed, moving_points, fixed_points)
    ]


def test_real_pairs_are_pinned_and_checked(sources):
    real = _real(sources)
    assert len(real) == 3
    for source in real:
        assert len(source.uris) == len(source.fileNames) == len(source.nodeNames) == len(source.checksums) == 2
        assert all(re.fullmatch(r"SHA256:[0-9a-f]{64}", checksum) for checksum in source.checksums)
        assert all("/53e87f8c9b9392c1dcababea07e986f111f4017c/dataset/ROSSA/train_sam/" in uri for uri in source.uris)
        assert source.category == _phantoms(sources)[0].category == "Meta-Registration", "as the module is called"
    assert len({checksum for source in real for checksum in source.checksums}) == 6


def test_checksums_are_those_of_the_images(sources):
    root = Path(os.environ.get("META_REGISTRATION_DATA") or _REPOSITORY.parent / "shared" / "data")
    folder = root / "octa_scp_repeat_visits"
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not here ({root}); set META_REGISTRATION_DATA to their folder")
    listed = (folder / "pairs.csv").read_text(encoding="utf-8")
    for source in _real(sources):
        names = [f"images/{name}" for name in source.fileNames]
        assert re.search(rf"^{','.join(names)},.*,good,", listed, re.MULTILINE)
        for uri, name, checksum in zip(source.uris, names, source.checksums, strict=True):
            assert f"SHA256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}" == checksum
            number = int(re.search(r"(\d+)\.png", uri).group(1))
            assert name == f"images/rossa_{number:04d}.png" and 301 <= number <= 918


def test_without_the_sample_data_module_nothing_is_offered(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "SampleData", None)
    with mrml_scene(tmp_path):
        from MetaRegistrationLib.mrml.samples import register_sample_data

        assert register_sample_data() is False

"""Fine-tuning, folders and visits from Python."""

from __future__ import annotations

import datetime
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from api_images import known, textures
from known_networks import NETWORK_ALONE, save_known, write_grey_png, write_points
from scipy import ndimage
from torch import nn

import MetaRegistrationLib as mr
from MetaRegistrationLib import progress
from MetaRegistrationLib.networks import VoxelMorph
from MetaRegistrationLib.progress import Message
from MetaRegistrationLib.resources import sample_visits


class Small(nn.Module):
    """A network that learns quickly, with a size that its checkpoint does not tell."""

    def __init__(self, width: int = 3):
        super().__init__()
        self.layer = nn.Conv2d(2, 2, width, padding=width // 2)

    def forward(self, moving, fixed):
        return self.layer(torch.cat((moving, fixed), dim=1))


def small_checkpoint(network):
    checkpoint = mr.Checkpoint.of_module(network)
    checkpoint.preprocessing["size"] = 64
    return checkpoint


def pairs_in_memory():
    rng = np.random.default_rng(0)
    fixed = [textures((64, 64))[0] + rng.normal(0, 1, (64, 64)) for _ in range(3)]
    return [(np.roll(image, 1, axis=0), image) for image in fixed]


def test_fine_tuning_on_arrays_gives_a_checkpoint_that_registers():
    torch.manual_seed(0)
    network = Small()
    before = [parameter.clone() for parameter in network.parameters()]
    events = []
    adapted = mr.finetune(
        pairs_in_memory(),
        checkpoint=small_checkpoint(network),
        network=network,
        epochs=2,
        initial="none",
        plain=True,
        progress=events.append,
    )
    assert adapted.path is None
    assert adapted.history[-1]["stage"] == "finetune"
    assert any(not torch.equal(a, b) for a, b in zip(before, adapted.build().parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)), "the given one stays"
    kinds = {type(event) for event in events}
    assert {progress.Started, progress.Epoch, progress.Finished} <= kinds
    assert [event.epoch for event in events if isinstance(event, progress.Epoch)][-2:] == [1, 2]
    result = mr.register(*pairs_in_memory()[0], checkpoint=adapted, stages=NETWORK_ALONE)
    assert np.isfinite(result.displacement_px).all()


def test_fine_tuning_does_the_same_on_arrays_images_and_paths(tmp_path):
    torch.manual_seed(0)
    network = Small()
    whole = [tuple(np.round(np.clip(image, 0, 255)) for image in pair) for pair in pairs_in_memory()]
    files = []
    for number, pair in enumerate(whole):
        files.append(tuple(tmp_path / f"{role}_{number}.png" for role in ("moving", "fixed")))
        for path, image in zip(files[-1], pair, strict=True):
            write_grey_png(path, image)
    images = [tuple(mr.read_image(path) for path in pair) for pair in files]
    weights = []
    for pairs in (whole, files, images):
        options = {"checkpoint": small_checkpoint(network), "network": network, "epochs": 1, "initial": "none"}
        adapted = mr.finetune(pairs, plain=True, seed=3, **options)
        weights.append(torch.cat([parameter.ravel() for parameter in adapted.build().parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[0], weights[2])


def test_the_run_stays_in_its_folder_and_goes_on(tmp_path):
    torch.manual_seed(0)
    network = Small(5)
    options = {"checkpoint": small_checkpoint(network), "network": network, "initial": "none", "plain": True}
    adapted = mr.finetune(pairs_in_memory(), epochs=1, output=tmp_path / "run", **options)
    assert adapted.path == tmp_path / "run" / "best.pt"
    with pytest.raises(mr.InputError, match="another pixel size or slice to read of pair_001"):
        mr.finetune(pairs_in_memory(), epochs=2, output=tmp_path / "run", resume=True, spacing=0.01, **options)
    again = mr.finetune(pairs_in_memory(), epochs=2, output=tmp_path / "run", resume=True, **options)
    assert again.history[-1]["step"] == 6
    loaded = mr.register(*pairs_in_memory()[0], checkpoint=again.path, network=Small(5), stages=NETWORK_ALONE)
    assert np.isfinite(loaded.displacement_px).all()
    with pytest.raises(mr.InputError, match="do not fit"):  # the class alone does not tell the width
        mr.register(*pairs_in_memory()[0], checkpoint=again.path, stages=NETWORK_ALONE)


def test_fine_tuning_takes_a_folder(tmp_path):
    for number, pair in enumerate(pairs_in_memory()):
        for role, image in zip(("moving", "fixed"), pair, strict=True):
            write_grey_png(tmp_path / "pairs" / role / f"eye_{number}.png", image)
    checkpoint = small_checkpoint(Small())
    adapted = mr.finetune(tmp_path / "pairs", epochs=1, initial="none", plain=True, checkpoint=checkpoint)
    assert adapted.history[-1]["tasks"][0]["pairs"] == ["eye_0", "eye_1", "eye_2"]


@pytest.mark.parametrize(
    ("pairs", "options", "words"),
    [
        ([], {}, "at least one pair"),
        ([3], {}, r"pairs\[0\]: expected \(moving, fixed\), got int"),
        ([(np.zeros((64, 64)), textures((64, 64))[0])], {}, r"pairs\[0\] \(moving\).*value 0"),
        (pairs_in_memory(), {"epochs": 0}, "epochs.*at least 1, got 0"),
        (pairs_in_memory(), {"initial": "landmarks"}, "initial"),
        (pairs_in_memory(), {"resume": True}, "resume: expected `output`"),
        (pairs_in_memory(), {"network": nn.Identity(), "plain": True}, "parameters"),
    ],
)
def test_fine_tuning_refuses_what_cannot_be_used(pairs, options, words):
    with pytest.raises(mr.InputError, match=words):
        mr.finetune(pairs, **options)


def test_random_numbers_of_torch_go_on_as_they_were(folder, tmp_path):
    network = {"checkpoint": "voxelmorph_meta"}
    calls = (
        lambda: mr.finetune(pairs_in_memory()[:1], epochs=1, initial="none", plain=True, **network),
        lambda: mr.register_folder(folder, tmp_path / "out", stages=NETWORK_ALONE, jobs=1, **network),
        lambda: mr.evaluate(folder, stages=NETWORK_ALONE, jobs=1, **network),
    )
    for call in calls:
        torch.manual_seed(3)
        expected = torch.get_rng_state()
        call()
        assert torch.equal(torch.get_rng_state(), expected)


@pytest.fixture
def folder(tmp_path):
    """Two pairs; the landmarks of the first are 2 rows apart."""
    moving, fixed = textures((64, 64))
    for name in ("a", "b"):
        write_grey_png(tmp_path / "pairs" / "moving" / f"{name}.png", moving)
        write_grey_png(tmp_path / "pairs" / "fixed" / f"{name}.png", fixed)
    points = np.array([[20.0, 20.0], [30.0, 40.0]])
    write_points(tmp_path / "pairs" / "moving" / "a.csv", points)
    write_points(tmp_path / "pairs" / "fixed" / "a.csv", points - [0.0, 2.0])
    return tmp_path / "pairs"


def test_a_folder_is_registered_into_another(folder, tmp_path):
    checkpoint = save_known(tmp_path / "net.pt", "Translation", size=64, row=2.0, column=0.0)
    events = []
    outcome = mr.register_folder(
        folder, tmp_path / "out", checkpoint=checkpoint, stages=NETWORK_ALONE, progress=events.append
    )
    assert [row.pair for row in outcome.rows] == ["a", "b"]
    assert (tmp_path / "out" / "b" / "warped.nrrd").is_file()
    assert (tmp_path / "out" / "metrics.csv").is_file()
    assert outcome.left_out == []
    items = [event for event in events if isinstance(event, progress.Item)]
    assert [(item.index, item.total, item.name) for item in items] == [(1, 2, "a"), (2, 2, "b")]


def test_a_folder_is_measured_and_nothing_written_unless_asked(folder, tmp_path):
    checkpoint = save_known(tmp_path / "net.pt", "Translation", size=64, row=2.0, column=0.0)
    before = sorted(tmp_path.rglob("*"))
    outcome = mr.evaluate(folder, checkpoint=checkpoint, stages=NETWORK_ALONE)
    assert sorted(tmp_path.rglob("*")) == before
    assert outcome.summary["distance_before_px"]["mean"] == pytest.approx(2, abs=1e-3)
    assert outcome.summary["distance_after_px"]["mean"] == pytest.approx(0, abs=1e-3)
    assert outcome.summary["pairs_with_landmarks"] == 1
    with_tables = mr.evaluate(folder, tmp_path / "tables", checkpoint=checkpoint, stages=NETWORK_ALONE)
    assert (tmp_path / "tables" / "metrics.csv").is_file()
    assert with_tables.summary["distance_after_px"] == pytest.approx(outcome.summary["distance_after_px"])


def test_visits_are_aligned_named_dated_averaged_and_saved(tmp_path):
    files = sorted(sample_visits().glob("*.png"))
    dates = [datetime.date(2021, 1, 1), "2022-02-02", None]
    visits = mr.align_visits(files, dates=dates, reference="visit_2", stages=mr.Stages(refine=0))
    assert visits.names == ["visit_1", "visit_2", "visit_3"]
    assert visits.dates == ["2021-01-01", "2022-02-02", ""]
    assert visits.reference == "visit_2"
    assert visits.aligned == [True] * 3
    assert visits.inconsistent == []
    both = np.isfinite(visits.warped(0)) & np.isfinite(visits.warped("visit_2"))
    before = [mr.read_image(path).array for path in files[:2]]
    after = np.corrcoef(visits.warped(0)[both], visits.warped(1)[both])[0, 1]
    assert after > np.corrcoef(before[0].ravel(), before[1].ravel())[0, 1] + 0.2
    assert visits.average.image.shape == visits.warped(1).shape
    folder = visits.save(tmp_path / "eye 1")
    assert {"report.html", "visits.csv", "average.nrrd", "series.json"} <= {path.name for path in folder.iterdir()}


def test_what_has_to_be_checked_of_visits_reaches_the_progress():
    first = mr.read_image(sorted(sample_visits().glob("*.png"))[0]).array
    larger = ndimage.zoom(first, 1.15, order=1)
    told = []
    stages = mr.Stages("affine", network=False, refine=0)
    mr.align_visits([first, larger], spacing=0.02, stages=stages, reference="visit_1", progress=told.append)
    mr.align_visits([first, first + 1], stages=mr.Stages("none", False, 0), axial_length=28.0, progress=told.append)
    texts = [event.text for event in told if isinstance(event, Message) and event.level == "warning"]
    assert any("contradicts the pixel sizes" in text for text in texts), texts
    assert any("axial length changes nothing" in text for text in texts), texts


def test_changes_go_forward_in_time_whatever_the_order_of_the_images(tmp_path):
    files = sorted(sample_visits().glob("*.png"))[:2]
    stages = mr.Stages("translation", network=False, refine=0)
    found = {}
    for order in ((0, 1), (1, 0)):
        visits = mr.align_visits(
            [files[number] for number in order],
            dates=[("2021-03-04", "2023-03-04")[number] for number in order],
            reference="visit_1",
            spacing=0.01875,
            stages=stages,
        )
        found[order] = {(row["earlier"], row["later"], row["measure"], row["region"]): row for row in visits.changes}
    assert {key[:2] for key in found[1, 0]} == {("visit_1", "visit_2")}
    for key, row in found[0, 1].items():
        assert found[1, 0][key]["difference"] == pytest.approx(row["difference"], nan_ok=True)


def test_the_user_gives_the_centre_and_the_side():
    files = sorted(sample_visits().glob("*.png"))[:2]
    plain = {"spacing": 0.01875, "stages": mr.Stages("translation", network=False, refine=0)}
    found = mr.align_visits(files, centre=[150, 170.5], side="OD", **plain)
    assert found.centre == found.measured.grid.centre_xy == (150, 170.5)
    regions = {row["region"] for row in found.measurements}
    assert "inner_nasal" in regions and "inner_right" not in regions
    found = mr.align_visits(files, **plain)
    assert found.centre == found.series.fovea.centre_xy and found.series.side == ""


@pytest.mark.parametrize(
    ("count", "options", "words"),
    [
        (1, {}, "at least two visits, got 1"),
        (2, {"dates": ["2021"]}, "dates: expected one for each of 2 images, got 1"),
        (2, {"dates": [3, 4]}, "dates: expected text or a date, got 3"),
        (2, {"names": ["a", "A"]}, "'a' twice"),
        (2, {"names": ["a", "../b"]}, "names"),
        (2, {"names": ["a", "Average"]}, "names: 'Average' is the name of a result"),
        (2, {"reference": "c"}, "'c'"),
        (2, {"stages": mr.Stages("landmarks")}, "landmarks"),
        (2, {"centre": (5000, 10)}, "centre on visit_1: .* outside its image"),
        (2, {"centre": (float("nan"), 10)}, "finite"),
        (2, {"centre": 7}, "centre: expected two numbers"),
        (2, {"side": "up"}, "side: the side of an eye is OD"),
    ],
)
def test_visits_that_cannot_be_aligned_are_refused(count, options, words):
    with pytest.raises(mr.InputError, match=words):
        mr.align_visits(list(textures())[:count], **options)


@pytest.mark.parametrize("folder", [str, Path])
def test_visits_are_not_taken_from_a_folder(folder, tmp_path):
    with pytest.raises(mr.InputError, match=r"images: expected a list of images, got .*glob\("):
        mr.align_visits(folder(tmp_path))


def test_a_network_is_accepted_wherever_a_checkpoint_is():
    for function in (mr.register, mr.finetune, mr.register_folder, mr.evaluate, mr.align_visits):
        assert {"checkpoint", "network", "device"} <= set(inspect.signature(function).parameters), function
    network = VoxelMorph()
    assert known(*textures(), network).record["network"]["name"] == "voxelmorph"

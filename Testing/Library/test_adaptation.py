"""Tests of what fine-tuning adds to Eq. (1): simulated repeats of the user's own images, and the running mean of the weights."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import training_helpers
from scipy.ndimage import gaussian_filter
from training_helpers import (
    PREPROCESSING,
    STEP,
    equal_weights,
    five_pairs,
    make_run,
    texture,
    tiny_network,
    write_pairs,
)

from MetaRegistrationLib.checkpoints import Checkpoint, cpu_weights, load_checkpoint, save_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.core.spatial import warp
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.progress import Message
from MetaRegistrationLib.simulation import simulate_repeat
from MetaRegistrationLib.simulation.fundus import draw_eye, render
from MetaRegistrationLib.tasks import PairTask, TaskPair, augmented, repeat_settings
from MetaRegistrationLib.tasks.simulated import Eye
from MetaRegistrationLib.training import pair_kinds
from MetaRegistrationLib.training.adaptation import GUIDED, PLAIN, guided
from MetaRegistrationLib.training.finetune import FineTuning
from MetaRegistrationLib.training.pair_kinds import PairKind, kind_of_pairs

CLEAN = replace(training_helpers.CLEAN, displacement_px=3.0, displacement_spread_px=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"), 3)


@pytest.fixture(params=[2**30, 0], ids=["kept", "read again"])
def task(folder, request):
    return PairTask("pairs", find_pairs(folder).pairs, [], PREPROCESSING, memory=request.param, simulation=CLEAN)


def test_the_displacement_of_a_repeat_is_exact(task):
    for index in range(3):
        pair = task.repeat(index, np.random.default_rng(index))
        moving, fixed, truth = (
            torch.from_numpy(array)[None] for array in (pair.moving[None], pair.fixed[None], pair.displacement_px)
        )
        inner = (..., slice(12, -12), slice(12, -12))
        before = (moving - fixed)[inner].abs().mean()
        after = (warp(moving, truth) - fixed)[inner].abs().mean()
        assert truth.square().sum(1).sqrt().mean() > 1
        assert after < 0.15 * before


def test_a_repeat_is_of_either_image_and_follows_its_random_numbers(task):
    first, again, other = (task.repeat(0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.moving, again.moving) and np.array_equal(first.displacement_px, again.displacement_px)
    assert not np.array_equal(first.moving, other.moving)


BLOCK = (slice(20, 36), slice(24, 44))


def eye_with(value):
    """An image, a block of it replaced by a value, and the same image as it was."""
    whole = 0.1 + texture(0)
    image = whole.copy()
    image[BLOCK] = value
    return image, whole


def holes(pair, whole):
    """Pixels of the two visits, bool, that are no tissue in a pair and are tissue in a pair of the whole image."""
    images = ((pair.moving, whole.moving), (pair.fixed, whole.fixed))
    return [(seen == 0) & (as_it_was > 0.05) for seen, as_it_was in images]


@pytest.mark.parametrize("value", [np.nan, np.inf, -9999.0, -3.4e38])
def test_unknown_pixels_are_no_tissue_in_both_visits(value):
    image, whole = (
        Eye.of(array).pair(PREPROCESSING, CLEAN, np.random.default_rng(1)) for array in eye_with(np.float32(value))
    )
    moving, fixed = holes(image, whole)
    area = (16 * 20) / (1 - 2 * CLEAN.margin) ** 2
    assert moving.sum() == pytest.approx(area, rel=0.25) and fixed.sum() == pytest.approx(area, rel=0.25)
    moved = warp(torch.from_numpy(moving[None, None].astype(np.float32)), torch.from_numpy(image.displacement_px)[None])
    moved = moved.numpy()[0, 0] > 0.5
    assert (moved & fixed).sum() > 0.8 * (moved | fixed).sum()
    known = (image.moving > 0) & (whole.moving > 0)
    assert np.corrcoef(image.moving[known], whole.moving[known])[0, 1] > 0.99


def test_a_users_mask_is_the_tissue_of_both_visits_where_the_preprocessing_uses_masks(tmp_path):
    folder = write_pairs(tmp_path / "pairs", 1)
    mask = np.ones((64, 64), dtype=bool)
    mask[BLOCK] = False
    training_helpers.write_png(folder / "mask.png", mask)
    table = "moving,fixed,moving_mask,fixed_mask\nmoving/p00.png,fixed/p00.png,mask.png,mask.png\n"
    files = [find_pairs(folder).pairs]
    (folder / "pairs.csv").write_text(table, encoding="utf-8")
    files.append(find_pairs(folder).pairs)

    def repeats(preprocessing):
        return [
            PairTask("t", found, [], preprocessing, simulation=CLEAN).repeat(0, np.random.default_rng(1))
            for found in files
        ]

    whole, masked = repeats(PREPROCESSING)
    area = (16 * 20) / (1 - 2 * CLEAN.margin) ** 2
    assert all(part.sum() == pytest.approx(area, rel=0.25) for part in holes(masked, whole))
    assert training_helpers.same(*repeats(replace(PREPROCESSING, field_of_view=False)))


def test_an_image_without_unknown_pixels_is_drawn_as_it_is():
    image = 40 * texture(3) - 5
    pair = Eye.of(image).pair(PREPROCESSING, CLEAN, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    visit = simulate_repeat(image, settings=CLEAN, rng=rng, landmarks=False, size=64)
    drawn = TaskPair(*map(PREPROCESSING.apply, (visit.fixed, visit.moving)), displacement_px=visit.deformation_px)
    assert training_helpers.same(pair, augmented(drawn, rng))


def test_repeats_are_as_far_apart_as_an_alignment_leaves_pairs():
    assert repeat_settings("none").displacement_px > repeat_settings("affine").displacement_px > 0


class Recording:
    """A task that remembers what was asked of it."""

    initial, simulation = "none", CLEAN

    def __init__(self):
        self.asked, self._pairs = [], five_pairs()

    def __len__(self):
        return 5

    def pair(self, index):
        self.asked.append(("pair", index))
        return self._pairs.pair(index)

    def repeat(self, index, rng):
        self.asked.append(("repeat", index))
        return self._pairs.pair(index)


@pytest.mark.parametrize(("simulated", "least", "most"), [(0.0, 0, 0), (0.5, 30, 70), (1.0, 100, 100)])
def test_the_share_of_repeats_and_each_pair_once_an_epoch(simulated, least, most):
    class NoStep:
        def __call__(self, *arguments):
            return None

        device = STEP.device

    task = Recording()
    trainer = FineTuning(tiny_network(), task, NoStep(), epochs=20, simulated=simulated)
    for step in range(100):
        trainer.advance(step)
    assert least <= sum(kind == "repeat" for kind, _ in task.asked) <= most
    for epoch in range(20):
        assert sorted(index for _, index in task.asked[5 * epoch : 5 * epoch + 5]) == [0, 1, 2, 3, 4]


def test_the_result_is_the_running_mean_of_the_trained_weights():
    plain = FineTuning(tiny_network(), five_pairs(), STEP, learning_rate=1e-2)
    averaged = FineTuning(tiny_network(), five_pairs(), STEP, learning_rate=1e-2, averaging=0.3)
    mean = cpu_weights(plain.network)
    for step in range(6):
        plain.advance(step)
        averaged.advance(step)
        decay = min(0.3, (1 + step) / (10 + step))
        mean = {name: decay * value + (1 - decay) * plain.network.state_dict()[name] for name, value in mean.items()}
    result = cpu_weights(averaged.network)
    assert all(torch.allclose(result[name], mean[name], atol=1e-6) for name in mean)
    assert not equal_weights(result, cpu_weights(plain.network))


def test_a_running_mean_goes_on_exactly_after_a_stop(task, tmp_path):
    def make():
        settings = {"learning_rate": 1e-2, "averaging": 0.9, "simulated": 0.5, "epochs": 3}
        return FineTuning(tiny_network(), task, STEP, **settings)

    whole = make()
    for step in range(4):
        whole.advance(step)
    weights, state = cpu_weights(whole.network), copy.deepcopy(whole.state())
    torch.save(state, tmp_path / "state.pt")
    resumed = make()
    resumed.network.load_state_dict(weights)
    resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    for trainer in (whole, resumed):
        for step in range(4, 9):
            trainer.advance(step)
    assert equal_weights(cpu_weights(whole.network), cpu_weights(resumed.network))


def test_drawing_ahead_changes_no_weight(task):
    trainers = [
        FineTuning(tiny_network(), task, STEP, learning_rate=1e-2, simulated=0.5, epochs=3, threads=threads)
        for threads in (0, 3)
    ]
    for trainer in trainers:
        for step in range(trainer.total_steps):
            trainer.advance(step)
    assert equal_weights(*(cpu_weights(trainer.network) for trainer in trainers))


def test_integer_buffers_are_copied_to_the_mean():
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(2), torch.nn.Conv2d(2, 2, 1))

    class Step:
        device = STEP.device

        def __call__(self, network, optimiser, moving, fixed, truth_px=None):
            network(torch.cat([moving, fixed], 1)).square().mean().backward()
            optimiser.step()

    trainer = FineTuning(network, five_pairs(), Step(), averaging=0.5)
    trainer.advance(0)
    assert int(trainer.network[0].num_batches_tracked) == 1


def test_the_plain_recipe_is_the_papers():
    assert (PLAIN.learning_rate, PLAIN.smoothness, PLAIN.scales) == (1e-4, 1.0, 1)
    assert not (PLAIN.simulated or PLAIN.supervision or PLAIN.averaging or PLAIN.clip)
    assert GUIDED.simulated and GUIDED.supervision and GUIDED.averaging


def test_the_coarse_to_fine_network_has_a_smoothness_of_its_own():
    assert guided("coarse_to_fine").smoothness > guided("voxelmorph").smoothness == GUIDED.smoothness


@pytest.mark.parametrize(("smooth", "smoothness"), [(True, guided("coarse_to_fine").smoothness), (False, 1.0)])
def test_pairs_that_are_not_like_octa_get_no_noise_of_it(smooth, smoothness):
    recipe = guided("coarse_to_fine", octa=False, smooth=smooth)
    assert recipe.smoothness == smoothness and recipe.simulated == 0


class Still(torch.nn.Module):
    """A network that finds `length` px everywhere, or nothing."""

    def __init__(self, length=0.0):
        super().__init__()
        self.length = torch.nn.Parameter(torch.tensor(length))

    def forward(self, moving, fixed):
        return self.length * torch.ones(len(moving), 2, *moving.shape[2:])


@pytest.mark.parametrize(("blur", "octa"), [(0.0, True), (3.0, False)])
def test_grain_tells_octa_from_clean_images(blur, octa):
    image = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    pair = TaskPair(image, gaussian_filter(image, blur))
    assert kind_of_pairs(Still(), [pair], STEP.device).octa == octa


def test_grain_and_roughness_tell_the_recipe():
    octa, sections, stains = PairKind(1.2, 0.008), PairKind(0.8, 0.004), PairKind(1.2, 0.03)
    assert [(look.octa, look.smooth) for look in (octa, sections, stains)] == [
        (True, True),
        (False, True),
        (False, False),
    ]


class Ready:
    """A validator that gives ready values, one a validation."""

    def __init__(self, *values):
        self._values = iter(values)

    def __call__(self, network):
        return next(self._values)


WORSE = [
    pytest.param({"loss": -0.3, "ncc": 0.9, "error_px": 1.2}, id="the loss falls while the predicted error rises"),
    pytest.param({"loss": -0.3, "ncc": 0.9, "error_px": 0.99}, id="nothing to speak of is gained"),
    pytest.param({"loss": -0.05, "ncc": 0.9}, id="greater loss, and no prediction"),
    pytest.param({"loss": -0.3, "ncc": 0.9, "error_px": 0.5, "distance_px": 2.0}, id="landmarks farther apart"),
]


def judged(values, folder):
    """History of `best.pt` of a run of two epochs that is judged by ready values, its weights, and the warnings."""
    events, trainer = [], FineTuning(tiny_network(), five_pairs(), STEP, epochs=2, learning_rate=1e-3)
    run = make_run(trainer, folder, validator=Ready(*values), every=5, progress=events.append)
    run._settings = replace(run._settings, warn_of_start="held-out pairs")
    best = load_checkpoint(run())
    return best.history[-1], best.weights, [event.text for event in events if isinstance(event, Message)]


@pytest.mark.parametrize("later", WORSE)
def test_what_is_worse_does_not_replace_the_start(later, tmp_path):
    start = {**dict.fromkeys(later, 1.0), "loss": -0.1, "ncc": 0.8}
    entry, weights, warnings = judged([start, later, later], tmp_path / "run")
    assert equal_weights(weights, cpu_weights(tiny_network())) and entry["step"] == 0
    assert len(warnings) == 1 and "No epoch is expected to register the held-out pairs better" in warnings[0]


@pytest.mark.parametrize(("count", "judged_by"), [(2, "training"), (10, "held-out")])
def test_the_warning_of_a_kept_start_names_the_pairs_that_judged(count, judged_by, tmp_path, capsys):
    start = training_helpers.write_tiny_checkpoint(tmp_path / "start.pt")
    words = ["finetune", "--pairs", write_pairs(tmp_path / "pairs", count), "--checkpoint", start, "--initial", "none"]
    words = [*words, "--device", "cpu", "--epochs", "1", "--learning-rate", "1e-9", "--simulated", "0"]
    assert main([str(word) for word in [*words, "--output", tmp_path / "run"]]) == 0
    assert f"No epoch is expected to register the {judged_by} pairs better" in capsys.readouterr().err


def test_a_better_epoch_is_the_result_without_a_warning(tmp_path):
    errors = (1.0, 0.7, 0.8)
    values = [{"loss": -0.1 - error, "ncc": 0.8, "error_px": error} for error in errors]
    entry, _, warnings = judged(values, tmp_path / "run")
    assert entry["step"] == 5 and not warnings


@pytest.mark.parametrize(("modalities", "kept"), [(("colour", "angiogram"), True), (("octa", "octa"), False)])
def test_unlike_contrasts_keep_the_start(modalities, kept, tmp_path, capsys):
    for number in range(2):
        random = np.random.default_rng(number)
        eye = draw_eye(random, 200)
        for role, modality in zip(("moving", "fixed"), modalities, strict=True):
            image = render(eye, modality, random)
            image = np.roll(image, 2, axis=0) if role == "moving" else image
            training_helpers.write_png(tmp_path / "pairs" / f"{number}_{role}.png", image)
    start = tmp_path / "start.pt"
    network = tiny_network()
    save_checkpoint(
        start, Checkpoint(training_helpers.NETWORK, cpu_weights(network), Preprocessing(size=200).to_dict())
    )
    words = [
        "finetune",
        "--pairs",
        tmp_path / "pairs",
        "--checkpoint",
        start,
        "--output",
        tmp_path / "run",
        "--epochs",
        "1",
        "--initial",
        "translation",
    ]
    assert main([str(word) for word in [*words, "--device", "cpu"]]) == 0
    same = equal_weights(load_checkpoint(tmp_path / "run" / "best.pt").weights, cpu_weights(network))
    told = capsys.readouterr().err
    assert ("misleads where contrasts are unlike" in told) == kept and ("nothing was trained" in told) == kept
    assert not kept or same
    assert (tmp_path / "run" / "last.pt").exists() != kept


def test_unlike_contrasts_keep_the_start_whether_resumed_or_not(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pair_kinds, "kind_of_pairs", lambda *_, **__: PairKind(0.5, 0.01, -0.1))
    start, pairs = training_helpers.write_tiny_checkpoint(tmp_path / "start.pt"), write_pairs(tmp_path / "pairs", 2)
    words = ["finetune", "--pairs", pairs, "--checkpoint", start, "--device", "cpu", "--epochs", "1"]

    def run(*more):
        return main([str(word) for word in [*words, "--initial", "translation", "--output", *more]])

    for output, *resume in (("plainly",), ("run", "--resume"), ("run", "--resume")):
        assert run(tmp_path / output, *resume) == 0
        assert "nothing was trained" in capsys.readouterr().err
        assert [path.name for path in (tmp_path / output).iterdir()] == ["best.pt"]
        assert (tmp_path / output / "best.pt").read_bytes() == (tmp_path / "plainly" / "best.pt").read_bytes()
    # The user asks for a training all the same. It is the same as in a new folder, and goes on.
    assert run(tmp_path / "run", "--plain") == 2
    assert run(tmp_path / "run", "--plain", "--resume") == run(tmp_path / "new", "--plain") == 0
    training_helpers.assert_equal_runs(tmp_path / "new", tmp_path / "run")
    assert run(tmp_path / "run", "--plain", "--resume") == 0


def test_another_checkpoint_than_the_start_is_no_kept_start(tmp_path, capsys):
    start, other = (training_helpers.write_tiny_checkpoint(tmp_path / f"{seed}.pt", seed) for seed in (0, 1))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.pt").write_bytes(other.read_bytes())
    words = ["finetune", "--pairs", write_pairs(tmp_path / "pairs", 2), "--checkpoint", start, "--initial", "none"]
    assert main([str(word) for word in [*words, "--resume", "--output", tmp_path / "run"]]) == 2
    assert "nothing to resume from" in capsys.readouterr().err
    assert (tmp_path / "run" / "best.pt").read_bytes() == other.read_bytes()

"""Tests of pairs of any contrast: looks, warps, drawn scenes, and the tasks made of them."""

import numpy as np
import pytest
import torch
from training_helpers import PREPROCESSING, ROOT, SIZE, load_tasks, same, texture, write_nifti, write_png, write_set

from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.core.spatial import jacobian_determinant, warp
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.simulation.appearance import AppearanceSettings, random_appearance
from MetaRegistrationLib.simulation.fundus import MODALITIES, draw_eye, render
from MetaRegistrationLib.simulation.label_maps import random_intensities, random_label_map
from MetaRegistrationLib.simulation.warps import WarpSettings, random_warp
from MetaRegistrationLib.tasks import load_task_set
from MetaRegistrationLib.tasks.any_contrast import AnyContrast, unit_image
from MetaRegistrationLib.tasks.task_sets import tomllib

EVERY_PART = dict.fromkeys(("global_part", "elastic_part", "fine_part", "drift_part", "organ_part", "jump_part"), 1.0)
NO_JUMPS = WarpSettings(**(EVERY_PART | {"jump_part": 0.0}))
OFF = dict.fromkeys(AppearanceSettings().to_dict(), 0.0)


def rng(seed=0):
    return np.random.default_rng(seed)


def correlation(first, second):
    return np.corrcoef(first.ravel(), second.ravel())[0, 1]


def warped(moving, displacement):
    """The moving image pulled by the displacement, and where it lies inside."""
    tensor = torch.from_numpy(np.ascontiguousarray(moving, dtype=np.float32))[None, None]
    field = torch.from_numpy(displacement)[None]
    inside = warp(torch.ones_like(tensor), field)[0, 0].numpy() > 0.999
    return warp(tensor, field)[0, 0].numpy(), inside


def assert_aligned(pair, *, least=0.97):
    """`displacement_px` takes moving to fixed, and better than nothing does."""
    moved, inside = warped(pair.moving, pair.displacement_px)
    assert correlation(moved[inside], pair.fixed[inside]) > least
    assert correlation(moved[inside], pair.fixed[inside]) > correlation(pair.moving[inside], pair.fixed[inside])


# Looks


@pytest.mark.parametrize("size", [SIZE, 400])
def test_a_look_is_an_image_in_0_to_1_and_depends_on_the_generator_alone(size):
    image = texture(1, (size, size))
    before = image.copy()
    for seed in range(20):
        look = random_appearance(image, rng(seed), AppearanceSettings(border=0.5, marks=0.5, stripes=0.5))
        assert look.shape == (size, size) and look.dtype == np.float32
        assert np.isfinite(look).all() and look.min() >= 0 and look.max() <= 1
        assert np.array_equal(
            look, random_appearance(image, rng(seed), AppearanceSettings(border=0.5, marks=0.5, stripes=0.5))
        )
    assert np.array_equal(image, before)


def test_without_any_part_the_image_stays_as_it_is():
    image = texture(1)
    assert np.abs(random_appearance(image, rng(), AppearanceSettings(**OFF)) - image).max() < 2e-3


def test_inversion_swaps_bright_and_dark():
    image = texture(1)
    look = random_appearance(image, rng(), AppearanceSettings(**(OFF | {"inversion": 1.0})))
    assert np.abs(look - (1 - image)).max() < 2e-3


def test_a_rising_remap_keeps_the_order_of_grey_values_and_another_does_not():
    image = np.linspace(0, 1, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
    rising, other = OFF | {"remap": 1.0}, OFF | {"remap": 1.0, "non_monotone": 1.0}
    for seed in range(10):
        assert (np.diff(random_appearance(image, rng(seed), AppearanceSettings(**rising)).ravel()) >= 0).all()
    turns = [np.diff(random_appearance(image, rng(seed), AppearanceSettings(**other)).ravel()) for seed in range(10)]
    assert any((steps > 0).any() and (steps < 0).any() for steps in turns)


@pytest.mark.parametrize("part", ["border", "marks", "stripes"])
def test_borders_marks_and_stripes_come_when_they_are_certain(part):
    image = np.full((SIZE, SIZE), 0.5, np.float32)
    looks = [random_appearance(image, rng(seed), AppearanceSettings(**(OFF | {part: 1.0}))) for seed in range(10)]
    assert any(np.ptp(look) > 0.02 for look in looks)


# Warps


@pytest.mark.parametrize("size", [SIZE, 400])
@pytest.mark.parametrize("settings", [NO_JUMPS, WarpSettings(jump_part=0), WarpSettings(organ_part=1, jump_part=0)])
def test_warps_do_not_fold(settings, size):
    for seed in range(8):
        field = random_warp(size, rng(seed), settings)
        assert field.shape == (2, size, size) and field.dtype == np.float32
        assert float(jacobian_determinant(torch.from_numpy(field)[None]).min()) > 0.1


def test_warps_depend_on_the_generator_alone_and_differ_in_size():
    fields = [random_warp(400, rng(seed)) for seed in range(30)]
    assert np.array_equal(fields[3], random_warp(400, rng(3)))
    lengths = [float(np.hypot(*field).mean()) for field in fields]
    assert min(lengths) < 3 and 12 < max(lengths) < 80


def test_organs_slide_by_up_to_a_tenth_of_the_frame():
    parts = {**dict.fromkeys(EVERY_PART, 0.0), "organ_part": 1.0}
    largest = [float(np.hypot(*random_warp(400, rng(seed), WarpSettings(**parts))).max()) for seed in range(20)]
    assert 25 < max(largest) < 60


def test_jumps_shift_bands_of_rows_sideways_and_nothing_else():
    parts = {**dict.fromkeys(EVERY_PART, 0.0), "jump_part": 1.0}
    field = random_warp(400, rng(2), WarpSettings(**parts))
    assert not field[0].any() and field[1].any()
    assert (field[1] == field[1][:, :1]).all()


def test_without_any_part_there_is_no_displacement():
    assert not random_warp(SIZE, rng(), WarpSettings(**dict.fromkeys(EVERY_PART, 0.0))).any()


# Settings


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (AppearanceSettings, {"nois": 1}, "Unknown appearance setting nois"),
        (AppearanceSettings, {"noise": -1}, "Appearance setting noise must be a number of at least 0, but is -1"),
        (AppearanceSettings, {"inversion": 2}, "inversion must be a number of at least 0 and at most 1, but is 2"),
        (WarpSettings, {"elastic_px": "much"}, "Warp setting elastic_px must be a number"),
        (WarpSettings, {"fine_px": True}, "Warp setting fine_px must be a number"),
        (WarpSettings, {"organ_px": float("inf")}, "Warp setting organ_px must be a number"),
    ],
)
def test_wrong_settings_are_refused_by_name(kind, values, words):
    with pytest.raises(InputError, match=words):
        kind.from_dict(values)


# Scenes


def test_label_maps_have_labels_from_0_and_their_images_differ_in_grey_alone():
    for seed in range(12):
        labels = random_label_map(SIZE, rng(seed))
        assert labels.shape == (SIZE, SIZE) and labels.min() >= 0 and labels.max() >= 1
        images = [random_intensities(labels, rng(s)) for s in (100, 101)]
        assert all(image.min() >= 0 and image.max() <= 1 and image.dtype == np.float32 for image in images)
        assert not np.array_equal(*images)


def test_the_modalities_show_one_eye_with_bright_or_with_dark_vessels():
    eye = draw_eye(rng(0), 200)
    thick = eye.vessels > 0.9
    around = eye.vessels < 0.05
    assert 0.01 < thick.mean() < 0.3
    images = {name: render(eye, name, rng(1)) for name in MODALITIES}
    for name, image in images.items():
        assert image.shape == (200, 200) and image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1
        brighter = np.median(image[thick]) > np.median(image[around])
        assert brighter == (name != "colour")


# Pairs


@pytest.mark.parametrize("seed", range(5))
def test_the_displacement_takes_the_clean_moving_scene_to_the_fixed_one(seed):
    image = unit_image(texture(3, (120, 100)))
    contrast = AnyContrast(None, WarpSettings(jump_part=0.0))
    moving, fixed, displacement = contrast.clean(image, image, 400, rng(seed))
    moved, inside = warped(moving, displacement)
    assert np.abs(moved - fixed)[inside].max() < 0.06
    assert np.abs(moved - fixed)[inside].mean() < 0.005


def test_mirrored_and_turned_pairs_stay_aligned():
    contrast, plain = AnyContrast(None, NO_JUMPS), Preprocessing(size=200, equalise=False)
    image = texture(4, (200, 200))
    for seed in range(8):
        assert_aligned(contrast.pair(image, image, plain, rng(seed)))


def test_the_landmarks_of_a_validation_pair_lie_where_the_displacement_says():
    image = texture(5, (100, 100))
    pair = AnyContrast().validation_pair(image, image, PREPROCESSING, rng(1))
    assert len(pair.fixed_points) > 5
    rows, columns = pair.fixed_points.astype(int).T
    assert np.allclose(pair.moving_points, pair.fixed_points + pair.displacement_px[:, rows, columns].T)


def test_an_image_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="NaN or infinite"):
        unit_image(np.full((20, 20), np.nan))


# Task sets


@pytest.fixture
def data(tmp_path):
    """Scans, and two contrasts of three patients."""
    for number in range(3):
        write_png(tmp_path / "scans" / f"s{number}.png", texture(number, (40, 40)))
        for contrast in ("t1w", "t2w"):
            write_nifti(tmp_path / contrast / f"p{number}_{contrast}.nii.gz", number, 3)
    return tmp_path


SET = """
[[task]]
name = "scans"
kind = "single_images"
folder = "scans"
validation = 0.4
any_contrast = {}

[[task]]
name = "volumes"
kind = "volumes"
folder = "t1w"
validation = ["p2*"]
any_contrast = { noise = 0.02 }
warp = { organ_part = 1.0 }

[[task]]
name = "contrasts"
kind = "contrasts"
folders = ["t1w", "t2w"]
validation = ["p2"]
warp = { jump_part = 0.0 }

[[task]]
name = "shapes"
kind = "shapes"
any_contrast = {}

[[task]]
name = "eyes"
kind = "fundus"
modalities = ["colour", "octa"]
eyes = 2
"""


def test_every_kind_gives_the_same_pair_of_known_displacement_for_the_same_generator(data):
    tasks = load_tasks(data, SET)
    for task in tasks:
        pair = task.training_pair(rng(7), 0)
        assert same(pair, task.training_pair(rng(7), 0)), task.name
        assert np.array_equal(pair.displacement_px, task.training_pair(rng(7), 0).displacement_px)
        assert pair.displacement_px.shape == (2, SIZE, SIZE) and pair.displacement_px.dtype == np.float32
        for image in (pair.moving, pair.fixed):
            assert image.shape == (SIZE, SIZE) and image.dtype == np.float32
            assert image.min() >= 0 and image.max() <= 1
        assert task.describe()["name"] == task.name
    again = load_tasks(data, SET)
    for first, second in zip(tasks, again, strict=True):
        assert same(first.training_pair(rng(8), 0), second.training_pair(rng(8), 0))


def test_every_kind_has_validation_pairs_with_landmarks_that_are_always_the_same(data):
    for task in load_tasks(data, SET):
        pairs = task.validation_pairs()
        assert pairs and all(pair.moving_points is not None for pair in pairs), task.name
        assert all(same(a, b) for a, b in zip(pairs, task.validation_pairs(), strict=True))


def test_the_contrasts_of_a_pair_are_of_one_patient(data):
    task = next(task for task in load_tasks(data, SET) if task.name == "contrasts")
    assert task.describe()["patients"] == ["p0", "p1"] and task.describe()["validation"] == ["p2"]
    # The contrasts of the test data are equal, so that the clean pair must align.
    for seed in range(4):
        assert_aligned(task.training_pair(rng(seed), 0), least=0.8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "shapes"\nfolder = "scans"', "unknown keys ['folder']"),
        ('kind = "shapes"\nany_contrast = 5', "any_contrast as a table of settings, got 5"),
        ('kind = "shapes"\nany_contrast = { nois = 1 }', "any_contrast: Unknown appearance setting nois"),
        ('kind = "shapes"\nwarp = { organ_part = 3 }', "warp: Warp setting organ_part must be a number"),
        ('kind = "single_images"\nfolder = "scans"\nwarp = {}', "warp belongs to pairs of any contrast"),
        ('kind = "contrasts"', "folders as a list of at least two names, got None"),
        ('kind = "contrasts"\nfolders = ["t1w"]', "folders as a list of at least two names, got ['t1w']"),
        ('kind = "contrasts"\nfolders = ["t1w", "nowhere"]', "nowhere does not exist"),
        ('kind = "contrasts"\nfolders = ["t1w", "scans"]', "holds no file that ends in"),
        ('kind = "contrasts"\nfolders = ["t1w", "t2w"]\nvalidation = ["x*"]', "no file matches validation"),
        ('kind = "fundus"\nmodalities = ["mri"]', "modalities as a list of colour, angiogram, octa, got ['mri']"),
        ('kind = "fundus"\neyes = 0', "eyes as a whole number above 0, got 0"),
    ],
)
def test_a_wrong_table_is_refused_by_file_task_and_key(text, words, data):
    path = write_set(data, f'[[task]]\nname = "a"\n{text}\n')
    with pytest.raises(InputError) as refused:
        load_task_set(path, PREPROCESSING)
    assert str(refused.value).startswith(f"{path}, task 1 (a)") and words in str(refused.value)


def test_contrasts_of_different_patients_are_refused(tmp_path):
    write_nifti(tmp_path / "t1w" / "p0_t1w.nii.gz", 0, 3)
    write_nifti(tmp_path / "t2w" / "p1_t2w.nii.gz", 1, 3)
    with pytest.raises(InputError, match="no patient has a file in two of the folders t1w, t2w"):
        load_tasks(tmp_path, '[[task]]\nname = "a"\nkind = "contrasts"\nfolders = ["t1w", "t2w"]\n')


def test_the_shipped_set_has_dozens_of_tasks_and_those_of_reptile_as_they_are():
    tables = {}
    for name in ("any_images.toml", "reptile_tasks.toml"):
        content = tomllib.loads((ROOT / "Resources" / "Tasks" / name).read_text(encoding="utf-8"))
        tables[name] = {task["name"]: task for task in content["task"]}
    assert len(tables["any_images.toml"]) > 36
    for name, table in tables["reptile_tasks.toml"].items():
        other = dict(tables["any_images.toml"][name])
        other.pop("weight")
        assert other == table

"""A pair is prepared once: registration, fine-tuning and the experiments start from the same arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from known_networks import image_of, known_checkpoint, texture, write_grey_png
from torch import nn

from MetaRegistrationLib.alignment.aligner import AlignmentContext
from MetaRegistrationLib.alignment.registry import aligner
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.formats.images import tissue
from MetaRegistrationLib.pairs.files import PairFiles
from MetaRegistrationLib.preparation import prepare
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.tasks import PairTask

SIDE = 240
WIDE = 40 + 200 * drawn_eye(4, 2 * SIDE)


class Seeing(nn.Module):
    """Keeps what it was shown last; nothing moves."""

    def forward(self, moving, fixed):
        self.seen = moving[0, 0].numpy(), fixed[0, 0].numpy()
        return torch.zeros(1, 2, *fixed.shape[-2:])


def plain():
    return WIDE[60 : 60 + SIDE, 70 : 70 + SIDE], WIDE[66 : 66 + SIDE, 66 : 66 + SIDE]


def framed():
    images = [image.copy() for image in plain()]
    for image in images:
        image[:24] = image[-24:] = 0
        image[:, :24] = image[:, -24:] = 0
    return images


def marked():
    images = [image.copy() for image in plain()]
    for image in images:
        image[20::40] = 255
    return images


def zoomed():
    return WIDE[: 2 * SIDE : 2, : 2 * SIDE : 2], WIDE[66 : 66 + SIDE, 66 : 66 + SIDE]


@pytest.mark.parametrize(
    ("images", "initial"),
    [
        *((images, "none") for images in (plain, framed, marked, zoomed)),
        (framed, "affine"),
        *(pytest.param(images, "affine", marks=pytest.mark.long) for images in (plain, marked, zoomed)),
    ],
)
def test_fine_tuning_sees_what_registration_sees(tmp_path, images, initial):
    paths = [write_grey_png(tmp_path / f"{n}.png", image) for n, image in enumerate(images())]
    files = PairFiles("pair", *paths)
    registrar = Registrar(
        known_checkpoint("Translation", size=200, row=0.0, column=0.0), "cpu", Stages(initial, True, 0)
    )
    registrar.network = Seeing()
    registration = registrar(files.load().moving, files.load().fixed)
    assert registration.alignment is None or registration.alignment.confidence >= 0.5
    assert (registration.burnt_in_px > 0) is (images is marked)
    task = PairTask("t", [files], [], registrar.preprocessing, initial=initial)
    for seen, trained_on in zip(registrar.network.seen, (task.pair(0).moving, task.pair(0).fixed), strict=True):
        np.testing.assert_array_equal(seen, trained_on)


def test_a_prepared_pair_has_what_all_stages_need():
    moving, fixed = (image_of(array) for array in framed())
    pair = prepare(moving, fixed, Preprocessing(size=100))
    assert pair.moving.image is moving and pair.fixed.image is fixed
    assert pair.drawn_border and pair.burnt_in_px == 0 and pair.seconds > 0
    for side in (pair.moving, pair.fixed):
        np.testing.assert_array_equal(side.tissue, tissue(side.image))
        assert side.on_grid.shape == side.inside.shape == (100, 100) and side.on_grid.dtype == np.float32
        assert not side.on_grid[~side.inside].any() and 0.5 < side.inside.mean() < 0.8
        assert side.extent == pytest.approx((SIDE, SIDE))


def test_marks_stay_in_the_image_and_are_not_seen():
    pair = prepare(*(image_of(array) for array in marked()), Preprocessing(size=100))
    assert pair.burnt_in_px > 4 * SIDE
    assert (pair.moving.image.array[20] == 255).all() and not (pair.moving.seen.array[20] == 255).all()


def test_specks_of_unknown_pixels_are_filled_and_areas_are_not():
    moving, fixed = (array.astype(np.float32) for array in plain())
    holed = moving.copy()
    holed[np.random.default_rng(0).random(moving.shape) < 0.05] = np.nan
    holed[100:120, 80:90] = np.inf
    pair, whole = (prepare(image_of(each), image_of(fixed), Preprocessing(size=100)) for each in (holed, moving))
    area = np.zeros(moving.shape, bool)
    area[100:120, 80:90] = True
    assert not pair.moving.tissue[area].any() and pair.moving.tissue[~area].mean() > 0.999
    both = pair.moving.inside & whole.moving.inside
    assert np.abs(pair.moving.on_grid - whole.moving.on_grid)[both].mean() < 0.02
    assert pair.moving.image.array is not pair.moving.seen.array  # `warped` is of the image as it was read
    assert whole.moving.seen is whole.moving.image  # nothing to fill


def test_as_a_whole_nothing_is_left_out():
    images = [image_of(array) for array in marked()]
    images[0] = replace(images[0], mask=np.zeros((SIDE, SIDE), dtype=bool))
    pair = prepare(*images, Preprocessing(size=100), whole=True)
    assert pair.burnt_in_px == 0 and not pair.drawn_border
    for side in (pair.moving, pair.fixed):
        assert side.seen is side.image and side.tissue.all() and side.inside.all()


def test_images_of_two_sizes_keep_their_scale():
    pair = prepare(image_of(texture((48, 64), 1)), image_of(texture((64, 64), 2)), Preprocessing(size=64))
    assert pair.moving.inside.mean() == pytest.approx(0.75) and pair.fixed.inside.all()
    alignment = aligner("none")(pair, AlignmentContext())
    assert alignment.kind == "none"

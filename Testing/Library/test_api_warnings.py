"""What the pages promise that is warned of reaches Python code that reads no events."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from api_images import textures
from known_networks import NETWORK_ALONE, Waves

import MetaRegistrationLib as mr
from MetaRegistrationLib.api import python_warnings


def small_pairs():
    return [tuple(image.astype(np.float32) for image in textures((64, 64))) for _ in range(2)]


def checkpoint_of(network, **entry):
    checkpoint = mr.Checkpoint.of_module(network)
    checkpoint.preprocessing["size"] = 64
    checkpoint.history.append(entry)
    return checkpoint


def test_another_initial_alignment_than_that_of_the_checkpoint_is_told():
    moving, fixed = textures()
    adapted = checkpoint_of(Waves(0.02), stage="finetune", initial="rigid")
    with pytest.warns(
        UserWarning, match="adapted with the initial alignment 'rigid' and is used with 'none'"
    ) as caught:
        result = mr.register(moving, fixed, checkpoint=adapted, stages=NETWORK_ALONE)
    assert [each.filename for each in caught] == [__file__]
    assert result.warning == str(caught[0].message)


def test_contradicting_pixel_sizes_are_told():
    image = textures()[0]
    stages = mr.Stages("affine", network=False, refine=0)
    with pytest.warns(UserWarning, match="contradicts the pixel sizes"):
        result = mr.register(image, image, moving_spacing=0.01, fixed_spacing=0.011, stages=stages)
    assert "contradicts the pixel sizes" in result.warning


def test_a_pair_that_is_not_confident_says_so_without_a_warning_of_python():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = mr.register(*textures(), stages=mr.Stages("translation", network=False, refine=0))
        assert not result.confident and "not confident" in result.warning
        assert mr.register(*textures(), stages=mr.Stages("none", network=False, refine=0)).warning == ""


class Still(torch.nn.Module):
    """A network that no step can improve."""

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.zeros(1))

    def forward(self, moving, fixed):
        return torch.cat((moving, fixed), dim=1) * 0 * self.factor


@pytest.mark.parametrize("read", [True, False])
def test_a_fine_tuning_that_keeps_its_start_says_so(read):
    told = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mr.finetune(
            small_pairs(),
            checkpoint=checkpoint_of(Still()),
            network=Still(),
            epochs=1,
            initial="none",
            progress=told.append if read else None,
        )
    texts = [event.text for event in told if getattr(event, "level", "") == "warning"] if read else caught
    kept = [text for text in map(str, texts) if "weights of the start" in text]
    assert len(kept) == 1 and "best.pt" not in kept[0]
    assert read or all(each.filename == __file__ for each in caught)


def test_progress_that_cannot_be_called_is_refused():
    for call in (
        lambda: mr.finetune(small_pairs(), progress=3),
        lambda: mr.align_visits(textures(), progress="log"),
    ):
        with pytest.raises(mr.InputError, match="progress: expected a function"):
            call()


@pytest.mark.parametrize("folder", ["_scripts", " 2", ""])
def test_a_warning_is_at_the_line_of_the_users_code(folder):
    """Also of a script in a folder whose name begins as that of the library."""
    library = Path(python_warnings.__file__).parents[1]
    mine = str(library.with_name(library.name + folder) / "mine.py") if folder else "elsewhere/mine.py"
    code = compile(
        "from MetaRegistrationLib.api.python_warnings import warn\ndef call():\n    warn('x')\n", mine, "exec"
    )
    names: dict = {}
    exec(code, names)
    with pytest.warns(UserWarning, match="x") as caught:
        names["call"]()  # from this file, which calls the user's code
    assert (caught[0].filename, caught[0].lineno) == (mine, 3)

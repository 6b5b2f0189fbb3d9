"""The example module of the rig's tests, copies of it with another ``.ui`` file, and a volume to show."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import slicer

EXAMPLE = Path(__file__).parent / "example" / "RigExample.py"


def make_volume(name="image", spacing=0.5, shape=(60, 80)):
    """A volume of one slice with a bright bar, x to the left and y to the back as for our images."""
    pixels = np.zeros((1, *shape), np.uint8)
    pixels[0, 10:20, 10:50] = 200
    volume = slicer.util.addVolumeFromArray(pixels, ijkToRAS=np.diag([-spacing, -spacing, 1.0, 1.0]), name=name)
    volume.CreateDefaultDisplayNodes()
    return volume


def copy_example(folder: Path, change=lambda text: text) -> Path:
    """A copy of the example whose ``.ui`` file is changed."""
    shutil.copytree(EXAMPLE.parent, folder / "example")
    ui = folder / "example" / "Resources" / "UI" / "RigExample.ui"
    ui.write_text(change(ui.read_text(encoding="utf-8")), encoding="utf-8")
    return folder / "example" / "RigExample.py"

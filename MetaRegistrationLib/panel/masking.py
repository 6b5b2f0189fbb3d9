"""The masks that the user chose, put on the images of a registration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import InputError
from ..formats.images import Image, tissue
from ..mrml import masks
from ..mrml.label_pixels import on_pixels_of
from .texts import tr as _


def masked(image: Image, mask_node: Any, volume: Any, slice_index: int, *, without: Any = None) -> Image:
    """An image with its mask; the image itself if none was chosen.

    Parameters
    ----------
    image : Image
        One slice of `volume`.
    mask_node : label map or segmentation node, or None
    volume : volume node
    slice_index : int
        Of volume and mask.
    without : transform node, optional
        The result of an earlier registration, above the volume.

    Raises
    ------
    InputError
        The mask is of other pixels than the volume, or empty, or a segmentation without a visible segment.
    """
    if mask_node is None:
        return image
    if masks.hides_all(mask_node):
        raise InputError(
            _(
                "{mask}: none of its segments is visible, and the mask is what the visible ones cover. Show segments in the"
                " Segmentations module, or choose another mask or none."
            ).format(mask=mask_node.GetName())
        )
    array = masks.mask_array(mask_node, volume, without=without)
    if array is None:
        raise InputError(
            _("{mask}: it holds no mask for {volume}. Choose another one, or none.").format(
                mask=mask_node.GetName(), volume=volume.GetName()
            )
        )
    _check_size(array.shape, mask_node, volume)
    if mask_node.IsA("vtkMRMLLabelMapVolumeNode"):
        array = _on_pixels(array, mask_node, volume, without)
    image = replace(image, mask=array[slice_index])
    if not tissue(image).any():
        raise InputError(
            _("{mask}: the mask is empty. Tissue is where a mask is not zero.").format(mask=mask_node.GetName())
        )
    return image


def mask_choices(moving_mask: Any, fixed_mask: Any) -> str:
    """The images for which a mask was chosen, in words."""
    if moving_mask is None and fixed_mask is None:
        return _("automatic")
    if fixed_mask is None:
        return _("chosen for moving")
    return _("chosen for fixed") if moving_mask is None else _("chosen for moving and fixed")


def _check_size(shape: tuple[int, ...], mask_node: Any, volume: Any) -> None:
    expected, found = volume.GetImageData().GetDimensions(), shape[::-1]
    if expected == found:
        return
    axes = 2 if expected[2] == found[2] == 1 else 3
    raise InputError(
        _("{mask}: a mask of {expected} pixels was expected, as the volume {volume} has, but it has {found}.").format(
            mask=mask_node.GetName(),
            volume=volume.GetName(),
            expected=" x ".join(map(str, expected[:axes])),
            found=" x ".join(map(str, found[:axes])),
        )
    )


def _on_pixels(array: Any, labels: Any, volume: Any, without: Any) -> Any:
    found = on_pixels_of(volume, labels, array, without=without)
    if found is None:
        raise InputError(
            _(
                "{mask}: its pixels are not where those of {volume} are. Correct its position in the Volumes or Transforms"
                " module, or convert it to a segmentation, which may have other pixels."
            ).format(mask=labels.GetName(), volume=volume.GetName())
        )
    return found

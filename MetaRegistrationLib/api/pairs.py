"""Registering two images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import InputError
from ..formats.landmarks import Landmarks
from ..pairs.files import check_sizes
from ..pairs.points import check_inside
from ..progress import plain
from ..registration.measures import carry_landmarks, measure
from ..stages import Stages
from ..workflows.registrars import LastRegistrar, RegistrarOptions
from .inputs import as_image, as_points
from .options import random_numbers_kept, registrar_options
from .precision import own_precision
from .python_warnings import warn
from .registration import Registration, doubts

if TYPE_CHECKING:
    import torch

    from ..checkpoints import Checkpoint
    from ..registration.registrar import Registrar

_registrar = LastRegistrar()


@own_precision
def register(
    moving: Any,
    fixed: Any,
    *,
    checkpoint: str | Path | Checkpoint | None = None,
    network: torch.nn.Module | None = None,
    stages: Stages | None = None,
    device: str = "auto",
    spacing: float | Sequence[float] | None = None,
    moving_spacing: float | Sequence[float] | None = None,
    fixed_spacing: float | Sequence[float] | None = None,
    moving_mask: Any | None = None,
    fixed_mask: Any | None = None,
    landmarks: tuple[Any, Any] | None = None,
    name: str = "moving_to_fixed",
) -> Registration:
    """Register two images of one thing, such as scans of one eye at two visits.

    Parameters
    ----------
    moving, fixed : array (H, W) or (H, W, 3|4), torch tensor, SimpleITK image, path or Image
        The image to be warped, and the one that stays in place. They may differ in size. Arrays and tensors
        have spacing 1 and origin 0, as a MONAI MetaTensor has, whose affine is not read.
    checkpoint : path, str or Checkpoint, optional
        A file, the name of a shipped checkpoint such as "coarse_to_fine_octa", or what `finetune` or `load_checkpoint`
        returned. The default is the shipped "coarse_to_fine_any".
    network : torch.nn.Module, optional
        A network of your own, called as ``network(moving, fixed)`` with tensors (1, 1, S, S) and giving a displacement
        (1, 2, S, S) in pixels, channels (row, column). It is copied. With `checkpoint`, it gets the checkpoint's weights.
    stages : Stages, optional
        Initial alignment, network and refinement; all of them by default.
    device : str
        auto, cpu, cuda, cuda:N or mps.
    spacing : float or (float, float), optional
        Distance of rows and of columns, mm, of images that carry no pixel size. `Registration.transform` of SimpleITK images and
        files keeps their own geometry all the same.
    moving_spacing, fixed_spacing : float or (float, float), optional
        The same for one of the images.
    moving_mask, fixed_mask : array (H, W), tensor, SimpleITK image or path, optional
        Tissue mask, not zero in tissue. By default it is found.
    landmarks : (array (N, 2), array (N, 2)), optional
        Corresponding points of the moving and the fixed image, (row, column) in pixels: for ``Stages(initial="landmarks")``,
        and measured in `Registration.measures`. Masked points are refused.
    name : str
        Name of the pair in records.

    Returns
    -------
    Registration
        If a searched alignment is not confident (`confident` is False), the moving image is left unchanged. Python warns if the
        result contradicts the stated pixel sizes or directions, or if the checkpoint was adapted with another initial alignment;
        `Registration.warning` has these texts too.

    Raises
    ------
    InputError
        An image, mask, checkpoint, network or setting cannot be used. The message says what was expected and what was given.

    Examples
    --------
    >>> import MetaRegistrationLib as mr
    >>> result = mr.register("visit_1.png", "visit_2.png")  # doctest: +SKIP
    >>> result.confident, result.warped().shape  # doctest: +SKIP
    (True, (320, 320))
    """
    options = registrar_options(checkpoint, network, stages, device)
    sizes = [spacing if own is None else own for own in (moving_spacing, fixed_spacing)]
    given = (
        as_image(moving, "moving", spacing=sizes[0], mask=moving_mask),
        as_image(fixed, "fixed", spacing=sizes[1], mask=fixed_mask),
    )
    images = given[0].image, given[1].image
    check_sizes(*images)
    points = None if landmarks is None else _points(landmarks, images)
    registrar, record = made_registrar(options)
    details = registrar(*images, None if points is None else (points[0].points, points[1].points))
    carried = None if points is None else carry_landmarks(details, *points)
    result = Registration(details, measure(name, details, carried), record, given=given, landmarks=carried)
    for text in doubts(result):
        warn(text)
    return result


def made_registrar(options: RegistrarOptions) -> tuple[Registrar, dict[str, Any]]:
    """A registrar and its record in plain values; torch's random numbers go on as they were."""
    with random_numbers_kept():
        registrar, record = _registrar(options)
    return registrar, cast("dict[str, Any]", plain(record))


def _points(landmarks: tuple[Any, Any], images: Sequence[Any]) -> tuple[Landmarks, Landmarks]:
    """Corresponding landmarks, each in its image."""
    try:
        moving, fixed = landmarks
    except (TypeError, ValueError):
        raise InputError("landmarks: expected (moving points, fixed points), each of shape (N, 2).") from None
    arrays = [as_points(each, f"landmarks ({role})") for each, role in ((moving, "moving"), (fixed, "fixed"))]
    if len(arrays[0]) != len(arrays[1]):
        raise InputError(
            f"landmarks: expected as many moving as fixed points, got {len(arrays[0])} and {len(arrays[1])}."
        )
    labels = tuple(str(number) for number in range(1, len(arrays[0]) + 1))
    found = Landmarks(labels, arrays[0]), Landmarks(labels, arrays[1])
    for points, image, role in zip(found, images, ("moving", "fixed"), strict=True):
        check_inside(points, image.geometry, f"landmarks ({role})")
    return found

"""Further images and label maps of a moving visit, warped by a stored registration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Output, check_output, writing
from ..progress import Finished, Item, Reader, Saved, Silent, Started

if TYPE_CHECKING:
    import numpy as np

    from ..core.geometry import Geometry
    from ..formats.compact_field import CompactField

TASK = "warp"
FIELD, MOVING, FIXED = "displacement_field.nrrd", "moving.nrrd", "fixed.nrrd"


@dataclass(frozen=True)
class WarpOptions:
    """The settings of a warp.

    Attributes
    ----------
    result : Path
        Folder of one registered pair, as `register` writes it.
    images : sequence of Path
        Files on the pixels of the moving image.
    output : Path
    interpolation : str
        nearest, linear or cubic.
    slice_index : int or None
        Slice to take from stacks, counted from 0.
    replace : bool
        Replace what was warped from another image, or results of another kind, in `output`.
    """

    result: Path
    images: Sequence[Path]
    output: Path
    interpolation: str = "nearest"
    slice_index: int | None = None
    replace: bool = False


@dataclass(frozen=True, eq=False)
class StoredField:
    """The stored field of a registration, and the geometries of its two images."""

    vectors_mm: np.ndarray
    grid: Geometry
    moving: Geometry
    fixed: Geometry

    def moving_positions(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Positions of fixed pixels in the moving image: (R, C, 2), (row, column) in its pixels."""
        import numpy as np

        from ..core.preprocessing import interpolate_grid

        physical = self.fixed.to_physical(np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1))
        nodes = self.grid.to_pixels(physical)  # the grid has the axes of the fixed image
        vectors = [
            interpolate_grid(part, nodes[:, 0, 0], nodes[0, :, 1]) for part in np.moveaxis(self.vectors_mm, -1, 0)
        ]
        return self.moving.to_pixels(physical + np.stack(vectors, axis=-1))


def read_field(result: Path) -> StoredField | CompactField:
    """Read what `register` wrote of a pair: the displacement field, or the compact transform if that alone is there.

    Raises
    ------
    InputError
        The folder is not that of one registered pair, or a file of it is damaged.
    """
    from ..formats.images import read_pixels
    from ..registration.file_names import COMPACT, RECORD

    if (result / COMPACT).is_file() and not (result / FIELD).is_file():
        from ..formats.compact_field import read_compact

        return read_compact(result / COMPACT)
    needed = (FIELD, MOVING, FIXED, RECORD)
    missing = [name for name in needed if not (result / name).is_file()]
    if missing:
        raise InputError(
            f"{result}: the folder of one registered pair was expected, with {', '.join(needed)}; missing:"
            f" {', '.join(missing)}."
        )
    vectors, grid = read_pixels(result / FIELD)
    if vectors.ndim != 3 or vectors.shape[2] != 3:
        raise InputError(f"{result / FIELD}: vectors of three components were expected, got the shape {vectors.shape}.")
    moving, fixed = (read_pixels(result / name)[1] for name in (MOVING, FIXED))
    return StoredField(vectors.astype("float64"), grid, moving, fixed)


def warp_files(options: WarpOptions, progress: Reader | None = None) -> list[Path]:
    """Warp files onto the fixed grid of a registration; each becomes NAME.nrrd in the output folder.

    "nearest" keeps values and number type; the others give float32.

    Raises
    ------
    InputError
        A file lies on other pixels than the moving image, two files have one name, or `output` is or holds an input, or would
        lose files (`formats.output_folder`).
    """
    from ..formats.image_writing import write_image
    from ..registration.moving_visit import warp_pixels

    progress = progress or Silent()
    targets = _targets(options)
    planned = _planned(options, targets)
    check_output(planned)
    field = read_field(Path(options.result))
    sources = [_read(path, field, options.slice_index) for path in options.images]  # all, before anything is written
    progress(Started(TASK, len(sources)))
    with writing(planned, progress) as output:
        for number, (pixels, target) in enumerate(zip(sources, targets, strict=True), 1):
            warped = warp_pixels(pixels, field.fixed.size, field.moving_positions, options.interpolation)
            write_image(target, warped, field.fixed)
            progress(Saved(target, "result"))
            progress(Item(number, len(sources), target.name))
    progress(Finished(TASK, output, {"images": len(sources)}))
    return targets


def _targets(options: WarpOptions) -> list[Path]:
    """The files to be written, each once."""
    from ..formats.image_files import file_stem

    targets = [Path(options.output) / f"{file_stem(Path(path))}.nrrd" for path in options.images]
    names = [target.name.casefold() for target in targets]
    double = next((target for target in targets if names.count(target.name.casefold()) > 1), None)
    if double is not None:
        raise InputError(f"{double.name}: two of the images would be written under this name. Warp them one by one.")
    return targets


def _planned(options: WarpOptions, targets: Sequence[Path]) -> Output:
    items = {target.name: (Path(path),) for target, path in zip(targets, options.images, strict=True)}
    return Output(
        Path(options.output), TASK, items, (Path(options.result),), lambda: targets, options.replace, together=True
    )


def _read(path: Path, field: StoredField | CompactField, slice_index: int | None) -> np.ndarray:
    from ..formats.images import read_pixels
    from ..registration.moving_visit import check_on_moving

    pixels, geometry = read_pixels(path, slice_index=slice_index)
    check_on_moving(pixels.shape, geometry, field.moving, not field.moving.unplaced, str(path))
    return pixels

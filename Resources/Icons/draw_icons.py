"""Draw the icons of the extension and of the module: `python Resources/Icons/draw_icons.py` (needs numpy and Pillow).

A retina seen from in front: the vessels of the moving image (magenta) and of the fixed image (green) lie apart on one
side of the disc and come together across it; where they lie on each other their sum is white.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 128  # pixels of the icon
OVERSAMPLING = 8  # drawn larger, then reduced: smooth edges
RADIUS = 0.485  # of the disc; lengths are in icon widths, points are (x, y) from the disc's centre
SHIFT = (-0.03, 0.12)  # of the moving vessels at the left edge of the disc

# One line a vessel: points that a smooth curve passes through, and the widths at its ends.
VESSELS = [
    ([(0.47, -0.02), (0.33, -0.13), (0.13, -0.235), (-0.08, -0.26), (-0.27, -0.20), (-0.44, -0.19)], 0.066, 0.036),
    ([(0.47, 0.02), (0.33, 0.14), (0.13, 0.235), (-0.08, 0.235), (-0.27, 0.14), (-0.45, 0.10)], 0.066, 0.036),
    ([(0.20, -0.205), (0.12, -0.32), (-0.01, -0.39), (-0.12, -0.46)], 0.044, 0.026),
    ([(0.20, 0.205), (0.13, 0.32), (0.02, 0.40), (-0.06, 0.47)], 0.044, 0.026),
    ([(-0.04, -0.255), (-0.16, -0.32), (-0.28, -0.39)], 0.036, 0.024),
    ([(-0.06, 0.238), (-0.16, 0.30), (-0.27, 0.39)], 0.036, 0.024),
    ([(0.06, -0.25), (-0.03, -0.16), (-0.06, -0.09)], 0.030, 0.018),
    ([(0.36, 0.11), (0.29, 0.06), (0.19, 0.03)], 0.030, 0.018),
]


def curve(points: list[tuple[float, float]], steps: int = 60) -> np.ndarray:
    """Catmull-Rom curve through the points: (N, 2), x and y."""
    known = np.array(points)
    padded = np.vstack([2 * known[0] - known[1], known, 2 * known[-1] - known[-2]])
    t = np.linspace(0, 1, steps)[:, None]
    parts = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack(parts)


def misalignment(points: np.ndarray) -> np.ndarray:
    """Displacement of the moving vessels: full at the left edge, none right of the centre."""
    left = np.clip((0.10 - points[:, 0]) / 0.5, 0, 1)
    return (left**1.3)[:, None] * np.array(SHIFT)


def draw_vessels(moving: bool) -> np.ndarray:
    """Brightness of one image's vessels, 0 to 1, oversampled."""
    pixels = SIZE * OVERSAMPLING
    image = Image.new("L", (pixels, pixels))
    pen = ImageDraw.Draw(image)
    for points, first, last in VESSELS:
        path = curve(points)
        path = path + misalignment(path) if moving else path
        for (x, y), width in zip((path + 0.5) * pixels, np.linspace(first, last, len(path)) * pixels, strict=True):
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(OVERSAMPLING * 0.4))) / 255


def draw() -> Image.Image:
    """The icon: RGBA, transparent outside the disc."""
    pixels = SIZE * OVERSAMPLING
    across = (np.arange(pixels) + 0.5) / pixels - 0.5
    radius = np.hypot(across[None, :], across[:, None])
    # Dark ground, a little lighter in a ring around the fovea, as the capillary bed is.
    bed = np.exp(-(((radius - 0.23) / 0.17) ** 2))
    ground = np.array([24, 20, 40])[None, None] + bed[..., None] * np.array([26, 22, 34])
    magenta, green = draw_vessels(moving=True), draw_vessels(moving=False)
    lit = magenta[..., None] * np.array([255, 40, 235]) + green[..., None] * np.array([40, 240, 70])
    cover = np.maximum(magenta, green)[..., None]
    colour = np.clip(ground * (1 - cover) + lit, 0, 255)
    rim = np.clip((radius - (RADIUS - 0.02)) / 0.006, 0, 1)[..., None]
    colour = colour * (1 - rim) + np.array([196, 190, 214]) * rim
    opaque = np.clip((RADIUS - radius) * pixels / OVERSAMPLING + 0.5, 0, 1) * 255
    drawn = Image.fromarray(np.dstack([colour, opaque]).round().astype(np.uint8))
    return drawn.resize((SIZE, SIZE), Image.Resampling.BOX)


def main() -> None:
    """Write both icons into the source tree."""
    root = Path(__file__).resolve().parents[2]
    icon = draw()
    for path in (
        root / "Resources/MetaRegistration.png",
        root / "MetaRegistration/Resources/Icons/MetaRegistration.png",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        icon.save(path, optimize=True)


if __name__ == "__main__":
    main()

"""SIFT keypoints and an affine transform by RANSAC, through OpenCV."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from .base import Peer, from_xy

_RATIO, _REACH_PX, _LEAST = 0.8, 4.0, 6


def peers(threads: int) -> Iterable[Peer]:
    """The usual recipe: ratio test, RANSAC."""
    cv2.setNumThreads(threads)
    settings = {"ratio": _RATIO, "reach_px": _REACH_PX, "least": _LEAST}
    yield Peer("SIFT + RANSAC affine", "plain", settings, _register, ("opencv-python-headless",))


def _register(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    cv2.setRNGSeed(1)
    finder = cv2.SIFT_create()
    found = [finder.detectAndCompute(np.round(255 * image).astype(np.uint8), None) for image in (moving, fixed)]
    if any(len(keypoints) < _LEAST for keypoints, _ in found):
        raise ValueError("too few keypoints")
    matches = cv2.BFMatcher().knnMatch(found[1][1], found[0][1], k=2)
    good = [pair[0] for pair in matches if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
    if len(good) < _LEAST:
        raise ValueError(f"{len(good)} matches")
    in_fixed = np.float32([found[1][0][match.queryIdx].pt for match in good])
    in_moving = np.float32([found[0][0][match.trainIdx].pt for match in good])
    matrix, used = cv2.estimateAffine2D(in_fixed, in_moving, ransacReprojThreshold=_REACH_PX, maxIters=10000)
    if matrix is None or used.sum() < _LEAST:
        raise ValueError("no affine transform agrees with enough matches")
    grid = np.stack(np.meshgrid(*map(np.arange, fixed.shape[::-1])), axis=-1)
    return from_xy(grid @ matrix[:, :2].T + matrix[:, 2] - grid)

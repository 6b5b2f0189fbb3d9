"""Moving, fixed and both overlaid in three slice views beside each other."""

from __future__ import annotations

import slicer

from .views import Overlay, face_slice, set_layout

MOVING_VIEW, FIXED_VIEW, OVERLAY_VIEW = "Red", "Yellow", "Green"
LAYOUT = 20587  # a number of our own: Slicer's layouts and other extensions' lie elsewhere

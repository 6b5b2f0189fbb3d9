"""What the order of visits rests on."""

from __future__ import annotations

ORDERS = {
    "dates": "order of their dates",
    "names": "order of names, because dates are not known",
    "given": "order in which they were given",
}
"""Each kind of order, in words."""

"""How dates such as 04.03.2021 are read. Needs nothing, so that a command line can offer it at once."""

from __future__ import annotations

from typing import Literal

DateOrder = Literal["ask", "dayfirst", "monthfirst", "ignore"]
"""How 04.03.2021 is read. "ask" refuses it; "ignore" passes over all dates in names."""
DATE_ORDERS: tuple[DateOrder, ...] = ("dayfirst", "monthfirst", "ignore")
"""The choices of a user who was asked."""

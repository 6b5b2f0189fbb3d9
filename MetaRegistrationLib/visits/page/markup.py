"""Pieces of HTML: escaped text, numbers and tables."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

NOTHING = "–"
"""Where nothing is known."""
_LEAST = 0.001  # a smaller number is shown as 0


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> Html:
    """A value as HTML; names may hold any sign."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def number(value: float | None, unit: str = "", *, sign: bool = False) -> str:
    """A number with at most two decimals, and two significant digits below 0.1; a dash where it is not known."""
    if value is None or not math.isfinite(value):
        return NOTHING
    size = abs(value)
    if size < _LEAST:
        digits = "0"
    elif size < 0.1:
        size = float(f"{size:.2g}")
        digits = f"{size:.{max(1 - math.floor(math.log10(size)), 2)}f}"
    else:
        size = float(f"{size:.3g}")
        digits = f"{abs(value):.{0 if size >= 100 else 1 if size >= 10 else 2}f}"
    lead = "" if digits.strip("0.") == "" else "−" if value < 0 else "+" if sign else ""
    return f"{lead}{digits}" + (f"\u00a0{unit}" if unit else "")


def section(name: str, title: str, *parts: str) -> Html:
    """A section with a heading; nothing without content."""
    content = "".join(parts)
    if not content:
        return Html("")
    return Html(f'<section id="{name}"><h2>{escaped(title)}</h2>{content}</section>\n')


def paragraph(text: object, kind: str = "") -> Html:
    """A paragraph; nothing without text."""
    if not text:
        return Html("")
    return Html(f'<p class="{kind}">{escaped(text)}</p>' if kind else f"<p>{escaped(text)}</p>")


def table(
    columns: Sequence[object], rows: Iterable[Sequence[object]], caption: object = "", groups: Sequence[str] = ()
) -> Html:
    """A table whose first cell of each row is its head.

    Parameters
    ----------
    columns : sequence
        Heads of the columns.
    rows : iterable of sequence
        Cells. A sequence of one cell is a line over the whole width, the head of the rows that follow.
    caption : object, optional
    groups : sequence of str, optional
        Classes of the columns, such as "number".
    """
    kinds = list(groups) or [""] + ["number"] * (len(columns) - 1)
    head = "".join(
        f'<th scope="col"{_kind(kind)}>{escaped(name)}</th>' for name, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(_row(row, kinds) for row in rows)
    title = f"<caption>{escaped(caption)}</caption>" if caption else ""
    return Html(f'<div class="wide"><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def _row(cells: Sequence[object], kinds: Sequence[str]) -> str:
    if len(cells) == 1 and len(kinds) > 1:
        return f'<tr class="group"><th scope="rowgroup" colspan="{len(kinds)}">{escaped(cells[0])}</th></tr>'
    first = f'<th scope="row"{_kind(kinds[0])}>{escaped(cells[0])}</th>'
    return (
        "<tr>" + first + "".join(_cell(cell, kind) for cell, kind in zip(cells[1:], kinds[1:], strict=True)) + "</tr>"
    )


def _cell(cell: object, kind: str) -> str:
    text = escaped(cell)
    return text if text.startswith("<td") else f"<td{_kind(kind)}>{text}</td>"


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""

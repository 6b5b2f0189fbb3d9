"""The pictures: earlier, later and change side by side, and the film of all visits at one place."""

from __future__ import annotations

from ...octa.faz import Faz
from ..change_files import SeriesChange
from ..dates import When
from ..series import AlignedVisit
from .change_map import caption
from .content import Content
from .markup import Html, escaped, number, paragraph, section
from .overlays import drawing
from .pictures import Picture, Pictures

_SWITCHES = (("grid", "ETDRS circles"), ("centre", "fovea"), ("zone", "FAZ outline"))
_CONTROLS = (
    '<p class="controls needs-script"><button type="button" id="back" aria-label="previous visit">◀</button>'
    '<label>Visit <input type="range" id="step" min="0" value="0"></label>'
    '<button type="button" id="on" aria-label="next visit">▶</button>'
    '<button type="button" id="play" aria-pressed="false">Play</button>'
    "<span>The arrow keys ← and → step too.</span></p>"
)


def film(content: Content, pictures: Pictures) -> Html:
    """The sections of the pictures."""
    shown = [kind for kind, _ in _SWITCHES if kind != "grid" or content.spacing_mm is not None]
    if not any(_zone(content, entry) for entry in content.series.visits):
        shown.remove("zone")
    inputs = "".join(
        f'<input type="checkbox" id="show-{kind}" class="switch" checked><label for="show-{kind}">{words}</label>'
        for kind, words in _SWITCHES
        if kind in shown
    )
    beside = section("pictures", _title(content), _side_by_side(content, pictures), *_legend(content, shown))
    frames = section("film", "Film of all visits", _CONTROLS, _frames(content, pictures))
    return Html(f'<div class="pictures">{inputs}{beside}{frames}</div>\n')


def _title(content: Content) -> str:
    return "Earlier, later, change" if len(content.pair) > 1 else "Picture"


def _side_by_side(content: Content, pictures: Pictures) -> str:
    roles = _roles(content)
    figures = [
        _figure(
            drawing(
                content, pictures.visits[entry.visit.name], f"{role} visit {entry.visit.name}", _zone(content, entry)
            ),
            f"<b>{role}</b>: {escaped(content.words_of(entry))}",
        )
        for role, entry in zip(roles, content.pair, strict=False)
    ]
    if content.change is not None and pictures.change is not None:
        alt = f"Change from {content.change.earlier.visit.name} to {content.change.later.visit.name}"
        figures.append(_figure(drawing(content, pictures.change, alt), f"<b>Change</b>: {caption(content.change)}"))
    else:
        figures.append(Html(f'<figure class="nothing"><p>{escaped(content.why_no_map)}</p></figure>'))
    columns = _columns(content, pictures)
    return (
        f'<div class="beside" style="grid-template-columns:{columns}">{"".join(figures)}</div>{_doubts(content.change)}'
    )


def _columns(content: Content, pictures: Pictures) -> str:
    """Widths of the columns side by side; the map has a legend beside it, and is as high as the visits."""
    own = [pictures.visits[entry.visit.name].size[1] for entry in content.pair]
    last = own[0] if pictures.change is None else pictures.change.size[1]
    return " ".join(f"minmax(0,{width:g}fr)" for width in (*own, last))


def _roles(content: Content) -> tuple[str, ...]:
    """Earlier and later; scans of one day are neither."""
    days: list[When | None] = [entry.visit.when for entry in content.pair]
    if content.change is None and len(days) == 2 and None not in days and not days[0].before(days[1]):
        return "First scan", "Last scan"
    return ("Earlier", "Later") if len(days) == 2 else ("Visit",)


def _doubts(change: SeriesChange | None) -> str:
    return "" if change is None else "".join(paragraph(f"{doubt}.", "warning") for doubt in change.doubts)


def _zone(content: Content, entry: AlignedVisit) -> Faz | None:
    return None if content.measures is None else content.measures.zones.get(entry.visit.name)


def _legend(content: Content, shown: list[str]) -> list[Html]:
    """What is drawn over the pictures."""
    x, y = content.centre_xy
    where = "chosen" if content.centre_chosen else "suggested: check it"
    centre = f"Cross: centre of the fovea, x = {x:.0f}, y = {y:.0f} px ({where})."
    if content.spacing_mm is None:
        circles = "The pixel size is unknown: no ETDRS circles, areas or lengths."
    else:
        circles = "White: Circles of 1, 3 and 6 mm (ETDRS) and their quadrants."
    sides = (
        " N: nasal, T: temporal."
        if content.series.side
        else " The side is unknown: left and right are those of the image."
    )
    zone = " Yellow: outline of the foveal avascular zone (FAZ) of the visit." if "zone" in shown else ""
    return [paragraph(f"{circles} {centre}{zone}{_unclear(content)}{sides}", "legend")]


def _unclear(content: Content) -> str:
    """Sentences on visits without a zone; the notes say more."""
    if content.measures is None or content.spacing_mm is None:
        return ""
    unstable = content.measures.faz_areas
    unclear = [name for name, each in content.measures.zones.items() if each is None and name not in unstable]
    text = f" The FAZ is not clear in {', '.join(unclear)}." if unclear else ""
    return text + (f" The FAZ depends on the centre in {', '.join(unstable)}: not measured." if unstable else "")


def _frames(content: Content, pictures: Pictures) -> str:
    frames = [(entry, pictures.visits.get(entry.visit.name)) for entry in content.series.visits]
    known = [(entry, picture) for entry, picture in frames if picture is not None]
    count = len(known) + 1
    figures = [
        _frame(content, entry, picture, f"{index} of {count}") for index, (entry, picture) in enumerate(known, 1)
    ]
    mean = drawing(content, pictures.average, "Average of the used visits")
    figures.append(_figure(mean, f"{count} of {count}: <b>average</b> of {len(content.series.used)} used"))
    return f'<div id="frames" aria-live="polite">{"".join(figures)}</div>'


def _frame(content: Content, entry: AlignedVisit, picture: Picture, place: str) -> Html:
    quality = content.series.qualities[content.series.visits.index(entry)]
    notes = [f"signal quality {number(quality)}"]
    notes += ["reference"] if entry is content.reference else []
    notes += ["not used"] if entry.visit.name in content.series.excluded else []
    words = f"{place}: <b>{escaped(content.words_of(entry))}</b>, {', '.join(notes)}"
    return _figure(drawing(content, picture, f"Visit {entry.visit.name}", _zone(content, entry)), words)


def _figure(picture: str, words: str) -> Html:
    return Html(f"<figure>{picture}<figcaption>{words}</figcaption></figure>")

"""The style of the page, on the screen and on paper (A4)."""

from __future__ import annotations

from ..change_picture import GAINED, LOST

_BLUE, _ORANGE = (f"rgb{colour}" for colour in (LOST, GAINED))
STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.45 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.3rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #bbb; }
h3 { font-size: 1.05rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; }
.research { font-weight: bold; }
.short { font-size: 1.1rem; border-left: 5px solid #555; padding: .2rem .8rem; background: #f3f3f3; }
.warning { border-left: 5px solid ORANGE; padding-left: .8rem; }
.legend, figcaption, footer { font-size: .9rem; color: #333; }
.store { position: absolute; }
.wide { overflow-x: auto; max-width: 100%; margin: .6rem 0; }
table { border-collapse: collapse; width: 100%; max-width: 62rem; font-size: .92rem;
  overflow-wrap: break-word; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: bold; padding: .3rem 0; }
th, td { border: 1px solid #aaa; padding: .2rem .5rem; vertical-align: top; text-align: left; font-weight: normal; }
thead th { background: #eee; font-weight: bold; }
.name { overflow-wrap: anywhere; min-width: 5.5rem; }
tbody th.name { width: 20%; min-width: 7.5rem; }
#visits tbody th.name { width: 38%; }
#visits td.text { width: 32%; }
.text { width: 19%; }
.group th { background: #f6f6f6; font-weight: bold; }
.number { text-align: right; }
td.number { white-space: nowrap; }
td.changed { background: #fff3d6; }
td b.down, b.down { color: BLUE; }
td b.up, b.up { color: #a35f00; }
.unknown { background: repeating-linear-gradient(45deg, #e4e4e4 0 4px, #fff 4px 8px); color: #333; }
.beside { display: grid; gap: .8rem; align-items: start; }
figure { margin: 0; }
.nothing { border: 1px dashed #777; padding: 1rem; align-self: stretch; display: grid; place-items: center; }
.picture { display: block; width: 100%; background: #000; }
.rim { stroke: #000; stroke-width: 3.2; stroke-opacity: .55; }
.line { stroke: #fff; stroke-width: 1.2; }
.zone .line { stroke: #f0e442; stroke-width: 1.8; }
.zone .rim { stroke-width: 4; }
.letters { fill: #fff; stroke: #000; stroke-width: 2.5; stroke-linejoin: round; paint-order: stroke; font-weight: bold; }
.switch { margin: .8rem .3rem 0 0; }
.switch + label { margin-right: 1.2rem; font-size: .95rem; }
#show-grid:not(:checked) ~ section .grid, #show-centre:not(:checked) ~ section .centre,
#show-zone:not(:checked) ~ section .zone { display: none; }
#frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .8rem; }
.needs-script { display: none; }
.controls { gap: .6rem; align-items: center; flex-wrap: wrap; }
.controls button { font: inherit; min-width: 2.6rem; padding: .25rem .6rem; }
.controls input { width: 14rem; vertical-align: middle; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; margin: .8rem 0; }
.plots figure { max-width: 34rem; }
.plot { display: block; width: 100%; font-size: 12px; }
.plot text { fill: #222; }
.mesh { stroke: #ddd; }
.axis { stroke: #222; fill: none; }
.band { fill: BLUE; fill-opacity: .15; }
.fit { fill: none; stroke: BLUE; stroke-width: 1.8; }
.first { stroke: #222; stroke-dasharray: 2 4; }
.bar { stroke: #444; fill: none; }
.point { fill: #fff; stroke: #222; stroke-width: 1.6; }
.point.changed { fill: #222; }
summary { cursor: pointer; padding: .3rem 0; font-weight: bold; }
footer { margin-top: 2rem; border-top: 1px solid #bbb; padding-top: .5rem; }
@media screen {
  .script .needs-script { display: flex; }
  .script #frames { display: block; max-width: min(44rem, 85vh); }
  .script #frames figure:not(.now) { display: none; }
}
@media screen and (max-width: 900px) { table { font-size: .8rem; } th, td { padding: .15rem .3rem; } }
@media screen and (max-width: 700px) { .beside { grid-template-columns: 1fr !important; } }
@page { size: A4; margin: 14mm 12mm 16mm;
  @bottom-left { content: "For research, not for clinical use"; font-size: 8pt; }
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
@media print {
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 16pt; } h2 { font-size: 13pt; } h3 { font-size: 11pt; }
  h2, h3, caption, summary, .group { break-after: avoid; }
  tr, figure, li, .short, .beside { break-inside: avoid; }
  thead { display: table-header-group; }
  .wide { overflow: visible; }
  table { font-size: 8.5pt; max-width: 100%; }
  td.number { white-space: normal; }
  th, td { padding: 1pt 3pt; }
  tbody th.name { min-width: 30mm; }
  .switch, .switch + label, .controls, summary { display: none !important; }
  #frames { grid-template-columns: repeat(3, 1fr); }
  .plots { grid-template-columns: 1fr 1fr; }
  details > :not(summary) { display: block; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
""".replace("BLUE", _BLUE).replace("ORANGE", _ORANGE)
"""CSS. Colours are those of the change map, and never alone: arrows, bold words and hatching say the same."""

"""Measures the time from a click on Register to the picture, on the sample pairs.

Run as `python -m pytest -s Testing/Module/measure_clicks.py` on a machine that does nothing else. Each pair is registered once:
the first click is that of a session, the others are later ones.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from statistics import median

from make_screenshots import WINDOW
from panel_helpers import SAMPLES, choose_folder, click_row, open_panel, register, settle

from MetaRegistrationLib.registration.pipeline import Pipeline

PAIRS = 11


def test_clicks(rig, tmp_path: Path, monkeypatch):
    folder = tmp_path / "OCTA pairs"
    shutil.copytree(SAMPLES, folder)
    widget = open_panel(rig)
    rig.main_window.resize(*WINDOW)
    rig.main_window.show()
    choose_folder(rig, widget, folder)
    compute, registrations, rows = Pipeline.__call__, [], []

    def timed(*given, **options):
        began = time.perf_counter()
        found = compute(*given, **options)
        registrations.append(time.perf_counter() - began)
        return found

    monkeypatch.setattr(Pipeline, "__call__", timed)
    for row in range(PAIRS):
        click_row(rig, widget, row)
        settle(rig, 2.0)
        began = time.perf_counter()
        register(rig, widget)
        rig.main_window.repaint()
        rig.process_events()
        rows.append((time.perf_counter() - began, registrations[-1]))
    first, later = rows[0], [median(values) for values in zip(*rows[1:], strict=True)]
    for name, (whole, registration) in (("first click", first), ("later clicks, median", later)):
        print(f"\n{name}: {whole:.2f} s, of which the registration {registration:.2f} s", end="")
    print()

"""Series of visits: who is the reference, ways through another visit, ways that do not come back, and averages."""

import contextlib
import csv
import io
import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from drawn_eyes import drawn_eye
from known_networks import write_grey_png

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.visits import Visit, align_series, average
from MetaRegistrationLib.visits.quality import quality

WIDE = 200 * drawn_eye(4, 260)
PLACES = {"a": (30, 30), "b": (36, 27), "c": (24, 33), "d": (33, 36)}


def view(name, noise=8.0, seed=0):
    """The window of 200 x 200 that a visit shows, with noise of its own."""
    row, column = PLACES[name]
    rng = np.random.default_rng([seed, ord(name)])
    return np.clip(WIDE[row : row + 200, column : column + 200] + rng.normal(0, noise, (200, 200)), 0, 255).astype(
        np.float32
    )


def visits(names="abcd", **options):
    return [Visit(name, Image(view(name, **options), Geometry((200, 200)))) for name in names]


class Shifts:
    """Registers by the known windows; `unknown` pairs are not found, `wrong` ones are off by 3 pixels."""

    def __init__(self, visits, unknown=(), wrong=()):
        self._names = {id(visit.image): visit.name for visit in visits}
        self._unknown, self._wrong, self.asked = unknown, wrong, []

    def __call__(self, moving, fixed):
        pair = self._names[id(moving)] + self._names[id(fixed)]
        self.asked.append(pair)
        shift = np.subtract(PLACES[pair[1]], PLACES[pair[0]]) + (3 if pair in self._wrong else 0)
        grid = np.stack(np.meshgrid(np.arange(200.0), np.arange(200.0), indexing="ij"), -1)
        confidence = 0.1 if pair in self._unknown else 1.0

        class Found:
            alignment = type("Alignment", (), {"confidence": confidence})
            ncc, result_stage, error = (0.1, 0.8), "refine", None

            @staticmethod
            def moving_positions():
                return grid + shift

        return Found


def error(series, name):
    entry = next(entry for entry in series.visits if entry.visit.name == name)
    reference = series.visits[series.reference].visit.name
    shift = np.subtract(PLACES[reference], PLACES[name])
    grid = np.stack(np.meshgrid(np.arange(200.0), np.arange(200.0), indexing="ij"), -1)
    return np.abs(entry.positions - grid - shift).max()


def test_the_sharpest_visit_is_the_reference_and_all_come_to_it():
    mine = [
        Visit(v.name, Image(view(v.name, noise=2.0 if v.name == "c" else 20.0), v.image.geometry)) for v in visits()
    ]
    series = align_series(mine, Shifts(mine))
    assert series.visits[series.reference].visit.name == "c" and "best image quality" in series.why
    assert all(error(series, name) < 1e-4 for name in "abcd")
    assert max(series.round_trip_px.values()) < 1e-3 and series.inconsistent == []
    assert quality(mine[2].image) > 1.2 * quality(mine[0].image)


def test_what_cannot_be_aligned_directly_goes_through_another_visit():
    mine = visits()
    register = Shifts(mine, unknown=("da",))
    series = align_series(mine, register, reference="a")
    last = series.visits[3]
    assert last.via in "bc" and error(series, "d") < 1e-4 and series.why == "chosen"
    assert len(register.asked) == len(set(register.asked)), "no pair is registered twice"


def test_three_visits_are_checked_by_one_more_registration():
    mine = visits("abc")
    register = Shifts(mine)
    assert list(align_series(mine, register, reference="a").round_trip_px) == [("b", "c")]
    assert sorted(register.asked) == ["ba", "ca", "cb"]


def test_what_cannot_be_aligned_at_all_is_left_out():
    mine = visits()
    series = align_series(mine, Shifts(mine, unknown=("da", "db", "dc")), reference="a")
    assert [entry.aligned for entry in series.visits] == [True, True, True, False]
    assert average(series).count.max() == 3


def test_a_visit_that_breaks_triangles_is_named():
    mine = visits()
    series = align_series(mine, Shifts(mine, wrong=("ba",)), reference="a")
    assert series.inconsistent == ["b"] or "b" in series.inconsistent
    assert series.round_trip_px["b", "c"] == pytest.approx(3 * 2**0.5 * 2, abs=0.01)  # of 400 pixels


def test_the_average_is_nearer_to_the_truth_than_a_visit_and_shadows_do_not_count():
    mine = visits(noise=20.0)
    mine[1].image.array[60:90] = 0  # a shadow, in one visit
    series = align_series(mine, Shifts(mine), reference="a")
    found = average(series)
    truth = WIDE[30:230, 30:230]
    inner = np.s_[12:-12, 12:-12]
    one = np.abs(view("a", noise=20.0) - truth)[inner].mean()
    assert np.abs(found.image - truth)[inner].mean() < 0.75 * one
    assert found.count[inner].min() >= 3 and found.count.max() == 4
    rows = np.s_[60:80, 40:160]
    assert np.abs(found.image - truth)[rows].mean() < 0.9 * one


def test_names_and_references_that_are_not_there_are_refused():
    mine = visits("ab")
    with pytest.raises(InputError, match="at least two visits"):
        align_series(mine[:1], Shifts(mine))
    with pytest.raises(InputError, match=r"no visit 'x'.*a, b"):
        align_series(mine, Shifts(mine), reference="x")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A series that the command wrote: its folder, the words without those of the reference, and the events on stdout."""
    folder, told = tmp_path_factory.mktemp("series"), io.StringIO()
    for name in "abc":
        write_grey_png(folder / "eye" / f"{name}.png", view(name))
    out = folder / "out é"
    words = [
        "series",
        "--folder",
        folder / "eye",
        "--output",
        out,
        "--no-network",
        "--refine",
        "0",
        "--device",
        "cpu",
    ]
    with contextlib.redirect_stdout(told):
        assert main([str(word) for word in [*words, "--reference", "a", "--json"]]) == 0
    return out, words, [json.loads(line) for line in told.getvalue().splitlines()]


def test_the_command_writes_a_series(written, capsys):
    out, words, _ = written
    rows = {row["visit"]: row for row in csv.DictReader((out / "visits.csv").open(encoding="utf-8"))}
    assert all(rows[name]["aligned"] == "yes" for name in "abc") and float(rows["b"]["overlap_percent"]) > 90
    (loop,) = csv.DictReader((out / "consistency.csv").open(encoding="utf-8"))
    assert float(loop["median_px"]) < 0.5
    mean = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "average.nrrd")))[0]
    inner = np.s_[12:-12, 12:-12]
    assert np.abs(mean - WIDE[30:230, 30:230])[inner].mean() < np.abs(view("a") - WIDE[30:230, 30:230])[inner].mean()
    transform = sitk.DisplacementFieldTransform(
        sitk.Cast(sitk.ReadImage(str(out / "b_transform.nrrd")), sitk.sitkVectorFloat64)
    )
    point = np.array(transform.TransformPoint((100.0, 90.0, 0.0)))[:2]
    assert np.allclose(point, (103.0, 84.0), atol=0.5)  # (x, y): b shows 6 rows further down, 3 columns further left
    count, overlap = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(out / f"{name}.nrrd"))) for name in ("count", "overlap")
    )
    assert np.array_equal(overlap, count == 3) and 0.8 < overlap.mean() < 1
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "not for clinical use" in page and page.count("data:image/png") == 5 and "http" not in page
    record = json.loads((out / "series.json").read_text(encoding="utf-8"))
    assert record["reference"] == "a" and record["inconsistent"] == []
    assert len(list((out / "film").iterdir())) == 4
    assert main([str(word) for word in [*words, "--initial", "landmarks"]]) == 2
    assert "no landmarks to go by. Choose another --initial." in capsys.readouterr().err


def test_each_registration_of_a_series_is_a_stage_that_is_counted(written):
    stages = [event for event in written[2] if event["event"] == "stage"]
    assert {(stage["name"], stage["total"]) for stage in stages} == {("register", 3)}
    assert [stage["index"] for stage in stages] == [1, 2, 3]
    assert {stage["detail"] for stage in stages} == {"b to a", "c to a", "c to b"}

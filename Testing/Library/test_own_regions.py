"""The user's own regions: label maps of every kind, the visit on which they were drawn, and what is refused."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from known_networks import write_grey_png
from PIL import Image as Picture
from test_visit_measures import MM, entry, eye
from test_visits import PLACES, Shifts, visits

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.api.regions import as_regions
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.label_maps import LabelMap, label_map, read_label_map
from MetaRegistrationLib.visits import Visit, align_series
from MetaRegistrationLib.visits.own_regions import fitting, given_regions, on_reference
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series

LABELS = np.zeros((200, 200), np.uint8)
LABELS[20:60, 30:90] = 1
LABELS[100:150, 100:180] = 5

HEADER = """NRRD0004
# Complete NRRD file format specification at:
# http://teem.sourceforge.net/nrrd/format.html
type: unsigned char
dimension: {dimension}
space: left-posterior-superior
sizes: {sizes}
space directions: {none}(0.01,0,0) (0,0.01,0) (0,0,1)
kinds: {kinds}domain domain domain
encoding: raw
space origin: ({origin},0)
{segments}
Segmentation_ContainedRepresentationNames:=Binary labelmap|
Segmentation_MasterRepresentation:=Binary labelmap

"""


def write_segmentation(path, layers, segments, origin="0,0"):
    """A segmentation of one slice as Slicer writes it; `layers` (H, W, C), `segments` name, label, layer."""
    rows, columns, count = layers.shape
    lines = []
    for number, (name, value, layer) in enumerate(segments):
        lines += [f"Segment{number}_ID:=Segment_{number}", f"Segment{number}_Name:={name}"]
        if value is not None:
            lines += [f"Segment{number}_LabelValue:={value}", f"Segment{number}_Layer:={layer}"]
    several = count > 1
    head = HEADER.format(
        dimension=4 if several else 3,
        sizes=f"{count} {columns} {rows} 1" if several else f"{columns} {rows} 1",
        none="none " if several else "",
        kinds="list " if several else "",
        origin=origin,
        segments="\n".join(lines),
    )
    path.write_bytes(head.encode() + np.ascontiguousarray(layers).tobytes())
    return path


def same(found, *names):
    assert list(found.regions) == list(names)
    return [found.regions[name] for name in names]


@pytest.mark.parametrize("name", ["my regions.png", "é.tif", "map.nrrd", "map.mha", "map.nii.gz", "rgb.png", "map.bmp"])
def test_label_maps_of_every_format(tmp_path, name):
    path = tmp_path / name
    if name == "rgb.png":
        Picture.fromarray(np.stack([LABELS] * 3, -1)).save(path)
    elif path.suffix in (".png", ".tif", ".bmp"):
        Picture.fromarray(LABELS).save(path)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(LABELS[None]), str(path))
    first, fifth = same(read_label_map(path), "label 1", "label 5")
    assert np.array_equal(first, LABELS == 1) and np.array_equal(fifth, LABELS == 5)


def test_a_palette_gives_its_indices(tmp_path):
    picture = Picture.fromarray(LABELS)
    picture = picture.convert("P")
    picture.putdata(LABELS.ravel().tolist())
    picture.putpalette([0, 0, 0, 250, 10, 10, 1, 1, 1, 2, 2, 2, 3, 3, 3, 10, 10, 250] + [9] * 750)
    picture.save(tmp_path / "palette.png")
    assert list(read_label_map(tmp_path / "palette.png").regions) == ["label 1", "label 5"]


def test_a_segmentation_has_names_and_layers(tmp_path):
    over = np.zeros_like(LABELS)
    over[50:110, 50:110] = 1  # overlaps both
    layers = np.stack([LABELS, over], -1)
    segments = [("Drusen, größer", 1, 0), ("non-perfused", 5, 0), ("whole scar", 1, 1), ("nothing", 7, 0)]
    found = read_label_map(write_segmentation(tmp_path / "a b.seg.nrrd", layers, segments))
    masks = same(found, "Drusen, größer", "non-perfused", "whole scar")
    for mask, truth in zip(masks, (LABELS == 1, LABELS == 5, over == 1), strict=True):
        assert np.array_equal(mask, truth)
    assert found.empty == ("nothing",) and found.geometry.spacing == (0.01, 0.01)
    single = read_label_map(write_segmentation(tmp_path / "one.seg.nrrd", LABELS[..., None], segments[:1]))
    assert list(single.regions) == ["Drusen, größer", "label 5"], "a label without a segment has a name too"
    old = [("first", None, None), ("second", None, None)]
    found = read_label_map(write_segmentation(tmp_path / "old.seg.nrrd", (layers > 0).astype(np.uint8), old))
    assert list(found.regions) == ["first", "second"]


@pytest.mark.parametrize(
    ("pixels", "text"),
    [
        (np.zeros((9, 9)), "no label above 0"),
        (np.full((9, 9), 1.5), "whole numbers"),
        (np.arange(81).reshape(9, 9), "at most 64 regions"),
        (np.random.default_rng(0).integers(0, 9, (9, 9, 3)), "colours"),
    ],
)
def test_what_is_no_label_map_is_refused(pixels, text):
    with pytest.raises(InputError, match=f"x.nrrd: .*{text}"):
        label_map(pixels, "x.nrrd")


def test_jpeg_and_doubled_names_are_refused(tmp_path):
    Picture.fromarray(LABELS).save(tmp_path / "x.jpg")
    with pytest.raises(InputError, match="JPEG changes the labels"):
        read_label_map(tmp_path / "x.jpg")
    twice = write_segmentation(tmp_path / "x.seg.nrrd", LABELS[..., None], [("a", 1, 0), ("a", 5, 0)])
    with pytest.raises(InputError, match="two regions are called 'a'"):
        read_label_map(twice)


@pytest.mark.parametrize(
    "name", ["whole", "Centre", "inner_nasal", "OUTER_x", "outer temporal", "", " ", "a\nb", "=1+1"]
)
def test_names_that_tables_cannot_have_are_refused(name):
    with pytest.raises(InputError, match="regions"):
        given_regions(LabelMap({name: LABELS == 1}), "regions")


def test_names_that_differ_in_case_alone_are_refused():
    with pytest.raises(InputError, match="two regions are called"):
        given_regions(LabelMap({"Scar": LABELS == 1, "scar ": LABELS == 5}), "regions")
    assert list(given_regions(LabelMap({" centre of drusen ": LABELS == 1}), "x").labels.regions) == [
        "centre of drusen"
    ]


def middle(noise=0):
    """The middle of a scan, (200, 200)."""
    return eye(noise=noise)[60:260, 60:260]


def aligned(reference="a"):
    mine = visits("ab")
    return align_series(mine, Shifts(mine), reference=reference)


def given(visit=None, labels=LABELS, geometry=None):
    return given_regions(label_map(labels, "map.png", geometry), "map.png", visit)


def test_regions_on_another_visit_are_brought_to_the_reference():
    found = on_reference(given("b"), aligned())
    shift = np.subtract(PLACES["a"], PLACES["b"])
    truth = np.roll(LABELS == 1, tuple(-shift), (0, 1))
    assert found.visit == "b" and np.array_equal(found.masks["label 1"], truth)
    plain = on_reference(given(), aligned())
    assert plain.visit == "a" and plain.others == ("b",) and np.array_equal(plain.masks["label 1"], LABELS == 1)


def test_the_size_tells_the_visit_and_a_region_beyond_the_frame_is_cut():
    wide = entry("wide", eye()).visit
    small = entry("small", eye()[60:260, 60:260]).visit
    places = np.stack(np.indices((320, 320)), -1).astype(np.float32)
    entries = [entry("wide", eye()), type(entry("x", eye()))(small, places - 60, "", 1.0, 0.9)]
    series = Series(0, "chosen", entries, [1.0, 1.0])
    assert fitting(given(), [wide, small]) == ["small"]
    found = on_reference(given(), series).masks["label 1"]
    assert found.shape == (320, 320) and np.array_equal(found[60:260, 60:260], LABELS == 1) and found.sum() == 2400
    everywhere = on_reference(given(labels=np.ones((200, 200), np.uint8)), series).masks["label 1"]
    assert everywhere.sum() == 200 * 200, "beyond its frame there is no region"


def test_what_fits_no_visit_is_refused_with_both_sizes():
    with pytest.raises(InputError, match=r"map\.png: regions of 200 x 200 \(a, b\) pixels .* they have 90 x 80"):
        on_reference(given(labels=np.ones((80, 90), np.uint8)), aligned())
    with pytest.raises(InputError, match="there is no visit 'c'"):
        on_reference(given("c"), aligned())
    flipped = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))
    for far in (
        Geometry((320, 320), (0.1, 0.1), spacing_known=True),
        Geometry((320, 320), (MM, MM), (9.0, 9.0, 0.0), flipped, spacing_known=True),
    ):
        drawn = given(labels=np.ones((320, 320), np.uint8), geometry=far)
        with pytest.raises(InputError, match=r"pixels as those of a visit were expected"):
            fitting(drawn, [entry("a", eye()).visit])
        named = given("a", np.ones((320, 320), np.uint8), far)
        assert fitting(named, [entry("a", eye()).visit]) == ["a"], "the user says so"


def test_a_position_tells_visits_of_one_size_apart():
    first, second = (
        Visit(name, mr.Image(eye(), Geometry((320, 320), (MM, MM), origin, spacing_known=True)))
        for name, origin in (("a", (0.0, 0.0, 0.0)), ("b", (7.0, 0.0, 0.0)))
    )
    drawn = given(labels=np.ones((320, 320), np.uint8), geometry=second.image.geometry)
    assert fitting(drawn, [first, second]) == ["b"]


def test_a_cropped_segmentation_is_put_back():
    geometry = Geometry((320, 320), (MM, MM), (1.0, 2.0, 0.0), spacing_known=True)
    image = mr.Image(eye(), geometry)
    part = Geometry((40, 60), (MM, MM), tuple(geometry.to_physical((100, 30))), spacing_known=True)
    one = entry("a", eye())
    series = Series(0, "chosen", [type(one)(Visit("a", image), one.positions, "", 1.0, 0.9)], [1.0])
    found = on_reference(given(labels=np.ones((40, 60), np.uint8), geometry=part), series).masks["label 1"]
    assert found[100:140, 30:90].all() and found.sum() == 2400


def test_regions_on_a_visit_that_is_not_aligned_are_refused():
    mine = visits("abc")
    series = align_series(mine, Shifts(mine, unknown=("ca", "cb", "bc", "ac")), reference="a")
    with pytest.raises(InputError, match="c, which could not be aligned"):
        on_reference(given("c"), series)


def test_a_small_region_has_the_largest_coefficient_of_repeatability():
    own = np.zeros((200, 200), bool)
    own[40:80, 40:80] = True
    series = Series(0, "chosen", [entry("a", middle()), entry("b", middle(1))], [1.0, 1.0])
    found = measure_series(series, grid_of(series, (100, 100), {"mine": own}))
    cor = {c.region: c.cor for c in found.changes if c.measure == "capillary_density"}
    assert cor["mine"] == max(cor.values()) > cor["whole"] and "mine" in found.notes[0]


WORDS = (
    "--initial",
    "translation",
    "--no-network",
    "--refine",
    "0",
    "--device",
    "cpu",
    "--spacing-um",
    str(1000 * MM),
    "--no-change",
)


def test_the_command_measures_them(tmp_path, capsys):
    for name, seed in {"2020": 1, "2021": 2}.items():
        write_grey_png(tmp_path / "OD" / f"{name}.png", middle(seed))
    labels = np.zeros((200, 200, 1), np.uint8)
    labels[40:120, 40:120] = 1
    path = write_segmentation(tmp_path / "my regions.seg.nrrd", labels, [("Narbe, groß", 1, 0)])
    words = ["series", "--folder", tmp_path / "OD", "--output", tmp_path / "out", "--reference", "2021", *WORDS]
    assert main([str(word) for word in [*words, "--regions", path, "--regions-visit", "2020"]]) == 0
    with (tmp_path / "out" / "measurements.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["region"] == "Narbe, groß"]
    assert {row["visit"] for row in rows} == {"2020", "2021"} and "capillary_density" in {
        row["measure"] for row in rows
    }
    record = json.loads((tmp_path / "out" / "series.json").read_text(encoding="utf-8"))["regions"]
    assert record == {"file": str(path), "visit": "2020", "names": ["Narbe, groß"]}
    assert "Narbe, groß" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    capsys.readouterr()
    Picture.fromarray(LABELS[:150]).save(tmp_path / "other.png")
    assert main([str(word) for word in [*words, "--regions", tmp_path / "other.png", "--replace"]]) == 2
    told = capsys.readouterr().err
    assert "other.png: regions of 200 x 200" in told and "200 x 150" in told
    assert main([str(word) for word in [*words, "--regions-visit", "2020", "--replace"]]) == 2
    assert "--regions-visit" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--regions", "x.png"), ("--axial-length", "25")])
def test_settings_of_one_eye_are_refused_for_several(tmp_path, capsys, words):
    for eye_name in ("OD", "OS"):
        for name in ("2020", "2021"):
            write_grey_png(tmp_path / "eyes" / eye_name / f"{name}.png", eye(noise=int(name)))
    call = ["series", "--folder", str(tmp_path / "eyes"), "--output", str(tmp_path / "out"), *words]
    assert main(call) == 2
    assert f"{words[0]} belong" in capsys.readouterr().err and not list((tmp_path / "out").glob("**/*.csv"))


def test_results_never_replace_the_label_map(tmp_path, capsys):
    for name, seed in {"2020": 1, "2021": 2}.items():
        write_grey_png(tmp_path / "OD" / f"{name}.png", eye(noise=seed))
    (tmp_path / "out").mkdir()
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((320, 320), np.uint8)), str(tmp_path / "out" / "overlap.nrrd"))
    before = (tmp_path / "out" / "overlap.nrrd").read_bytes()
    words = ["series", "--folder", tmp_path / "OD", "--output", tmp_path / "out", "--replace", *WORDS]
    assert main([str(word) for word in [*words, "--regions", tmp_path / "out" / "overlap.nrrd"]]) == 2
    assert (tmp_path / "out" / "overlap.nrrd").read_bytes() == before and "overlap.nrrd" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["array", "path", "itk", "mapping"])
def test_python_takes_arrays_files_and_mappings(tmp_path, kind):
    labels = np.zeros((200, 200), np.uint8)
    labels[80:160, 80:160] = 2
    Picture.fromarray(labels).save(tmp_path / "x.png")
    itk = sitk.GetImageFromArray(labels)
    itk.SetSpacing((MM, MM))
    values = {"array": labels, "path": tmp_path / "x.png", "itk": itk, "mapping": {"mine": labels == 2}}
    found = as_regions(values[kind], "visit_1")
    (mask,) = same(found.labels, "mine" if kind == "mapping" else "label 2")
    assert found.visit == "visit_1" and np.array_equal(mask, labels == 2)


def test_python_measures_them():
    labels = np.zeros((200, 200), np.uint8)
    labels[80:160, 80:160] = 2
    plain = {"spacing": MM, "device": "cpu", "stages": mr.Stages("none", network=False, refine=0)}
    scans = [middle(), middle(1)]
    found = mr.align_visits(scans, regions=labels, regions_visit="visit_1", **plain)
    assert list(found.regions) == ["label 2"] and "label 2" in {row["region"] for row in found.measurements}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "at least one region"),
        ({"a": np.ones((320, 320))}, "bool array"),
        ({"a": np.ones((9, 9), bool), "b": np.ones((8, 8), bool)}, "one shape"),
        ({1: np.ones((320, 320), bool)}, "names"),
        ({"a": np.ma.masked_array(np.ones((320, 320), bool), np.eye(320))}, "without masked values, got 320"),
        (np.ones((9, 9), int), "they have 9 x 9"),
        (object(), "regions"),
        ({"whole": np.ones((320, 320), bool)}, "standard region"),
    ],
)
def test_python_refuses_other_regions(value, text):
    with pytest.raises(InputError, match=text):
        mr.align_visits([eye(), eye(noise=1)], regions=value, device="cpu")

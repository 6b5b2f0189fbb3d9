"""Numbers in options and tables: decimal commas, and two pixel sizes of one row."""

from __future__ import annotations

import pytest
from known_networks import texture, write_grey_png

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.numeric import AmbiguousNumber, from_text
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits.sources import eyes_of_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three images."""
    root = tmp_path_factory.mktemp("images")
    for number, name in enumerate("abc"):
        write_grey_png(root / f"{name}.png", texture((64, 64), number))
    return root


def table(folder, name, *lines):
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("18.75", 18.75),
        ("18,75", 18.75),
        ("0,123", 0.123),
        ("-0,5", -0.5),
        ("1.234", 1.234),
        ("1e-3", 0.001),
        ("1,2345", 1.2345),
    ],
)
def test_a_single_comma_is_the_decimal_point(text, number):
    assert from_text(text) == number


@pytest.mark.parametrize("text", ["1,234", "-12,500", "999,000"])
def test_a_comma_before_three_digits_is_ambiguous(text):
    with pytest.raises(AmbiguousNumber, match=f"{text.replace(',', '.')} or {text.replace(',', '')}"):
        from_text(text)


@pytest.mark.parametrize("text", ["1,234.5", "1,2,3", "1.234,5", "a,b", ",", ""])
def test_other_texts_are_no_numbers(text):
    with pytest.raises(ValueError, match="could not convert"):
        from_text(text)


def test_an_option_takes_a_decimal_comma(folder, capsys):
    path = table(folder, "pairs.csv", "moving,fixed", "a.png,b.png")
    assert main(["pairs", str(path), "--spacing-um", "18,75"]) == 0
    assert "18.75" in capsys.readouterr().out


def test_an_option_with_thousands_or_decimals_is_refused_with_both_readings(folder, capsys):
    path = table(folder, "pairs.csv", "moving,fixed", "a.png,b.png")
    assert main(["pairs", str(path), "--spacing-um", "1,234"]) == 2
    assert "got '1,234': it may be 1.234 or 1234." in capsys.readouterr().err


def test_a_quoted_cell_takes_a_decimal_comma(folder):
    path = table(folder, "quoted.csv", "moving,fixed,spacing_um", 'a.png,b.png,"18,75"')
    assert find_pairs(path).pairs[0].spacing_um == 18.75


def test_a_quoted_cell_with_thousands_or_decimals_is_left_out_with_both_readings(folder):
    path = table(folder, "thousands.csv", "moving,fixed,spacing_um", 'a.png,b.png,"1,234"', "a.png,c.png,2")
    (left_out,) = find_pairs(path).left_out
    assert "spacing_um is '1,234': it may be 1.234 or 1234." in left_out.reason


def test_a_table_with_semicolons_has_decimal_commas_alone(folder):
    (row,) = read_table(table(folder, "semicolons.csv", "moving;x", "a.png;1,234"), ("moving",))
    assert row.number("x") == 1.234


def test_a_cell_that_is_no_number_is_named(folder):
    (row,) = read_table(table(folder, "words.csv", "moving,x", 'a.png,"a,b"'), ("moving",))
    with pytest.raises(InputError, match="line 2: x must be a number, but it is 'a,b'"):
        row.number("x")


def test_a_pair_with_two_pixel_sizes_is_left_out(folder):
    rows = ("a.png,b.png,18.75,0.02", "a.png,c.png,18.75,0.01875", "b.png,c.png,,0.02")
    found = find_pairs(table(folder, "sizes.csv", "moving,fixed,spacing_um,spacing", *rows))
    assert [pair.spacing_um for pair in found.pairs] == [18.75, 20]
    (left_out,) = found.left_out
    assert "two pixel sizes, 18.75 um (spacing_um) and 0.02 mm (spacing)" in left_out.reason


def test_a_visit_with_two_pixel_sizes_is_left_out(folder):
    rows = ("a.png,2021-01-01,18.75,0.02", "b.png,2022-01-01,18.75,0.01875", "c.png,2023-01-01,,0.02")
    eyes = eyes_of_table(table(folder, "visits.csv", "image,date,pixel_size_um,pixel_size_mm", *rows))
    (eye,) = eyes.eyes.values()
    assert [visit.spacing_um for visit in eye.visits] == [18.75, 20]
    (left_out,) = eyes.left_out
    assert "two pixel sizes, 18.75 um" in str(left_out.error)

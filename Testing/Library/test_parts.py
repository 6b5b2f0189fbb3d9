"""Parts of a run that saw unlike lists of pairs, or read them in unlike ways."""

from __future__ import annotations

import json
import shutil

import pytest
from known_networks import read_rows, write_points
from test_many_pairs import WORDS, left_out, pairs_folder, run

from MetaRegistrationLib.formats.written_files import NAME


def table_of(folder, count):
    rows = [(f"p{n}", f"moving/eye {n}.png", f"fixed/eye {n}.png", "test") for n in range(count)]
    write_points(folder / "pairs.csv", rows, ("name", "moving", "fixed", "split"))
    return folder / "pairs.csv"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return pairs_folder(tmp_path_factory.mktemp("images"), 5)


@pytest.fixture
def pairs(images, tmp_path):
    return shutil.copytree(images, tmp_path / "pairs")


@pytest.fixture
def part(pairs, tmp_path):
    """Runs a part of two into `out`."""

    def part(number, *words, pairs=pairs):
        return run("register", "--pairs", pairs, *WORDS, "--output", tmp_path / "out", "--shard", f"{number}/2", *words)

    return part


def rows(folder):
    return [row["pair"] for row in read_rows(folder / "metrics.csv")]


def test_a_pair_that_is_in_no_part_is_named(pairs, part, tmp_path, capsys):
    out = tmp_path / "out"
    assert part(1, pairs=table_of(pairs, 3)) == 0
    assert part(2, pairs=table_of(pairs, 5)) == 0
    assert run("merge", out) == 4
    assert rows(out) == ["p0", "p1", "p2", "p3"]
    assert [each["pair"] for each in left_out(out)] == ["p4"] and "in no part" in left_out(out)[0]["reason"]
    assert "1 pair in no part: p4. The parts did not see the same list" in capsys.readouterr().err
    assert part(1, "--resume", pairs=pairs / "pairs.csv") == 0
    assert run("merge", out) == 0
    assert rows(out) == ["p0", "p1", "p2", "p3", "p4"] and left_out(out) == []


def test_a_pair_of_two_parts_is_explained_by_their_lists(pairs, part, tmp_path, capsys):
    table = table_of(pairs, 4)
    assert part(1, pairs=table) == 0
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")
    assert part(2, pairs=table) == 0
    assert run("merge", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "p2: this pair is in" in told and "did not see the same list of pairs" in told


def test_a_file_that_is_missing_for_a_moment_moves_no_other_pair(pairs, part, tmp_path):
    table, out = table_of(pairs, 3), tmp_path / "out"
    (pairs / "moving" / "eye 1.png").rename(tmp_path / "away.png")
    assert part(1, pairs=table) == 0
    (tmp_path / "away.png").rename(pairs / "moving" / "eye 1.png")
    assert part(2, pairs=table) == 0
    assert run("merge", out) == 0
    assert rows(out) == ["p0", "p1", "p2"] and left_out(out) == []


def test_a_part_of_which_no_pair_can_be_used_is_refused_with_the_reasons(pairs, part, tmp_path, capsys):
    table = table_of(pairs, 2)
    (pairs / "moving" / "eye 1.png").unlink()
    assert part(1, pairs=table) == 0 and part(2, pairs=table) == 2
    assert "--shard 2/2: no pair of this part can be used. Left out:" in (told := capsys.readouterr().err)
    assert "moving/eye 1.png" in told
    assert run("merge", tmp_path / "out") == 4
    assert left_out(tmp_path / "out") == [{"pair": "part 2/2", "reason": "its results are missing: p1"}]


def test_a_pair_that_one_part_left_out_and_another_has_is_not_left_out(pairs, part, tmp_path):
    """As parts of an earlier version are."""
    out, table = tmp_path / "out", table_of(pairs, 4)
    assert part(1, pairs=table) == 0 and part(2, pairs=table) == 0
    summary = out / "shard_1_of_2" / "summary.json"
    content = json.loads(summary.read_text(encoding="utf-8")) | {"left_out": [{"pair": "p1", "reason": "no such file"}]}
    summary.write_text(json.dumps(content), encoding="utf-8")
    assert run("merge", out) == 0 and left_out(out) == []


@pytest.mark.parametrize(
    ("words", "other", "said"),
    [
        (("--spacing-um", 9), ("--spacing-um", 18), "in pixel size"),
        ((), ("--slice", 0), "in slice"),
        (("--split", "test"), (), "in split"),
    ],
)
def test_parts_that_were_read_in_unlike_ways_are_not_mixed(words, other, said, pairs, part, tmp_path, capsys):
    table = table_of(pairs, 2)
    assert part(1, *words, pairs=table) == 0 and part(2, *other, pairs=table) == 0
    assert run("merge", tmp_path / "out") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "value", "said"), [("version", "0.0.1", "version of the program"), ("batch", 8, "batch")]
)
def test_parts_of_unlike_settings_are_not_mixed(key, value, said, pairs, part, tmp_path, capsys):
    table = table_of(pairs, 2)
    assert part(1, pairs=table) == 0 and part(2, pairs=table) == 0
    listed = tmp_path / "out" / "shard_2_of_2" / NAME
    lines = [json.loads(line) for line in listed.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line.get("values", {})[key] = value
    listed.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert run("merge", tmp_path / "out") == 2
    assert f"differs from {listed.parent.with_name('shard_1_of_2')} in {said}" in capsys.readouterr().err


def test_a_pair_keeps_its_part_when_a_row_before_it_is_damaged(pairs, part, tmp_path):
    table = table_of(pairs, 3)
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("moving/eye 0.png", ""), encoding="utf-8")
    assert part(1, pairs=table) == 4
    table.write_text(text, encoding="utf-8")
    assert part(2, pairs=table) == 0 and part(1, "--resume", pairs=table) == 0
    assert run("merge", tmp_path / "out") == 0 and rows(tmp_path / "out") == ["p0", "p1", "p2"]

"""`meta-registration reproduce` replaces no file of the user, and adds to no results of another command."""

from __future__ import annotations

import json
import os

import pytest
from reproduce_helpers import Place

from MetaRegistrationLib.formats.earlier_results import results_of
from MetaRegistrationLib.formats.written_files import ListWriter, WrittenFiles, new_run

STILL = ("--bed", "R", "--rows", "not_deformed")
SIMULATED = ("--bed", "S", "--rows", "not_deformed")


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "table.csv",
        "table.md",
        "claims.csv",
        "comparisons.csv",
        "figures/fig4_voxelmorph_R_none.png",
        "runs/voxelmorph/R/none/not_deformed/as_it_is.csv",
    ],
)
def test_a_file_of_the_user_is_not_replaced(place, tmp_path, capsys, name):
    path = tmp_path / "o" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine", encoding="utf-8")
    code = place(tmp_path / "o", *STILL)
    message = capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"
    assert code == 2 and "would replace this file" in message


def test_a_table_that_the_user_changed_is_not_replaced(place, tmp_path, capsys):
    assert place(tmp_path / "o", *STILL) == 0
    path = tmp_path / "o" / "table.csv"
    path.write_text(path.read_text(encoding="utf-8") + "my note\n", encoding="utf-8")
    assert place(tmp_path / "o", *STILL) == 2
    assert "changed since an earlier run wrote it" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8").endswith("my note\n")


def test_results_of_an_earlier_version_are_refused_as_a_whole(place, tmp_path, capsys):
    output = tmp_path / "o"
    assert place(output, *STILL) == 0
    (output / "written_files.jsonl").unlink()
    assert place(output, *STILL) == 2
    message = capsys.readouterr().err
    assert "results of reproduce of an earlier version" in message and "Move it away" not in message


def test_a_simulated_pair_that_the_user_changed_can_be_moved_away(place, tmp_path, capsys):
    assert place(tmp_path / "o", *SIMULATED) == 0
    path = tmp_path / "o" / "beds" / "S" / "pairs.csv"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert place(tmp_path / "o", *SIMULATED) == 2
    message = capsys.readouterr().err
    assert "Move it away, or choose another --output" in message and "--replace" not in message


@pytest.mark.parametrize(
    "below", ["", "octa_scp_repeat_visits", "octa_scp_repeat_visits/images", "octa_scp_single_visits"]
)
def test_the_data_are_no_output_folder(place, capsys, below):
    assert place(place.data / below, *STILL) == 2
    message = capsys.readouterr().err
    assert "would replace the input" in message
    assert not list(place.data.rglob("table.*"))


def test_a_folder_within_the_data_is_an_output_folder(place):
    assert place(place.data / "octa_scp_repeat_visits" / "results", *STILL) == 0
    assert place(place.data / "octa_scp_repeat_visits" / "results", *STILL) == 0


def test_a_folder_above_the_data_is_an_output_folder(place, tmp_path):
    assert place(tmp_path, *STILL) == 0
    assert place(tmp_path, *STILL) == 0


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_folder_above_a_data_set_elsewhere_is_an_output_folder(place, tmp_path):
    real = place.data / "octa_scp_repeat_visits"
    (tmp_path / "elsewhere").mkdir()
    real.symlink_to(real.rename(tmp_path / "elsewhere" / "visits"))
    assert place(tmp_path / "elsewhere", *STILL) == 0
    assert place(tmp_path / "elsewhere" / "visits", *STILL) == 2


def test_results_of_another_command_are_refused(place, tmp_path, capsys):
    output = tmp_path / "o"
    output.mkdir()
    (output / "metrics.csv").write_text("pair\n", encoding="utf-8")
    listed = ListWriter(output, new_run("evaluate", {}))
    listed.note({"file": "metrics.csv", "size": 5, "mtime_ns": 0, "blake2b": ""})
    listed.close()
    assert place(output, *STILL) == 2
    message = capsys.readouterr().err
    assert "holds results of evaluate" in message and "--replace" not in message
    assert sorted(path.name for path in output.iterdir()) == ["metrics.csv", "written_files.jsonl"]


def test_results_are_named_and_all_files_are_listed(place, tmp_path):
    output = tmp_path / "o"
    assert place(output, *STILL, "transfer") == 0
    assert place(output, *SIMULATED) == 0
    assert "results of reproduce" in results_of(output)
    there = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert there - {"written_files.jsonl"} == set(WrittenFiles.read(output).states)


def test_a_simulation_that_was_stopped_begins_again(place, tmp_path):
    assert place(tmp_path / "o", *SIMULATED) == 0
    (tmp_path / "o" / "beds" / "S" / "simulation.json").unlink()
    (tmp_path / "o" / "beds" / "S" / "pairs.csv").unlink()
    assert place(tmp_path / "o", *SIMULATED) == 0
    assert json.loads((tmp_path / "o" / "beds" / "S" / "simulation.json").read_text(encoding="utf-8"))["pairs"] == 4

"""Visits from tables, folders and files: grouped into eyes, dated, sided; what cannot be used is named and ends nothing."""

import unicodedata

import numpy as np
import pydicom
import pytest
from known_networks import write_grey_png
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.visits.dates import AmbiguousDate
from MetaRegistrationLib.visits.eyes import stated_side
from MetaRegistrationLib.visits.sources import eyes_of_files, eyes_of_folder, eyes_of_table

GREY = np.arange(64 * 64, dtype=np.float32).reshape(64, 64) % 251


def images(folder, *names):
    for name in names:
        write_grey_png(folder / f"{name}.png", GREY)


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def names(eyes):
    return {name: [visit.name for visit in eye.visits] for name, eye in eyes.eyes.items()}


def reasons(eyes):
    return {item.name: str(item.error) for item in eyes.left_out}


def dicom(path, **attributes):
    """A DICOM file of 64 x 64 pixels with these attributes; an empty text leaves one out."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.5.7"
    meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = generate_uid(), ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.Modality, data.PixelSpacing = meta.MediaStorageSOPClassUID, "OPT", [0.02, 0.02]
    data.Rows = data.Columns = 64
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelData = 7, GREY.astype(np.uint8).tobytes()
    for name, value in attributes.items():
        setattr(data, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


# Order of time


def test_dates_of_a_table_are_the_order_whatever_the_rows(tmp_path):
    images(tmp_path, "a", "b", "c")
    rows = "visit,date,image\nlast,2023-05-01,a.png\nmiddle,2022-05-01,b.png\nfirst,1 May 2021,c.png\n"
    eye = eyes_of_table(table(tmp_path / "visits.csv", rows)).eyes["eye"]
    assert [visit.name for visit in eye.visits] == ["first", "middle", "last"] and eye.order == "dates"
    assert [str(visit.when) for visit in eye.visits] == ["2021-05-01", "2022-05-01", "2023-05-01"]


def test_without_dates_the_order_is_the_natural_one(tmp_path):
    images(tmp_path / "eye", "visit_1", "visit_2", "visit_10")
    eye = eyes_of_folder(tmp_path / "eye").eyes["eye"]
    assert [visit.name for visit in eye.visits] == ["visit_1", "visit_2", "visit_10"] and eye.order == "names"


def test_dates_in_names_are_the_order(tmp_path):
    images(tmp_path / "eye", "b 20210304", "a 2023-01-01", "c 2022_02_02")
    eye = eyes_of_folder(tmp_path / "eye").eyes["eye"]
    assert [visit.name[0] for visit in eye.visits] == ["b", "c", "a"] and eye.order == "dates"


def test_ambiguous_dates_are_asked_about(tmp_path):
    images(tmp_path / "eye", "04.03.2021", "05.02.2021")
    with pytest.raises(AmbiguousDate, match=r"day and month.*dates"):
        eyes_of_folder(tmp_path / "eye")
    by_order = {
        order: [visit.name for visit in eyes_of_folder(tmp_path / "eye", order).eyes["eye"].visits]
        for order in ("dayfirst", "monthfirst", "ignore")
    }
    assert by_order == {
        "dayfirst": ["05.02.2021", "04.03.2021"],
        "monthfirst": ["04.03.2021", "05.02.2021"],
        "ignore": ["04.03.2021", "05.02.2021"],
    }
    rows = "visit,date,image\nv1,2022-01-01,eye/04.03.2021.png\nv2,2021-01-01,eye/05.02.2021.png\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert names(found) == {"eye": ["v2", "v1"]}, "a date of the table needs no name"


def test_dicom_dates_are_used_the_nearest_to_the_scan_first(tmp_path):
    dicom(tmp_path / "eye" / "1.2.3.100", AcquisitionDateTime="20230501120000", StudyDate="20200101")
    dicom(tmp_path / "eye" / "1.2.3.200", ContentDate="20220501", ContentTime="081500.5", StudyDate="20240101")
    dicom(tmp_path / "eye" / "1.2.3.300", StudyDate="20210501")
    eye = eyes_of_folder(tmp_path / "eye").eyes["eye"]
    assert [visit.name for visit in eye.visits] == ["1.2.3.300", "1.2.3.200", "1.2.3.100"]
    assert [str(visit.when) for visit in eye.visits] == ["2021-05-01", "2022-05-01 08:15", "2023-05-01 12:00"]


def test_dates_that_contradict_each_other_are_named_and_the_table_counts(tmp_path):
    dicom(tmp_path / "a.dcm", StudyDate="20230501")
    dicom(tmp_path / "b.dcm", StudyDate="20220501")
    rows = "visit,date,image\n1,2021-05-01,a.dcm\n2,2022-05-01,b.dcm\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert names(found) == {"eye": ["1", "2"]}
    (note,) = found.notes
    assert "line 2" in note and "the table says 2021-05-01, but the file says 2023-05-01" in note


def test_an_impossible_date_leaves_out_its_visit(tmp_path):
    images(tmp_path, "a", "b", "c")
    rows = "visit,date,image\n1,2021-02-30,a.png\n2,2022-05-01,b.png\n3,2023-05-01,c.png\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert names(found) == {"eye": ["2", "3"]} and "2021-02-30 is no date" in reasons(found)["1"]


def test_a_date_of_no_scan_in_a_header_is_named_and_not_used(tmp_path):
    dicom(tmp_path / "eye" / "b.dcm", StudyDate="19000101")
    dicom(tmp_path / "eye" / "a.dcm", StudyDate="19000101")
    found = eyes_of_folder(tmp_path / "eye")
    assert found.eyes["eye"].order == "names" and any("before 1970" in note for note in found.notes)


def test_a_visit_without_a_date_is_last_and_named(tmp_path):
    images(tmp_path, "a", "b", "c")
    rows = "visit,date,image\n1,,a.png\n2,2022,b.png\n3,2021,c.png\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert names(found) == {"eye": ["3", "2", "1"]} and any("without a date" in note for note in found.notes)


def test_a_word_in_the_date_column_is_named(tmp_path):
    images(tmp_path, "a", "b")
    found = eyes_of_table(table(tmp_path / "visits.csv", "date,image\nbaseline,a.png\n2021,b.png\n"))
    assert any("'baseline' is not read as a date" in note for note in found.notes)


# Sides


def test_each_eye_has_its_own_side(tmp_path):
    for eye in ("P1_OD", "P1_OS", "P2"):
        images(tmp_path / eye, "1", "2")
    found = eyes_of_folder(tmp_path)
    assert {name: eye.side for name, eye in found.eyes.items()} == {"P1_OD": "right", "P1_OS": "left", "P2": ""}


def test_the_side_of_a_header_is_used_and_a_contradiction_refused(tmp_path):
    for name in ("a", "b"):
        dicom(tmp_path / f"{name}.dcm", ImageLaterality="L")
    assert eyes_of_folder(tmp_path).eyes[tmp_path.name].side == "left"
    rows = "image,side\na.dcm,OD\nb.dcm,OD\n"
    with pytest.raises(InputError, match=r"(?s)side is right in the table, but the file .*a\.dcm says left"):
        eyes_of_table(table(tmp_path / "visits.csv", rows))


def test_a_side_in_names_that_contradicts_the_header_is_refused(tmp_path):
    for name in ("OD 1", "OD 2"):
        dicom(tmp_path / "x" / f"{name}.dcm", Laterality="L")
    with pytest.raises(InputError, match="the file says left, but the name says right"):
        eyes_of_folder(tmp_path / "x")


def test_both_eyes_in_one_folder_are_two_eyes(tmp_path):
    images(tmp_path / "P1", "OD_1", "OD_2", "OS_1", "OS_2")
    found = eyes_of_folder(tmp_path / "P1")
    assert names(found) == {"P1_right": ["OD_1", "OD_2"], "P1_left": ["OS_1", "OS_2"]}
    assert found.eyes["P1_left"].side == "left"
    files = eyes_of_files(sorted((tmp_path / "P1").iterdir()))
    assert names(files) == {"eye_right": ["OD_1", "OD_2"], "eye_left": ["OS_1", "OS_2"]}


def test_sides_that_are_mixed_with_unknown_ones_are_refused(tmp_path):
    images(tmp_path / "P1", "OD_1", "OS_2", "3")
    with pytest.raises(InputError, match="right and left eyes are mixed"):
        eyes_of_folder(tmp_path / "P1")


def test_different_patients_are_no_eye(tmp_path):
    for number in (1, 2):
        dicom(tmp_path / "x" / f"{number}.dcm", PatientID=f"P{number}")
    with pytest.raises(InputError, match=r"different patients \(PatientID\): 1.dcm, 2.dcm\."):
        eyes_of_folder(tmp_path / "x")


def test_the_place_that_contradicts_a_stated_side_is_named(tmp_path):
    images(tmp_path / "eye_OD", "1", "2")
    eye = eyes_of_folder(tmp_path / "eye_OD").eyes["eye_OD"]
    with pytest.raises(InputError, match="eye is left, but the name 'eye_OD' says right"):
        stated_side(eye, "left")
    for name in ("a", "b"):
        dicom(tmp_path / "y" / f"{name}.dcm", Laterality="L")
    eye = eyes_of_folder(tmp_path / "y").eyes["y"]
    with pytest.raises(InputError, match=r"eye is right, but .*a\.dcm says left"):
        stated_side(eye, "right")


# The ways in which people fill folders and tables


def test_patients_with_eyes_and_a_folder_a_visit(tmp_path):
    images(tmp_path / "P1" / "OD", "1", "2")
    for visit in ("2022-01-01", "2021-01-01"):
        images(tmp_path / "P1" / "OS" / visit, "enface")
        images(tmp_path / "P2" / visit, "OD", "OS")
    found = eyes_of_folder(tmp_path)
    assert names(found) == {
        "P1_OD": ["1", "2"],
        "P1_OS": ["2021-01-01", "2022-01-01"],
        "P2_right": ["2021-01-01", "2022-01-01"],
        "P2_left": ["2021-01-01", "2022-01-01"],
    }
    assert found.eyes["P1_OS"].order == "dates" and found.eyes["P2_left"].side == "left"


def test_one_folder_a_visit(tmp_path):
    for visit in ("visit 10", "visit 9"):
        images(tmp_path / "eye" / visit, "scan")
    assert names(eyes_of_folder(tmp_path / "eye")) == {"eye": ["visit 9", "visit 10"]}


def test_an_eye_with_one_visit_is_left_out_and_the_others_are_read(tmp_path):
    images(tmp_path / "A", "1", "2")
    images(tmp_path / "B", "1", "2")
    images(tmp_path / "C", "1")
    found = eyes_of_folder(tmp_path)
    assert list(found.eyes) == ["A", "B"] and "one visit only" in reasons(found)["C"]
    with pytest.raises(InputError, match="'C' has one visit only"):
        eyes_of_folder(tmp_path / "C")


def test_hidden_files_masks_landmarks_and_results_are_no_visits(tmp_path):
    images(tmp_path / "eye", "._1", "1", "2", "1_mask", "2-seg", "Mask of nothing")
    (tmp_path / "eye" / "Thumbs.db").write_bytes(b"x")
    for name in ("1.csv", "2_landmarks.csv"):
        (tmp_path / "eye" / name).write_text("x,y\n3,4\n", encoding="utf-8")
    images(tmp_path / "eye" / "masks", "1")
    images(tmp_path / "eye" / "results", "average", "1")
    (tmp_path / "eye" / "results" / "series.json").write_text("{}", encoding="utf-8")
    found = eyes_of_folder(tmp_path / "eye")
    assert names(found) == {"eye": ["1", "2", "Mask of nothing"]}
    assert [visit.landmarks.name for visit in found.eyes["eye"].visits[:2]] == ["1.csv", "2_landmarks.csv"]
    assert len(reasons(found)) == 3 and "by its folder" in reasons(found)[str(tmp_path / "eye" / "masks" / "1.png")]
    assert all("a mask " in reason for reason in reasons(found).values())
    assert any("results" in note for note in found.notes)


def test_masks_in_the_folders_of_visits_are_named(tmp_path):
    for year in ("2021", "2022"):
        images(tmp_path / "eye" / year, "scan")
        images(tmp_path / "eye" / year / "masks", "scan")
    images(tmp_path / "eye" / "2021", "scan_mask")
    found = eyes_of_folder(tmp_path / "eye")
    assert names(found) == {"eye": ["2021", "2022"]} and len(reasons(found)) == 3


def test_dicom_without_a_suffix_is_read(tmp_path):
    for name in ("IM0001", "IM0002"):
        dicom(tmp_path / "eye" / name)
    assert names(eyes_of_folder(tmp_path / "eye")) == {"eye": ["IM0001", "IM0002"]}


def test_paths_of_other_systems_are_found(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "été") for form in ("NFC", "NFD"))
    images(tmp_path / "scans", decomposed, "b")
    rows = f"image\nscans\\{composed}.png\nScans\\B.PNG\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert sorted(visit.path.name for visit in found.eyes["eye"].visits) == ["b.png", f"{decomposed}.png"]
    images(tmp_path / "folder", decomposed, "b")
    assert composed in names(eyes_of_folder(tmp_path / "folder"))["folder"]


def test_columns_as_people_name_them(tmp_path):
    images(tmp_path, "a", "b", "c", "d")
    rows = (
        "Patient ID,Laterality,Visit date,Image,Operator\n"
        "A,OD,2021-01-01,a.png,x\nA,OD,2022-01-01,b.png,y\nB,R,2021-01-01,c.png,x\nB,right,2020-01-01,d.png,x\n"
    )
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert names(found) == {"A_right": ["a", "b"], "B_right": ["d", "c"]}
    assert found.notes == (f"{tmp_path / 'visits.csv'}: the column 'operator' is not understood, and not used",)
    with pytest.raises(InputError, match="'side' and 'laterality' mean the same"):
        eyes_of_table(table(tmp_path / "two.csv", "image,side,laterality\na.png,OD,OD\nb.png,OD,OD\n"))


def test_rows_that_cannot_be_used_cost_themselves(tmp_path):
    images(tmp_path, "a", "b")
    rows = "image,spacing_um,centre_x\na.png,18.75,\nb.png,9.4,\nc.png,,\n,5,\na.png,-1,\nb.png,1,30\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert [visit.spacing_um for visit in found.eyes["eye"].visits] == [18.75, 9.4]
    said = " ".join(reasons(found).values())
    for part in ("there is no file", "column 'image' is empty", "at least 0.1 um", "needs centre_x and centre_y"):
        assert part in said


def test_two_visits_of_one_name_get_two(tmp_path):
    images(tmp_path, "a", "b", "c")
    found = eyes_of_table(table(tmp_path / "visits.csv", "visit,image\n1,a.png\n1,b.png\n2,c.png\n"))
    assert names(found) == {"eye": ["1", "1_2", "2"]} and any("another visit has that name" in n for n in found.notes)


def test_two_eyes_of_one_name_stay_two(tmp_path):
    for folder in ("P1/OD", "P1_OD"):
        images(tmp_path / "a" / folder, "1", "2")
    found = eyes_of_folder(tmp_path / "a")
    assert names(found) == {"P1_OD": ["1", "2"], "P1_OD_2": ["1", "2"]}
    assert any("is called 'P1_OD_2', because another one is called 'P1_OD'" in note for note in found.notes)
    images(tmp_path / "b" / "P1", "OD_1", "OD_2", "OS_1", "OS_2")
    images(tmp_path / "b" / "P1_left", "3", "4")
    assert sorted(names(eyes_of_folder(tmp_path / "b"))) == ["P1_left", "P1_left_2", "P1_right"]


def test_names_that_differ_in_r_and_l_alone_are_asked_about(tmp_path):
    images(tmp_path / "x", "P01R_1", "P01R_2", "P01L_1", "P01L_2")
    with pytest.raises(InputError, match="differ in R and L alone"):
        eyes_of_folder(tmp_path / "x")


def test_a_header_with_a_useless_date_gives_its_next_one(tmp_path):
    dicom(tmp_path / "x" / "a.dcm", AcquisitionDateTime="202105", StudyDate="20210515")
    dicom(tmp_path / "x" / "b.dcm", AcquisitionDateTime="19000101000000", StudyDate="20200515")
    dicom(tmp_path / "x" / "c.dcm", AcquisitionDateTime="2019051510")
    eye = eyes_of_folder(tmp_path / "x").eyes["x"]
    assert [str(visit.when) for visit in eye.visits] == ["2019-05-15 10:00", "2020-05-15", "2021-05-15"]


def test_times_of_headers_order_repeats_of_a_day_in_a_table(tmp_path):
    for name, hour in (("a", "14"), ("b", "09")):
        dicom(tmp_path / f"{name}.dcm", AcquisitionDateTime=f"20210515{hour}0000")
    found = eyes_of_table(table(tmp_path / "visits.csv", "date,image\n2021-05-15,a.dcm\n2021-05-15,b.dcm\n"))
    assert names(found) == {"eye": ["b", "a"]}


def test_files_of_other_kinds_and_deep_folders_are_named(tmp_path):
    images(tmp_path / "x", "1", "2")
    for name in ("3.webp", "3.e2e", "visits.xlsx"):
        (tmp_path / "x" / name).write_bytes(b"x")
    (tmp_path / "x" / "notes.txt").write_text("x", encoding="utf-8")
    images(tmp_path / "x" / "a" / "b" / "c" / "d" / "e", "1")
    said = reasons(eyes_of_folder(tmp_path / "x"))
    assert len(said) == 4 and "Save it as visits.csv" in said[str(tmp_path / "x" / "visits.xlsx")]
    assert "levels below" in said[str(tmp_path / "x" / "a" / "b" / "c" / "d" / "e")]


def test_folders_without_images_are_no_visits(tmp_path):
    for visit in ("v1", "v2"):
        images(tmp_path / "x" / visit, "scan")
    (tmp_path / "x" / "results").mkdir()
    (tmp_path / "x" / "docs").mkdir()
    (tmp_path / "x" / "docs" / "a.txt").write_text("x", encoding="utf-8")
    assert names(eyes_of_folder(tmp_path / "x")) == {"x": ["v1", "v2"]}


def test_impossible_and_unusual_pixel_sizes_are_named(tmp_path):
    images(tmp_path, "a", "b", "c")
    rows = "image,spacing_um,spacing\na.png,0.0117,\nb.png,500,\nc.png,,0.0117\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert names(found) == {"eye": ["b", "c"]} and "at least 0.1 um" in str(found.left_out[0].error)
    assert any("500 um is unusual" in note for note in found.notes)


def test_a_refused_row_says_its_place_once(tmp_path):
    images(tmp_path, "a", "b")
    path = table(tmp_path / "visits.csv", "image,spacing_um\na.png,5\nb.png,five\n")
    with pytest.raises(InputError) as caught:
        eyes_of_table(path)
    assert f"  - {path}, line 3: spacing_um must be a number" in str(caught.value)


def test_the_first_line_of_excel_is_no_header(tmp_path):
    images(tmp_path, "a", "b")
    rows = "sep=;\nimage;visit\na.png;1\nb.png;2\n"
    assert names(eyes_of_table(table(tmp_path / "visits.csv", rows))) == {"eye": ["1", "2"]}


def test_an_eye_and_a_side_that_contradict_are_named(tmp_path):
    images(tmp_path, "a", "b", "c")
    found = eyes_of_table(table(tmp_path / "visits.csv", "eye,side,image\nOD,L,a.png\nOD,R,b.png\nOD,,c.png\n"))
    assert names(found) == {"OD": ["b", "c"]} and "the eye is OD, but the side is L" in str(found.left_out[0].error)


def test_names_that_files_cannot_have_become_others(tmp_path):
    images(tmp_path, "a", "b")
    rows = "eye,visit,image\nP1/OD,10:30,a.png\nP1/OD,average,b.png\n"
    found = eyes_of_table(table(tmp_path / "visits.csv", rows))
    assert names(found) == {"P1_OD": ["10_30", "average_2"]}
    assert any("'average' is called 'average_2'" in note for note in found.notes)


def test_files_of_one_name_get_their_suffixes(tmp_path):
    images(tmp_path, "a")
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.png").read_bytes())
    assert names(eyes_of_files([tmp_path / "a.png", tmp_path / "a.tif"])) == {"eye": ["a.png", "a.tif"]}


def test_a_pixel_size_and_a_slice_of_each_visit_count(tmp_path):
    images(tmp_path, "a", "b")
    rows = "image,spacing_um\na.png,20\nb.png,\n"
    first, second = eyes_of_table(table(tmp_path / "visits.csv", rows)).eyes["eye"].visits
    assert first.load(spacing_um=5).image.geometry.spacing == pytest.approx((0.02, 0.02))
    assert second.load(spacing_um=5).image.geometry.spacing == pytest.approx((0.005, 0.005))
    dicom(tmp_path / "c.dcm")
    rows = "image,spacing_um\na.png,20\nc.dcm,10\n"
    stated = eyes_of_table(table(tmp_path / "visits.csv", rows)).eyes["eye"].visits[1].load().image
    assert stated.geometry.spacing == pytest.approx((0.01, 0.01)) and any("overridden" in note for note in stated.notes)


def test_a_header_without_pydicom_still_says_its_date(tmp_path, monkeypatch):
    from MetaRegistrationLib.formats.facts import file_facts
    from MetaRegistrationLib.formats.readers import dicom as reader

    path = dicom(tmp_path / "a.dcm", StudyDate="20210501", Laterality="R")
    with pydicom.dcmread(path) as data:
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"  # one that GDCM knows
        data.save_as(path)
    monkeypatch.setattr(reader, "is_installed", lambda name: False)
    facts = file_facts(path)
    assert (facts.acquired, facts.laterality) == ((("20210501", "StudyDate"),), "R")

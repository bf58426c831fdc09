"""Files as people have them: zips, folders, other encodings, cut off, not what they are called."""

import zipfile

import pytest

from openbook.errors import DataError
from openbook.survey import read_survey, read_surveys
from openbook.survey.conftest import five_people, person, survey_csv


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_zip_as_kaggle_serves_it_holds_other_tables_and_folders(tmp_path):
    members = {
        "multipleChoiceResponses.csv/": "",
        "SurveySchema.csv": "2018 Kaggle Machine Learning and Data Science Survey,Q1\n" + "x,y\n" * 1000,
        "freeFormResponses.csv": "Q1_OTHER_TEXT,Q6_OTHER_TEXT\n" + "a,b\n" * 2000,
        "multipleChoiceResponses.csv": survey_csv(2018, five_people(2018)),
    }
    survey = read_survey(zipped(tmp_path / "kaggle-survey.zip", members))
    assert survey.year == 2018
    assert survey.origin == "kaggle-survey.zip, multipleChoiceResponses.csv"


def test_truncated_zip_says_so(tmp_path):
    path = zipped(tmp_path / "survey.zip", {"survey.csv": survey_csv(2021, five_people(2021) * 200)})
    whole = path.read_bytes()
    for length in (3, 40, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"survey\.zip.*(cut off|no CSV)"):
            read_survey(path)


def test_zip_whose_content_is_damaged_says_so(tmp_path):
    path = zipped(tmp_path / "survey.zip", {"survey.csv": survey_csv(2021, five_people(2021) * 200)})
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="cut off"):
        read_survey(path)


def test_zip_without_a_table(tmp_path):
    with pytest.raises(DataError, match="found no CSV"):
        read_survey(zipped(tmp_path / "survey.zip", {"readme.txt": "hello"}))


@pytest.mark.parametrize(
    ("codec", "name"),
    [("cp1252", "Windows-1252"), ("utf-16", "UTF-16"), ("utf-8-sig", "UTF-8")],
)
def test_other_encodings_are_read_and_said(survey_file, codec, name):
    people = [*five_people(2017), person(2017, country="Türkiye", role="Café owner", coding="1 to 2 years")]
    survey = read_survey(survey_file(2017, text=survey_csv(2017, people).encode(codec)))
    assert survey.encoding == name
    assert "Café owner" in survey.columns(["CurrentJobTitleSelect"])["CurrentJobTitleSelect"].to_list()


def test_spreadsheet_wrote_semicolons(survey_file):
    text = survey_csv(2022, five_people(2022)).replace(",", ";")
    assert read_survey(survey_file(2022, text=text)).num_respondents == 5


def test_spreadsheet_left_columns_without_a_name(survey_file):
    text = "".join(f"{line},,\n" for line in survey_csv(2019, five_people(2019)).splitlines())
    survey = read_survey(survey_file(2019, text=text))
    assert (survey.year, survey.num_respondents) == (2019, 5)
    assert survey.columns(["Q3"])["Q3"].to_list().count("Canada") == 2


def test_picture_or_a_zip_in_name_only(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(DataError, match="a file of another kind"):
        read_survey(path)
    path = tmp_path / "survey.zip"
    path.write_text("Q1,Q2\n")
    with pytest.raises(DataError, match="does not begin as one"):
        read_survey(path)


def test_folder_gives_its_surveys_and_says_what_is_left_out(tmp_path, survey_file):
    survey_file(2020, name="kaggle_survey_2020_responses.csv")
    survey_file(2021, name="b.csv")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    said = []
    assert [survey.year for survey in read_surveys([tmp_path], say=said.append)] == [2020, 2021]
    assert any("Left out" in line and "notes.csv" in line for line in said)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no \.csv and no \.zip"):
        read_surveys([tmp_path / "empty"], say=said.append)
    with pytest.raises(DataError, match="no such file"):
        read_surveys([tmp_path / "absent.csv"], say=said.append)


def test_duplicate_file_is_counted_once_and_a_different_one_refused(survey_file):
    said = []
    first, again = survey_file(2021, name="a.csv"), survey_file(2021, name="b.csv")
    assert len(read_surveys([first, again], say=said.append)) == 1
    assert any("counted once" in line for line in said)
    other = survey_file(2021, five_people(2021)[:2], name="c.csv")
    with pytest.raises(DataError, match=r"a\.csv and c\.csv are both of 2021"):
        read_surveys([first, other], say=said.append)


def test_year_chooses_among_the_files(survey_file):
    said = []
    files = [survey_file(year) for year in (2022, 2019, 2021)]
    assert [each.year for each in read_surveys(files, say=said.append)] == [2019, 2021, 2022]
    assert [each.year for each in read_surveys(files, years=(2021, 2018), say=said.append)] == [2021]
    assert "No file is of 2018." in said
    with pytest.raises(DataError, match="no file is of 2018; the files given are of 2019, 2021, 2022"):
        read_surveys(files, years=(2018,), say=said.append)

"""Every year's layout is found by what is in the file, not by its name."""

import pytest

from openbook.errors import DataError
from openbook.survey import read_survey
from openbook.survey.conftest import five_people
from openbook.survey.layouts import layouts, named_questions
from openbook.survey.spellings import answers, countries, years_between


@pytest.mark.parametrize("year", layouts())
def test_year_is_found_without_its_name(survey_file, year):
    survey = read_survey(survey_file(year, name="answers.csv"))
    assert survey.year == year
    assert survey.num_respondents == 5
    assert str(year) in str(survey) and "UTF-8" in str(survey)


@pytest.mark.parametrize("year", [2018, 2019, 2020, 2021, 2022])
def test_row_of_questions_may_have_been_taken_out(survey_file, year):
    survey = read_survey(survey_file(year, name="answers.csv", has_question_row=False))
    assert (survey.year, survey.num_respondents, survey.texts) == (year, 5, {})


def test_years_with_the_same_columns_are_told_apart_by_their_answers(survey_file):
    columns = ["Q3", "Q5", "Q6", "Q15", "Q16_Part_1"]
    for year in (2020, 2021):
        assert read_survey(survey_file(year, name="answers.csv", columns=columns)).year == year


def test_name_decides_only_where_nothing_else_does_and_without_one_it_is_said(survey_file):
    columns = ["Q3", "Q5", "Q15", "Q16_Part_1"]
    assert read_survey(survey_file(2021, columns=columns)).year == 2021
    with pytest.raises(DataError, match="those of 2020 or 2021"):
        read_survey(survey_file(2021, name="answers.csv", columns=columns))
    assert read_survey(survey_file(2019, name="from-2021.csv")).year == 2019


def test_real_file_is_of_2021(real_file):
    survey = read_survey(real_file)
    assert (survey.year, survey.num_respondents, len(survey.header)) == (2021, 25_973, 369)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,price\napple,3\npear,4\n", "got a table with the columns name, price"),
        ("Q3,Q5\nyes,no\n", "expected the answers of a Kaggle survey of 2017 to 2022"),
        ("WorkLibrariesFreeForm,GenderFreeForm\na,b\n", "people's own words"),
        ("", "is empty"),
        ("Q3,Q3\na,b\n", "'Q3' is there twice"),
    ],
)
def test_what_is_no_survey_is_said(survey_file, text, said):
    with pytest.raises(DataError, match=said):
        read_survey(survey_file(2021, text=text, name="table.csv"))


def test_tables_name_each_thing_once():
    for question in named_questions().values():
        assert set(question.columns) <= set(layouts())
        assert set(question.notes) | set(question.only) <= set(question.columns)
        assert not question.nearest or question.nearest in named_questions()
        assert all(word == word.lower() for word in question.words)
    for layout in layouts().values():
        columns = [
            question.columns[layout.year]
            for question in named_questions().values()
            if layout.year in question.columns
        ]
        # The languages of 2017 are a part of its tools.
        assert len(set(columns)) >= len(columns) - 1


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("  Scikit-Learn ", "Scikit-learn"),
        ("Fastai", "Fast.ai"),
        ("H20", "H2O 3"),
        ("My own library", "My own library"),
    ],
)
def test_answers_are_united(written, name):
    assert answers().name(written) == name


def test_countries_have_long_and_short_names():
    for name in ("US", "usa", "United States of America", "united  states"):
        assert countries().name(name) == "United States"
    assert countries().name("Iran, Islamic Republic of...") == "Iran"
    assert countries().name("People 's Republic of China") == "China"
    assert countries().known("Atlantis") is None


def test_years_are_known_for_every_answer_of_every_layout():
    for year in layouts():
        for cells in five_people(year):
            for column in (layouts()[year].coding_years, layouts()[year].machine_learning_years):
                answer = cells.get(column or "")
                assert not answer or years_between(answer) is not None
    assert years_between("I don’t write code to analyze data") == (-1, -1)
    assert years_between("20 or more years") == (20, 99)
    assert years_between("some time") is None

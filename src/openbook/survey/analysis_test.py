"""Shares, filters and groups, on small files whose answer one can count, and on the real file of 2021."""

import math

import pytest

from openbook.errors import DataError, UsageError
from openbook.survey import Selection, analyse, read_survey
from openbook.survey.conftest import five_people, person
from openbook.survey.layouts import layouts
from openbook.survey.questions import all_questions
from openbook.survey.shares import wilson_interval

YEARS_WITH_FRAMEWORKS = (2018, 2019, 2020, 2021, 2022)


def shares(survey, *, question="frameworks", by=None, **selection):
    return analyse(
        [survey], question=question, selection=Selection(**selection), by=by, say=lambda text: None
    )


@pytest.mark.parametrize("year", YEARS_WITH_FRAMEWORKS)
def test_share_is_of_those_who_answered(survey_file, year):
    (result,) = shares(read_survey(survey_file(year)))
    assert (result.num_respondents, result.num_answered) == (5, 4)
    found = result.to_dict()["shares"]
    assert found == {"Scikit-learn": 0.75, "Keras": 0.5, "PyTorch": 0.25}


@pytest.mark.parametrize("year", YEARS_WITH_FRAMEWORKS)
def test_same_filters_leave_the_same_people_in_every_year(survey_file, year):
    (result,) = shares(
        read_survey(survey_file(year)),
        countries=("US", "Canada"),
        min_coding_years=1,
        min_ml_years=1,
        exclude_students=True,
    )
    assert [(step.filter, step.num_removed) for step in result.selected.steps] == [
        ("--country Canada, United States", 1),
        ("--min-coding-years 1", 1),
        ("--min-ml-years 1", 0),
        ("--exclude-students", 1),
    ]
    assert (result.num_respondents, result.num_answered) == (2, 1)
    assert result.to_dict()["shares"] == {"Scikit-learn": 1.0, "Keras": 1.0}


def test_2017_has_several_answers_in_one_cell(survey_file):
    survey = read_survey(survey_file(2017))
    (tools,) = shares(survey, question="tools")
    assert tools.to_dict()["shares"] == {"Python": 0.75, "SQL": 0.5, "R": 0.25}
    (hardware,) = shares(survey, question="hardware")
    assert set(hardware.to_dict()["shares"]) == {
        "Laptop + Cloud service (AWS, Azure, GCE ...)",
        "Basic laptop (Macbook)",
    }
    (people,) = shares(
        survey, question="tools", countries=("usa",), exclude_students=True, min_coding_years=1
    )
    assert people.num_respondents == 1
    assert people.question.note == ""
    assert "tools used at work" in shares(survey, question="languages")[0].question.note


def test_question_that_a_year_did_not_ask(survey_file):
    survey = read_survey(survey_file(2017))
    with pytest.raises(
        DataError, match=r"2017 did not ask for frameworks \(those of 2018.*Nearest to it: tools"
    ):
        shares(survey)
    with pytest.raises(DataError, match="2017 did not ask for what --min-ml-years needs"):
        shares(survey, question="tools", min_ml_years=1)
    said = []
    surveys = [survey, read_survey(survey_file(2021))]
    results = analyse(surveys, question="frameworks", selection=Selection(), say=said.append)
    assert [result.year for result in results] == [2021]
    assert any("2017 did not ask" in line for line in said)


def test_question_that_no_year_has(survey_file):
    survey = read_survey(survey_file(2021))
    with pytest.raises(UsageError, match=r"no question 'framework'.*Did you mean frameworks"):
        shares(survey, question="framework")
    with pytest.raises(UsageError, match="There are: frameworks"):
        shares(survey, question="zzzz")


def test_question_by_its_column(survey_file):
    survey = read_survey(survey_file(2021))
    assert shares(survey, question="q16")[0].to_dict()["shares"] == shares(survey)[0].to_dict()["shares"]
    assert shares(survey, question="Q3")[0].to_dict()["shares"]["United States"] == 0.4


def test_part_of_a_file_without_the_question(survey_file):
    survey = read_survey(survey_file(2021, columns=["Q3", "Q5", "Q6", "Q15"]))
    with pytest.raises(DataError, match="lacks the columns of frameworks"):
        shares(survey)


def test_filters_that_leave_nobody_say_which_removed_how_many(survey_file):
    survey = read_survey(survey_file(2021))
    with pytest.raises(DataError, match="nobody is left") as caught:
        shares(survey, countries=("Canada",), roles=("Software Engineer",), min_coding_years=1)
    assert (
        "--country Canada removed 3; --role Software Engineer removed 2; --min-coding-years 1 removed 0"
        in str(caught.value)
    )
    with pytest.raises(DataError, match=r"Peru: not in the file of 2021.*counted as Other"):
        shares(survey, countries=("Peru",))


def test_country_or_role_that_nobody_knows(survey_file):
    survey = read_survey(survey_file(2021))
    with pytest.raises(UsageError, match="Did you mean Canada"):
        shares(survey, countries=("Canadia",))
    with pytest.raises(UsageError, match="Did you mean Data Scientist"):
        shares(survey, roles=("Data Scientis",))
    assert shares(survey, countries=("US, China",))[0].num_respondents == 3


def test_range_that_may_be_less_is_left_out_and_said(survey_file):
    survey = read_survey(survey_file(2021))
    with pytest.raises(DataError, match="also 1-3 years, which may be less"):
        shares(survey, min_coding_years=2)


def test_answer_of_years_that_is_not_known_is_said(survey_file):
    odd = person(2021, country="Canada", role="Data Scientist", coding="ages", frameworks=("Keras",))
    (result,) = shares(read_survey(survey_file(2021, [*five_people(2021), odd])), min_coding_years=1)
    assert "answers that are not known: 'ages'" in str(result.selected.steps[0])


def test_groups_are_told_apart_and_ordered_by_size(survey_file):
    survey = read_survey(survey_file(2021))
    results = shares(survey, by="country")
    assert [(result.group, result.num_answered) for result in results] == [
        ("United States", 2),
        ("Canada", 1),
        ("China", 1),
    ]
    assert [result.group for result in shares(survey, by="role")] == [
        "Software Engineer",
        "Data Scientist",
        "Student",
    ]
    (whole,) = shares(survey, by="year")
    assert whole.group == ""


@pytest.mark.parametrize("year", layouts())
def test_all_questions_of_a_file_have_shares(survey_file, year):
    survey = read_survey(survey_file(year))
    questions = all_questions(survey)
    assert "Age" not in {question.begins for question in questions}
    assert not any(
        "TEXT" in column or column.startswith("Q34_Part") for each in questions for column in each.columns
    )
    for question in questions:
        for share in shares(survey, question=question.name)[0].shares:
            assert 0 <= share.interval[0] <= share.share <= share.interval[1] <= 1


def test_wilson_interval_by_hand():
    # Wilson's formula for 8 of 10 with z = 1.96: (0.8 + 0.192) / 1.384 ± 1.96 · sqrt(0.016 + 0.0096) / 1.384.
    low, high = wilson_interval(8, 10)
    assert math.isclose(low, 0.4902, abs_tol=1e-4)  # four digits of the hand calculation
    assert math.isclose(high, 0.9433, abs_tol=1e-4)
    assert wilson_interval(0, 10)[0] == 0.0 and wilson_interval(0, 10)[1] > 0.2
    assert wilson_interval(10, 10)[1] == 1.0
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_real_file_has_the_known_shares(real_file):
    (result,) = shares(read_survey(real_file))
    assert (result.num_respondents, result.num_answered) == (25_973, 19_624)
    found = {name: round(100 * share, 1) for name, share in result.to_dict()["shares"].items()}
    assert list(found)[:4] == ["Scikit-learn", "TensorFlow", "Keras", "PyTorch"]
    assert [found[name] for name in ("Scikit-learn", "TensorFlow", "Keras", "PyTorch")] == [
        71.3,
        47.8,
        40.6,
        31.0,
    ]


def test_all_questions_of_the_real_file_can_be_analysed(real_file):
    survey = read_survey(real_file)
    questions = all_questions(survey)
    # 42 questions, nine of them in a second form for the next two years.
    assert len(questions) == 51
    results = shares(survey, question="Q24", by="role", exclude_students=True, min_coding_years=3)
    assert {"Data Scientist", "Software Engineer"} <= {result.group for result in results}
    assert "Student" not in {result.group for result in results}

"""Small files of the survey in the layouts of all years, with column names and answers as Kaggle wrote them."""

import csv
import io
import os
from pathlib import Path

import pytest

REAL_FILE = Path(__file__).parents[4] / "shared" / "data" / "kaggle_survey_2021_responses.csv.zip"

_COUNTRY = "In which country do you currently reside?"
_ROLE = (
    "Select the title most similar to your current role (or most recent title if retired): - Selected Choice"
)
_LANGUAGE = (
    "What programming languages do you use on a regular basis? (Select all that apply) - Selected Choice - "
)
_USED = (
    "What machine learning frameworks have you used in the past 5 years? (Select all that apply) - "
    "Selected Choice - "
)
_USE = (
    "Which of the following machine learning frameworks do you use on a regular basis? (Select all that apply) - "
    "Selected Choice - "
)
_ANALYZE = "How long have you been writing code to analyze data?"
_CODE = "For how many years have you been writing code and/or programming?"
_METHODS = "For how many years have you used machine learning methods?"


def _parts(begins, text, answers, *, form="{}_Part_{}", other=None):
    columns = {form.format(begins, number): text + answer for number, answer in enumerate(answers, 1)}
    return columns | ({f"{begins}_OTHER": f"{text}Other"} if other else {})


# By year: the columns with their questions; the cells of one column hold its one answer, or nothing.
QUESTIONS = {
    2017: dict.fromkeys(
        [
            "GenderSelect",
            "Country",
            "Age",
            "EmploymentStatus",
            "StudentStatus",
            "CurrentJobTitleSelect",
            "LanguageRecommendationSelect",
            "LearningPlatformSelect",
            "HardwarePersonalProjectsSelect",
            "Tenure",
            "WorkToolsSelect",
        ],
        "",
    ),
    2018: {
        "Time from Start to Finish (seconds)": "Duration (in seconds)",
        "Q1": "What is your gender? - Selected Choice",
        "Q1_OTHER_TEXT": "What is your gender? - Prefer to self-describe - Text",
        "Q3": _COUNTRY,
        "Q6": _ROLE,
        "Q12_MULTIPLE_CHOICE": "What is the primary tool that you use at work or school to analyze data?",
        **_parts("Q16", _LANGUAGE, ["Python", "R", "SQL"]),
        "Q16_OTHER_TEXT": f"{_LANGUAGE}Other - Text",
        **_parts("Q19", _USED, ["Scikit-Learn", "TensorFlow", "Keras", "PyTorch"]),
        "Q24": _ANALYZE,
        "Q25": f"{_METHODS[:-1]} (at work or in school)?",
        "Q34_Part_1": "approximately what proportion of your time is devoted to the following? - Cleaning data",
    },
    2019: {
        "Time from Start to Finish (seconds)": "Duration (in seconds)",
        "Q2": "What is your gender? - Selected Choice",
        "Q2_OTHER_TEXT": "What is your gender? - Prefer to self-describe - Text",
        "Q3": _COUNTRY,
        "Q5": _ROLE,
        "Q15": "How long have you been writing code to analyze data (at work or at school)?",
        **_parts("Q18", _LANGUAGE, ["Python", "R", "SQL"]),
        "Q23": _METHODS,
        **_parts(
            "Q28",
            _USE,
            ["  Scikit-learn ", "  TensorFlow ", " Keras ", " RandomForest", " Xgboost ", " PyTorch "],
        ),
        "Q28_OTHER_TEXT": f"{_USE}Other - Text",
    },
    2020: {
        "Time from Start to Finish (seconds)": "Duration (in seconds)",
        "Q2": "What is your gender? - Selected Choice",
        "Q3": _COUNTRY,
        "Q5": _ROLE,
        "Q6": _CODE,
        **_parts("Q7", _LANGUAGE, ["Python", "R", "SQL"], other=True),
        "Q15": _METHODS,
        **_parts("Q16", _USE, ["  Scikit-learn ", "  TensorFlow ", " Keras ", " PyTorch "], other=True),
        "Q26_A_Part_1": "Which of the following cloud computing platforms do you use? - AWS ",
    },
    2021: {
        "Time from Start to Finish (seconds)": "Duration (in seconds)",
        "Q2": "What is your gender? - Selected Choice",
        "Q3": _COUNTRY,
        "Q5": _ROLE,
        "Q6": _CODE,
        **_parts("Q7", _LANGUAGE, ["Python", "R", "SQL"], other=True),
        "Q15": _METHODS,
        **_parts("Q16", _USE, ["  Scikit-learn ", "  TensorFlow ", " Keras ", " PyTorch "], other=True),
        "Q16_Part_17": f"{_USE}None",
    },
    2022: {
        "Duration (in seconds)": "Duration (in seconds)",
        "Q3": "What is your gender? - Selected Choice",
        "Q4": _COUNTRY,
        "Q5": "Are you currently a student? (high school, university, or graduate)",
        "Q11": _CODE,
        **_parts("Q12", _LANGUAGE, ["Python", "R", "SQL"], form="{}_{}"),
        "Q16": _METHODS,
        **_parts("Q17", _USE, ["  Scikit-learn ", "  TensorFlow ", " Keras ", " PyTorch "], form="{}_{}"),
        "Q23": _ROLE,
    },
}

_HARDWARE = "Laptop + Cloud service (AWS, Azure, GCE ...),Basic laptop (Macbook)"


def person(year, *, country, role, coding, ml="", student=False, frameworks=(), languages=()):
    """A respondent's cells, in the spelling of the year."""
    if year == 2017:
        return {
            "Country": country,
            "CurrentJobTitleSelect": role,
            "Tenure": coding,
            "StudentStatus": "Yes" if student else "",
            "WorkToolsSelect": ",".join(languages),
            "HardwarePersonalProjectsSelect": _HARDWARE,
            "Age": "33",
        }
    columns = {
        2018: ("Q3", "Q6", "Q24", "Q25"),
        2019: ("Q3", "Q5", "Q15", "Q23"),
        2020: ("Q3", "Q5", "Q6", "Q15"),
        2021: ("Q3", "Q5", "Q6", "Q15"),
        2022: ("Q4", "Q23", "Q11", "Q16"),
    }[year]
    cells = dict(zip(columns, (country, role, coding, ml), strict=True))
    if student:
        cells["Q5" if year == 2022 else columns[1]] = "Yes" if year == 2022 else "Student"
    elif year == 2022:
        cells["Q5"] = "No"
    given = {name.casefold() for name in (*frameworks, *languages)}
    for column, text in QUESTIONS[year].items():
        answer = text.rpartition(" - ")[2] if " - " in text else ""
        if answer.strip().casefold() in given and not column.endswith("TEXT"):
            cells[column] = answer
    return cells


def survey_csv(year, people, *, has_question_row=True, columns=None):
    """The text of a file of one year."""
    header = columns or list(QUESTIONS[year])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    if year != 2017 and has_question_row:
        writer.writerow([QUESTIONS[year][column] for column in header])
    for cells in people:
        writer.writerow([cells.get(column, "") for column in header])
    return text.getvalue()


# The same five people in every year, in each year's own words: two from the United States, one of them a student.
_SPELLED = {
    2017: (
        "United States",
        "People 's Republic of China",
        "Software Developer/Software Engineer",
        "1 to 2 years",
        "",
    ),
    2018: ("United States of America", "China", "Software Engineer", "1-2 years", "1-2 years"),
    2019: ("United States of America", "China", "Software Engineer", "1-2 years", "1-2 years"),
    2020: ("United States of America", "China", "Software Engineer", "1-2 years", "1-2 years"),
    2021: ("United States of America", "China", "Software Engineer", "1-3 years", "1-2 years"),
    2022: ("United States of America", "China", "Machine Learning/ MLops Engineer", "1-3 years", "1-2 years"),
}
_BEGINNERS = {
    2017: ("Less than a year", ""),
    2018: ("< 1 year", "I have never studied machine learning but plan to learn in the future"),
    2019: ("< 1 years", "< 1 years"),
    2020: ("I have never written code", "I do not use machine learning methods"),
    2021: ("< 1 years", "Under 1 year"),
    2022: ("< 1 years", "Under 1 year"),
}


def five_people(year):
    """Five: engineers in the United States and China, a student, a beginner, and one who skipped questions."""
    usa, china, engineer, coding, ml = _SPELLED[year]
    beginner = _BEGINNERS[year]
    known = {"frameworks": ("Scikit-learn", "Keras"), "languages": ("Python", "SQL")}
    return [
        person(year, country=usa, role=engineer, coding=coding, ml=ml, **known),
        person(year, country=usa, role="", coding=coding, ml=ml, student=True, **known),
        person(
            year,
            country=china,
            role=engineer,
            coding=coding,
            ml=ml,
            frameworks=("PyTorch",),
            languages=("R",),
        ),
        person(
            year,
            country="Canada",
            role="Data Scientist",
            coding=beginner[0],
            ml=beginner[1],
            frameworks=("Scikit-learn",),
            languages=("Python",),
        ),
        person(year, country="Canada", role="Data Scientist", coding=coding, ml=ml),
    ]


@pytest.fixture
def survey_file(tmp_path):
    """Writes a small file of a year and returns its path; `people` and `text` take the place of the usual."""

    def write(year, people=None, *, text=None, name=None, **options):
        content = survey_csv(year, people or five_people(year), **options) if text is None else text
        path = tmp_path / (name or f"survey-{year}.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture(scope="session")
def real_file():
    """The survey of 2021 as Kaggle serves it, which does not come with openbook."""
    path = Path(os.environ.get("OPENBOOK_SURVEY_2021", REAL_FILE))
    if not path.exists():
        pytest.skip(f"the survey of 2021 is not here: {path.name} is looked for beside the repository")
    return path

"""The Kaggle survey: who uses which libraries, by year, country and role."""

from openbook.survey.analysis import Result, analyse, read_surveys
from openbook.survey.reading import Survey, read_survey
from openbook.survey.selection import Selection

__all__ = ["Result", "Selection", "Survey", "analyse", "read_survey", "read_surveys"]

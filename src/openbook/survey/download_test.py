"""--download: what kagglehub gives is used, and what stops it is said in words that help."""

import sys
import types

import pytest

from openbook.errors import FetchError, UsageError
from openbook.survey.download import download_surveys


@pytest.fixture
def hub(monkeypatch):
    """A kagglehub that gives what `hub.gives` says."""
    module = types.ModuleType("kagglehub")
    module.gives = {}

    def fetch(name):
        given = module.gives[name]
        if isinstance(given, Exception):
            raise given
        return given

    module.dataset_download = module.competition_download = fetch
    module.__spec__ = types.SimpleNamespace(name="kagglehub")
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return module


def test_without_kagglehub_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install kagglehub.*openbook survey FILE"):
        download_surveys([2021], say=print)


def test_years_are_fetched_from_where_they_lie(hub, tmp_path):
    hub.gives = {"kaggle/kaggle-survey-2017": str(tmp_path / "a"), "kaggle-survey-2021": str(tmp_path / "b")}
    said = []
    assert download_surveys([2021, 2017], say=said.append) == [tmp_path / "a", tmp_path / "b"]
    assert "survey of 2017" in said[0]
    with pytest.raises(UsageError, match="2016: there was no survey"):
        download_surveys([2016], say=said.append)


class UnauthenticatedError(Exception):
    """As kagglehub calls it."""


class HttpError(Exception):
    def __init__(self, status):
        super().__init__(f"{status} Client Error")
        self.response = types.SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            UnauthenticatedError("User is not authenticated"),
            "only to those who are logged in.*KAGGLE_USERNAME",
        ),
        (HttpError(401), "only to those who are logged in"),
        (HttpError(403), "accept its rules"),
        (ConnectionError("Name or service not known"), "Check the network"),
    ],
)
def test_what_stops_it_is_explained(hub, error, said):
    hub.gives = {"kaggle-survey-2021": error}
    with pytest.raises(FetchError, match=said):
        download_surveys([2021], say=lambda text: None)

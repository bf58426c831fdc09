"""Classes of examples: which are learned, in which order, and what is wrong with some."""

from collections import Counter
from collections.abc import Sequence

from openbook.data.display import harmless
from openbook.errors import DataError

__all__ = ["MAX_CLASSES", "checked_classes", "class_warnings", "said_counts"]

MAX_CLASSES = 1000
# So many classes of one example are no accident where they are most of all.
_MANY_LONE = 20
_NUM_SHOWN = 12
_UNEVEN = 10


def checked_classes(
    source: str, counts: Counter[str], *, what: str, left_out: Sequence[str] = ()
) -> tuple[tuple[str, ...], list[str]]:
    """The classes that are learned, numbers in their order before words; and those that have one example only.

    Args:
        counts: examples of each class.
        what: an example in one word, such as "picture".
        left_out: what was left out before, for the message.
    Raises:
        DataError: fewer than two classes with two examples, or far too many classes.
    """
    lone = sorted(label for label, number in counts.items() if number < 2)
    classes = tuple(sorted((label for label, number in counts.items() if number > 1), key=_natural))
    besides = f" ({', '.join(left_out)} left out)" if left_out else ""
    if len(counts) > MAX_CLASSES or (len(lone) > _MANY_LONE and len(lone) > len(counts) / 2):
        raise DataError(
            f"{source}: has {len(counts):,} different labels for {sum(counts.values()):,} {what}s, such as "
            f"{', '.join(map(repr, map(harmless, list(counts)[:3])))}; at most {MAX_CLASSES:,} are learned, each "
            f"from two {what}s or more. Is another column the label? Choose it with --target"
        )
    if len(classes) < 2:
        found = f"one class ({harmless(classes[0])!r})" if classes else f"no class with two {what}s"
        others = f", besides {', '.join(map(harmless, lone[:3]))} with one {what} each" if lone else ""
        raise DataError(
            f"{source}: has {found}{others}{besides}; a classifier needs two or more, with two {what}s each. "
            f"Add {what}s of another class, or choose another column with --target"
        )
    return classes, lone


def class_warnings(
    counts: Counter[str], classes: Sequence[str], lone: Sequence[str], *, what: str
) -> list[str]:
    """What a person should look at: classes left out, and very uneven ones."""
    warnings = []
    if lone:
        more = f" and {len(lone) - 6} more" if len(lone) > 6 else ""
        warnings.append(f"classes with one {what} are left out: {', '.join(map(harmless, lone[:6]))}{more}")
    if max(counts.values()) > _UNEVEN * min(counts[label] for label in classes):
        warnings.append(f"some classes have more than ten times as many {what}s as others")
    return warnings


def said_counts(classes: Sequence[str], counts: Counter[str]) -> str:
    """Classes with their numbers; of many the most frequent ones."""
    order = sorted(classes, key=lambda label: -counts[label]) if len(classes) > _NUM_SHOWN else classes
    shown = [f"{harmless(label)} {counts[label]:,}" for label in order[:_NUM_SHOWN]]
    return ", ".join(shown) + (f" and {len(classes) - _NUM_SHOWN} more" if len(classes) > _NUM_SHOWN else "")


def _natural(label: str) -> tuple[int, float, str]:
    """Numbers in their order, before words."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)

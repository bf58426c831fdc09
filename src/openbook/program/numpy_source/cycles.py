"""Which things wait for each other: the strongly connected parts of a graph."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping


def waiting_for_each_other(reads: Mapping[int, Collection[int]]) -> list[list[int]]:
    """Groups of two or more that each depend on all others of their group.

    Args:
        reads: for each thing, the things that it reads.
    Source: Tarjan (1972), without recursion, since a training step is thousands of steps deep.
    """
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[list[int]] = []

    def enter(thing: int) -> tuple[int, Iterator[int]]:
        number[thing] = lowest[thing] = len(number)
        stack.append(thing)
        on_stack.add(thing)
        return thing, iter(reads[thing])

    for start in reads:
        path = [enter(start)] if start not in number else []
        while path:
            thing, others = path[-1]
            other = next(others, None)
            if other is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[thing])
                if lowest[thing] == number[thing]:
                    first = stack.index(thing)
                    part, stack[first:] = stack[first:], []
                    on_stack.difference_update(part)
                    if len(part) > 1:
                        found.append(part)
            elif other not in number:
                path.append(enter(other))
            elif other in on_stack:
                lowest[thing] = min(lowest[thing], number[other])
    return found

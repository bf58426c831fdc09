"""Parts of small graphs that wait for each other."""

from openbook.program.numpy_source.cycles import waiting_for_each_other


def test_parts_are_found_and_chains_are_none():
    reads = {0: [], 1: [0], 2: [1, 4], 3: [2], 4: [3], 5: [4, 6], 6: [5]}
    assert [sorted(part) for part in waiting_for_each_other(reads)] == [[2, 3, 4], [5, 6]]
    assert waiting_for_each_other({each: [each - 1] if each else [] for each in range(5000)}) == []

"""Examples of a split with their batches; a part of `data.py`, where this line is left out."""

Batch = tuple[np.ndarray, np.ndarray]  #: if array
Batch = tuple[dict[str, np.ndarray], np.ndarray]  #: if named


@dataclasses.dataclass(frozen=True)
class Examples:
    """Inputs and targets of the whole data, and the rows that lie on one side of the split."""

    inputs: np.ndarray  #: if array
    inputs: dict[str, np.ndarray]  #: if named
    targets: np.ndarray
    rows: np.ndarray
    #: if regression
    # Standard deviation of the targets to train on, in their own unit.
    scale: float
    #: end

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, chosen: np.ndarray) -> Batch:
        """Inputs and targets of some examples."""
        rows = self.rows[chosen]
        return self.inputs[rows], self.targets[rows]  #: if array
        return {name: array[rows] for name, array in self.inputs.items()}, self.targets[rows]  #: if named

    def batch_at(self, step: int, batch_size: int, seed: int) -> Batch:
        """The batch of a training step; each epoch has an order of its own, which the seed decides."""
        epoch, position = divmod(step, max(1, len(self) // batch_size))
        order = np.random.default_rng([seed, epoch]).permutation(len(self))
        chosen = order[position * batch_size :][:batch_size]
        # Fewer examples than a batch takes come several times.
        return self.batch(np.resize(chosen, batch_size))

    def in_batches(self, batch_size: int) -> Iterator[Batch]:
        """All examples in their order."""
        for start in range(0, len(self), batch_size):
            yield self.batch(np.arange(start, min(start + batch_size, len(self))))


class Splits(NamedTuple):
    """To learn from, to choose weights by, and for the final score."""

    train: Examples
    validation: Examples
    test: Examples

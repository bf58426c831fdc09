"""openbook's text classifiers beside the book's, on the same texts: `python -m bench.text_classifier`.

Split, backend and the words that are read are the same, too. For each model and seed the book's recipe trains
first, scored on the held-out texts after each epoch, for as many epochs as the book states or until the score has
not risen for three. Then openbook trains for a quarter, a half, one, two, … epochs, each from the start with its
rate falling to zero at the end, until it is as good as the book's best epoch. For each score that the book's arm
had, its seconds stand beside those of openbook's shortest run that is as good, compilation included on both
sides. The book's sequences are 600 words long, openbook's as long as its defaults say.

`--quick` takes 6,000 texts and 160 words of each, for both arms. `--steps` trains nothing: it times a few steps
of both in turns and tells the seconds of an epoch. Results go to `bench/results/text_classifier.json` as they
come, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from bench.book import text_classifier as book
from bench.side_by_side import Rows, scores_arguments, side_by_side, train_side_by_side
from bench.train_once import prepared, train_prepared

LENGTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 13.0)
QUICK_DOCUMENTS, QUICK_TOKENS = 6_000, 160
# openbook's model beside each of the book's; its Transformer knows positions in both cases, as is its default.
OURS = {"bag": "bag", "lstm": "lstm", "transformer": "transformer", "transformer-positions": "transformer"}
_PATIENCE = 3
_STEP_ROUNDS = 5


def main() -> None:
    """Run both arms and print the ratios."""
    parser = scores_arguments("text_classifier", __doc__, book.MODELS)
    parser.add_argument("--data", default="imdb", help="as for `openbook train text-classifier`")
    parser.add_argument("--documents", type=int, help="texts that are taken, held-out ones included")
    parser.add_argument("--tokens", type=int, help="words of a text that both arms read")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_DOCUMENTS} texts, {QUICK_TOKENS} words")
    parser.add_argument("--steps", action="store_true", help="time steps only")
    given = parser.parse_args()
    documents = given.documents or (QUICK_DOCUMENTS if given.quick else None)
    tokens = given.tokens or (QUICK_TOKENS if given.quick else None)
    rows = Rows(given.results, command="python -m bench.text_classifier" + " --quick" * given.quick)
    for model in given.model:
        key: dict[str, Any] = {"model": model, "data": given.data, "documents": documents, "tokens": tokens}
        if given.steps:
            rows.put({**key, "part": "steps"}, step_times(model, given.data, documents, tokens))
            continue
        key["book_epochs"] = given.book_epochs or book.NUM_EPOCHS[model]
        if given.anew:
            rows.forget(key)
        for seed in range(given.seeds):
            arms = Arms(model, given.data, documents, tokens, seed)
            train_side_by_side(
                rows,
                {**key, "seed": seed},
                book=lambda arms=arms, key=key: arms.book(key["book_epochs"]),
                openbook=arms.openbook,
                lengths=LENGTHS,
                patience=_PATIENCE,
            )


class Arms:
    """Both arms with the same texts on either side of the split.

    Attributes:
        book_train, book_test: the book's inputs with labels. It is given openbook's words: punctuation marks
            stand by themselves, and of a longer text its beginning and its end are kept.
    """

    def __init__(self, model: str, data: str, documents: int | None, tokens: int | None, seed: int) -> None:
        from openbook.text.bags import BagVocabulary
        from openbook.text.words import WordVocabulary

        settings: dict[str, Any] = {"data": data, "model": OURS[model], "seed": seed}
        if tokens and model != "bag":
            settings["max_tokens"] = tokens
        self.model, self.seed = model, seed
        self.recipe, self.splits = prepared(
            "text-classifier", part=lambda texts: some_of(texts, documents), **settings
        )
        texts = self.splits.train.texts
        sides = (self.splits.train, self.splits.test)
        if model == "bag":
            bag = BagVocabulary.fit(texts, size=book.VOCABULARY_SIZE, ngrams=2, is_tf_idf=False)
            arrays = [bag.bags(each.texts, 2048)[0] for each in sides]
        else:
            words = WordVocabulary.fit(texts, size=book.VOCABULARY_SIZE)
            arrays = [words.sequences(each.texts, tokens or book.NUM_TOKENS) for each in sides]
        self.book_train, self.book_test = (
            (array, each.targets) for array, each in zip(arrays, sides, strict=True)
        )

    @property
    def num_classes(self) -> int:
        return len(self.splits.facts["classes"])

    def book(self, num_epochs: int) -> Any:
        """The book's epochs."""
        return book.train(
            self.model,
            self.book_train,
            self.book_test,
            num_classes=self.num_classes,
            seed=self.seed,
            num_epochs=num_epochs,
        )

    def openbook(self, epochs: float) -> dict[str, Any]:
        """One run of openbook."""
        return train_prepared(self.recipe, self.splits, epochs=epochs, score="accuracy")


def some_of(texts: Any, number: int | None) -> Any:
    """So many of the texts, chosen at random and always the same."""
    if number is None or number >= len(texts.texts):
        return texts
    chosen = np.sort(np.random.default_rng(0).permutation(len(texts.texts))[:number])
    return dataclasses.replace(
        texts,
        texts=tuple(texts.texts[index] for index in chosen),
        labels=texts.labels[chosen],
        hashes=tuple(texts.hashes[index] for index in chosen),
    )


def step_times(model: str, data: str, documents: int | None, tokens: int | None) -> dict[str, Any]:
    """Seconds of an epoch of both arms, from steps taken in turns."""
    from openbook.training.seeding import seeded
    from openbook.training.state import TrainingState
    from openbook.training.step import compile_train_step

    arms = Arms(model, data, documents, tokens, 0)
    recipe = arms.recipe
    with seeded(0):
        own = recipe.build_model(arms.splits.facts)
    task, optimizer = recipe._task(own, arms.splits), recipe.optimizer()
    optimizer.build(own.trainable_variables)
    states = [TrainingState.of(own, optimizer)]
    step = compile_train_step(own, optimizer, task.loss)
    inputs, labels = arms.book_train
    network = book.compiled(model, arms.num_classes, 0, num_tokens=inputs.shape[1])
    batches = book.batches(model, inputs, labels, is_shuffled=True, seed=0)

    def own_step() -> None:
        states[0], loss = step(states[0], *task.batch_at(0), recipe.learning_rate)
        float(loss)

    pair = side_by_side(own_step, lambda: network.train_on_batch(*batches[0]), rounds=_STEP_ROUNDS, warm_up=2)
    own_s, book_s = pair.medians_s
    epochs_s = own_s * task.steps_per_epoch, book_s * len(batches)
    return {
        "openbook_epoch_s": round(epochs_s[0], 1),
        "book_epoch_s": round(epochs_s[1], 1),
        "ratio_s_per_epoch": round(epochs_s[1] / epochs_s[0], 2),
        "rounds": _STEP_ROUNDS,
    }


if __name__ == "__main__":
    main()

"""openbook's convnet beside the book's networks, same pictures and split: `python -m bench.image_classifier`.

Two parts, which `--part` chooses from.

`scores`: for each of the book's networks (chapter 8's convnet with augmentation and dropout, chapter 9's mini
Xception) and each seed the book's recipe trains first, scored on the held-out pictures after each epoch, for as
many epochs as the book states or until the score has not risen for twenty. Then openbook's default trains for one,
two, three, … epochs, each from the start with its rate falling to zero at the end, until it is as good as the
book's best epoch. For each score that the book's arm had, its seconds stand beside those of openbook's shortest
run that is as good, compilation included on both sides. Both hold their pictures in memory here, at the recipe's
own size, which is kinder to the book.

`pictures`: pictures a second, epochs in turns. The book decodes each file in each epoch. Its
`image_dataset_from_directory` needs TensorFlow; a `keras.utils.PyDataset` with two threads ahead of training
stands in its place, and the files are PNG in the size that the network takes, so nothing is brought to size.
openbook has its pictures in memory and changes them inside the compiled step. "ready" is without a network:
pictures decoded and changed. "trained" is whole epochs, each arm with its own network.

Results go to `bench/results/image_classifier.json` as they come, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.book import image_classifier as book
from bench.side_by_side import Rows, scores_arguments, side_by_side, train_side_by_side
from bench.train_once import arrays_of, prepared, train_prepared

LENGTHS = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0, 40.0, 60.0)
PARTS = ("scores", "pictures")
_PATIENCE = 20


def main() -> None:
    """Run both arms and print the ratios."""
    parser = scores_arguments("image_classifier", __doc__, book.MODELS)
    parser.add_argument("--data", default="openmoji", help="as for `openbook train image-classifier`")
    parser.add_argument("--side", type=int, default=96, help="height and width of the pictures, for both")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=7, help="epochs of the part `pictures`")
    given = parser.parse_args()
    rows = Rows(given.results, command="python -m bench.image_classifier")
    settings = {"data": given.data, "side": given.side}
    for model in given.model if "scores" in given.part else ():
        key = {"model": model, **settings, "book_epochs": given.book_epochs or book.NUM_EPOCHS}
        if given.anew:
            rows.forget(key)
        for seed in range(given.seeds):
            recipe, splits = prepared("image-classifier", **settings, model="convnet", seed=seed)
            train_side_by_side(
                rows,
                {**key, "seed": seed},
                book=lambda model=model, splits=splits, seed=seed, key=key: book.train(
                    model,
                    arrays_of(splits.train),
                    arrays_of(splits.test),
                    num_classes=len(splits.facts["classes"]),
                    seed=seed,
                    num_epochs=key["book_epochs"],
                ),
                openbook=lambda epochs, recipe=recipe, splits=splits: train_prepared(
                    recipe, splits, epochs=epochs, score="accuracy"
                ),
                lengths=LENGTHS,
                patience=_PATIENCE,
            )
    if "pictures" in given.part:
        recipe, splits = prepared("image-classifier", **settings, model="convnet", seed=0)
        for kind, measure in (("ready", ready), ("trained", trained)):
            rows.put(
                {**settings, "part": "pictures", "kind": kind}, measure(recipe, splits, rounds=given.rounds)
            )


def ready(recipe: Any, splits: Any, *, rounds: int) -> dict[str, Any]:
    """Pictures a second that are decoded and changed at random, without a network."""
    import jax

    from openbook.layers import RandomView

    ours = _compiled_layer(RandomView(seed=0))
    published = _compiled_layer(book.augmentation())
    batches = recipe._task(recipe.build_model(splits.facts), splits)

    def own_epoch() -> None:
        for step in range(batches.steps_per_epoch):
            jax.block_until_ready(ours(batches.batch_at(step)[0]))

    with tempfile.TemporaryDirectory() as folder:
        files = _files(splits, Path(folder))

        def book_epoch() -> None:
            for index in range(len(files)):
                jax.block_until_ready(published(files[index][0]))

        own_number = batches.steps_per_epoch * recipe.batch_size
        return _pictures_per_s(own_epoch, book_epoch, own_number, len(splits.train), rounds)


def trained(recipe: Any, splits: Any, *, rounds: int) -> dict[str, Any]:
    """Pictures a second of an epoch of training, compiled before."""
    from openbook.training.seeding import seeded
    from openbook.training.state import TrainingState
    from openbook.training.step import compile_train_step

    with seeded(0):
        own = recipe.build_model(splits.facts)
    task, optimizer = recipe._task(own, splits), recipe.optimizer()
    optimizer.build(own.trainable_variables)
    states = [TrainingState.of(own, optimizer)]
    step = compile_train_step(own, optimizer, task.loss)
    network = book.compiled("convnet", side=recipe.side, num_classes=len(splits.facts["classes"]), seed=0)

    def own_epoch() -> None:
        for number in range(task.steps_per_epoch):
            states[0], loss = step(states[0], *task.batch_at(number), recipe.learning_rate)
        float(loss)

    with tempfile.TemporaryDirectory() as folder:
        files = _files(splits, Path(folder))
        return _pictures_per_s(
            own_epoch,
            lambda: network.fit(files, epochs=1, verbose=0),
            task.steps_per_epoch * recipe.batch_size,
            len(splits.train),
            rounds,
        )


def _files(splits: Any, folder: Path) -> Any:
    """The training pictures as the book reads them."""
    from PIL import Image

    pictures, labels = arrays_of(splits.train)
    paths = [folder / f"{number}.png" for number in range(len(labels))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture.astype(np.uint8)).save(path)
    return book.from_files(paths, labels, side=pictures.shape[1], seed=0)


def _compiled_layer(layer: Any) -> Callable[[Any], Any]:
    """A layer of augmentation as a compiled function, which draws anew at each call."""
    import jax
    import keras

    call = jax.jit(lambda rest, pictures: layer.stateless_call([], rest, pictures, training=True))
    rest: list[Any] = []

    def changed(pictures: np.ndarray) -> Any:
        if not rest:
            layer(keras.ops.convert_to_tensor(pictures[:1]), training=True)  # makes its variables
            rest.extend(variable.value for variable in layer.non_trainable_variables)
        outputs, rest[:] = call(list(rest), pictures)
        return outputs

    return changed


def _pictures_per_s(
    own_epoch: Callable[[], object],
    book_epoch: Callable[[], object],
    own_number: int,
    book_number: int,
    rounds: int,
) -> dict[str, Any]:
    pair = side_by_side(own_epoch, book_epoch, rounds=rounds, warm_up=2)
    own_s, book_s = pair.medians_s
    own, published = own_number / own_s, book_number / book_s
    return {
        "openbook_pictures_per_s": round(own, 1),
        "book_pictures_per_s": round(published, 1),
        "ratio": round(own / published, 2),
        "rounds": rounds,
    }


if __name__ == "__main__":
    main()

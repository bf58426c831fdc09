"""text-classifier (chapter 11): texts told apart as bags of words, by an LSTM, or by a Transformer encoder."""

# B = batch, K = different n-grams of a text, T = words of a text, E = embedding, C = classes

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import DataError, UsageError
from openbook.recipes.look import WordsLook
from openbook.recipes.recipe import setting
from openbook.recipes.supervised import HeldOut, SupervisedRecipe
from openbook.supervised.examples import ArrayExamples
from openbook.supervised.goals import (
    NO_LABEL,
    Classification,
    Goal,
    MultiLabel,
    class_answer,
    label_answer,
)
from openbook.supervised.task import Splits
from openbook.text.bags import BagVocabulary
from openbook.text.words import WordVocabulary, split_words

if TYPE_CHECKING:
    from openbook.data.labelled_texts import LabelledTexts
    from openbook.lenses.confusion import Confusion
    from openbook.lenses.lens import Finding
    from openbook.lenses.word_gradients import WordGradients
    from openbook.runs import Run
    from openbook.training.reporter import Reporter

MODELS = ("bag", "lstm", "transformer")
# What the models take where nothing is said.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "bag": {
        "vocabulary_size": 40_000,
        "max_tokens": 512,
        "embedding_size": 16,
        "hidden_units": 0,
        "dropout": 0.5,
        "word_dropout": 0.6,
        "batch_size": 128,
        "learning_rate": 3e-3,
    },
    "lstm": {
        "vocabulary_size": 20_000,
        "max_tokens": 192,
        "embedding_size": 32,
        "hidden_units": 32,
        "dropout": 0.3,
        "word_dropout": 0.1,
        "batch_size": 64,
        "learning_rate": 5e-3,
    },
    "transformer": {
        "vocabulary_size": 20_000,
        "max_tokens": 160,
        "embedding_size": 32,
        "hidden_units": 64,
        "dropout": 0.3,
        "word_dropout": 0.1,
        "batch_size": 64,
        "learning_rate": 2e-3,
    },
}
_LARGEST_FILE_BYTES = 16 << 20
_NUM_MISTAKES = 6
_SHOWN_CHARS = 300
_SHOWN_TERMS = 12
_EXAMPLE_TEXTS = ("This movie was wonderful, and the story was not boring.", "The film was good.")
_NUM_EXAMPLE_WORDS = 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextClassifier(SupervisedRecipe):
    """Train a model that tells texts apart: their mood, their topic, or any labels of your own."""

    name: ClassVar[str] = "text-classifier"
    title: ClassVar[str] = "Text classifier"
    chapter: ClassVar[int] = 11
    learns: ClassVar[str] = "how much of a text's meaning is in its words alone, and what their order adds"
    default_budget: ClassVar[str] = "60s"
    split_by: ClassVar[tuple[str, ...]] = (
        "held_out_share",
        "model",
        "ngrams",
        "tf_idf",
        "vocabulary_size",
        "max_tokens",
    )

    data: str = setting(
        "imdb",
        "imdb, imdb-full, or your own: a CSV, TSV, JSON or Parquet table, a folder or zip with a folder per class",
    )
    text_column: str | None = setting(None, "column of the texts, for tables; guessed when left out")
    target: str | None = setting(None, "column of the labels, for tables; guessed when left out")
    held_out_share: float = setting(0.1, "share of the texts that is never trained on")
    model: str = setting("bag", f"{', '.join(MODELS)}: words without order, read in order, or all at once")
    ngrams: int = setting(2, "bag: 1 for words, 2 for words and pairs of neighbours")
    tf_idf: bool = setting(True, "bag: rare words weigh more")
    vocabulary_size: int | None = setting(None, "words, or n-grams, that are known")
    max_tokens: int | None = setting(None, "words of a text that are read, or different n-grams of a bag")
    embedding_size: int | None = setting(None, "numbers that stand for a word")
    hidden_units: int | None = setting(
        None,
        "LSTM: units of each direction; Transformer: inside feed-forward; bag: one more layer, 0 for none",
    )
    num_heads: int = setting(2, "Transformer: attention heads")
    positions: bool = setting(True, "Transformer: tell it the order of the words")
    dropout: float | None = setting(None, "share of the values that is left out in training")
    word_dropout: float | None = setting(None, "share of the words that is left out in training")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model not in MODELS:
            raise UsageError(f"--model must be {', '.join(MODELS)}, not {self.model!r}")
        if self.ngrams not in (1, 2):
            raise UsageError(f"--ngrams must be 1 or 2, not {self.ngrams}")
        smallest = {"vocabulary_size": 3, "max_tokens": 4, "embedding_size": 1, "num_heads": 1}
        smallest["hidden_units"] = 0 if self.model == "bag" else 1
        for name, least in smallest.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"--{name.replace('_', '-')} must be {least} or more, not {value}")
        for name in ("dropout", "word_dropout"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < 1.0:
                raise UsageError(f"--{name.replace('_', '-')} must be 0 or more and below 1, not {value}")
        if self.model == "transformer" and self.embedding_size and self.embedding_size % self.num_heads:
            raise UsageError(
                f"--embedding-size must be a multiple of --num-heads, not {self.embedding_size} with "
                f"{self.num_heads} heads"
            )

    def load_data(self, reporter: Reporter) -> LabelledTexts:
        from openbook.data.labelled_texts import load_labelled_texts

        return load_labelled_texts(
            self.data,
            text_column=self.text_column,
            target=self.target,
            held_out_share=self.held_out_share,
            progress=reporter.message,
        )

    def resolve(self, data: LabelledTexts) -> TextClassifier:
        defaults = {**_DEFAULTS[self.model]}
        num_train = (1.0 - self.held_out_share) * len(data.texts)
        defaults["batch_size"] = max(1, min(defaults["batch_size"], int(num_train) // 4))
        if self.model == "transformer":
            size = defaults["embedding_size"]
            defaults["embedding_size"] = max(1, size // self.num_heads) * self.num_heads
        left_open = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return dataclasses.replace(self, **left_open)

    def split(self, data: LabelledTexts) -> Splits:
        return _make_splits(self, data)

    def build_model(self, facts: Mapping[str, Any]) -> Any:
        build = {"bag": self._bag, "lstm": self._lstm, "transformer": self._transformer}[self.model]
        return build(_num_embeddings(facts), len(facts["classes"]))

    def _bag(self, num_embeddings: int, num_classes: int) -> Any:
        import keras

        from openbook.layers import WeightedSum

        assert self.max_tokens and self.embedding_size and self.dropout is not None
        numbers = keras.Input((self.max_tokens,), dtype="int32", name="ngrams")
        weights = keras.Input((self.max_tokens,), name="weights")
        vectors = keras.layers.Embedding(
            num_embeddings, self.embedding_size, embeddings_initializer="uniform", name="word_embedding"
        )(numbers)
        kept = keras.layers.Dropout(self.word_dropout, name="word_dropout")(weights)
        hidden = WeightedSum(name="weighted_sum")([vectors, kept])
        hidden = keras.layers.ReLU(name="relu")(hidden)
        hidden = keras.layers.Dropout(self.dropout, name="dropout")(hidden)
        if self.hidden_units:
            hidden = keras.layers.Dense(self.hidden_units, activation="relu", name="hidden")(hidden)
            hidden = keras.layers.Dropout(self.dropout, name="hidden_dropout")(hidden)
        logits = keras.layers.Dense(num_classes, name="logits")(hidden)
        return keras.Model({"ngrams": numbers, "weights": weights}, logits, name="bag")

    def _embedded(self, num_embeddings: int) -> tuple[Any, Any, Any]:
        """The tokens, which of them are words, and their vectors."""
        import keras

        from openbook.layers import PaddingMask

        assert self.max_tokens and self.embedding_size and self.dropout is not None
        tokens = keras.Input((self.max_tokens,), dtype="int32", name="tokens")
        is_token = PaddingMask(name="padding_mask")(tokens)
        vectors = keras.layers.Embedding(num_embeddings, self.embedding_size, name="word_embedding")(tokens)
        vectors = keras.layers.Dropout(
            self.word_dropout, noise_shape=(None, self.max_tokens, 1), name="word_dropout"
        )(vectors)
        # The same features are left out at all positions of a text (Gal and Ghahramani 2016): few draws.
        vectors = keras.layers.SpatialDropout1D(self.dropout, name="embedding_dropout")(vectors)
        return tokens, is_token, vectors

    def _lstm(self, num_embeddings: int, num_classes: int) -> Any:
        import keras

        from openbook.layers import BidirectionalLSTM, MaskedMax

        assert self.hidden_units and self.dropout is not None
        tokens, is_token, vectors = self._embedded(num_embeddings)
        states = BidirectionalLSTM(self.hidden_units, name="bidirectional_lstm")([vectors, is_token])
        pooled = MaskedMax(name="pooling")([states, is_token])
        pooled = keras.layers.Dropout(self.dropout, name="dropout")(pooled)
        logits = keras.layers.Dense(num_classes, name="logits")(pooled)
        return keras.Model(tokens, logits, name="lstm")

    def _transformer(self, num_embeddings: int, num_classes: int) -> Any:
        import keras

        from openbook.layers import AttentionMask, LearnedPositions, MaskedMean

        assert self.hidden_units and self.embedding_size and self.dropout is not None
        tokens, is_token, hidden = self._embedded(num_embeddings)
        if self.positions:
            hidden = LearnedPositions(name="position_embedding")(hidden)
        attended = keras.layers.MultiHeadAttention(
            self.num_heads, self.embedding_size // self.num_heads, name="attention"
        )(hidden, hidden, attention_mask=AttentionMask(name="attention_mask")(is_token))
        hidden = keras.layers.Add(name="attention_residual")([hidden, attended])
        hidden = keras.layers.LayerNormalization(name="attention_norm")(hidden)
        expanded = keras.layers.Dense(self.hidden_units, activation="relu", name="expand")(hidden)
        contracted = keras.layers.Dense(self.embedding_size, name="contract")(expanded)
        hidden = keras.layers.Add(name="feed_forward_residual")([hidden, contracted])
        hidden = keras.layers.LayerNormalization(name="feed_forward_norm")(hidden)
        pooled = MaskedMean(name="pooling")([hidden, is_token])
        pooled = keras.layers.Dropout(self.dropout, name="dropout")(pooled)
        logits = keras.layers.Dense(num_classes, name="logits")(pooled)
        return keras.Model(tokens, logits, name="transformer_encoder")

    @classmethod
    def goal(cls, facts: Mapping[str, Any]) -> Goal:
        kind = MultiLabel if facts["is_multi_label"] else Classification
        return kind(classes=tuple(facts["classes"]))

    @classmethod
    def read_input(cls, facts: Mapping[str, Any], settings: Mapping[str, Any], given: str) -> Any:
        text = _text_of(given)
        if not split_words(text):
            raise UsageError("expected a text, or the path of a .txt file; got nothing that could be read")
        return _inputs(facts, [text])

    @classmethod
    def typed_look(cls, facts: Mapping[str, Any]) -> WordsLook:
        is_bag = facts["kind"] == "bag"
        known = _bag_vocabulary(facts).terms if is_bag else _word_vocabulary(facts).words
        words = frozenset(known)

        def read(text: str) -> Any:
            if not split_words(text):
                raise UsageError("expected a text with words in it")
            return _inputs(facts, [text])

        return WordsLook(
            read=read,
            unknown=lambda text: [word for word in split_words(text) if word not in words],
            names=["(padding)", *known] if is_bag else ["(padding)", "[?]", *known],
            is_bag=is_bag,
            example=_example_text(known),
        )

    @classmethod
    def answer_of(cls, facts: Mapping[str, Any], output: np.ndarray) -> dict[str, Any]:
        classes = facts["classes"]
        if facts["is_multi_label"]:
            return label_answer(output, classes)
        return class_answer(output, classes)

    @classmethod
    def target_text(cls, facts: Mapping[str, Any], target: Any) -> str:
        if not facts["is_multi_label"]:
            return str(facts["classes"][int(target)])
        labels = [name for name, is_label in zip(facts["classes"], target, strict=True) if is_label > 0.5]
        return ", ".join(labels) or NO_LABEL

    @classmethod
    def describe_example(cls, facts: Mapping[str, Any], inputs: Any) -> str:
        from openbook.data.display import shortened

        if isinstance(inputs, dict):
            return " · ".join(_bag_vocabulary(facts).term_texts(inputs["ngrams"])[:_SHOWN_TERMS])
        return shortened(" ".join(_word_vocabulary(facts).word_texts(inputs)), max_chars=_SHOWN_CHARS)

    def samples(self, held_out: HeldOut) -> list[str]:
        from openbook.lenses.confusion import draw_confusion

        goal = held_out.splits.goal
        if not isinstance(goal, Classification):
            return [_said_labels(goal.classes, held_out.outputs, held_out.targets)]  # type: ignore[attr-defined]
        confusion = self._confusion(held_out)
        draw_confusion(confusion, held_out.run.samples_folder / "confusion.png")
        mistakes = [
            f"{goal.classes[target]}, taken for {goal.classes[answer]} ({certainty:.1%} sure):\n  {text}"
            for text, target, answer, certainty in zip(
                confusion.texts[:_NUM_MISTAKES],
                confusion.targets,
                confusion.answers,
                confusion.certainties,
                strict=False,
            )
        ]
        return [confusion.text(), *mistakes]

    def findings(self, facts: Mapping[str, Any]) -> Mapping[str, Callable[[HeldOut], Finding]]:
        return {} if facts["is_multi_label"] else {"confusion": self._confusion}

    def _confusion(self, held_out: HeldOut) -> Confusion:
        from openbook.data.display import shortened
        from openbook.lenses.confusion import confusion_of

        splits = held_out.splits
        assert isinstance(splits.goal, Classification)
        assert isinstance(splits.test, ArrayExamples)
        confusion = confusion_of(held_out.outputs, held_out.targets, splits.goal.classes)
        texts = (
            shortened(splits.test.texts[position], max_chars=_SHOWN_CHARS) for position in confusion.worst
        )
        return dataclasses.replace(confusion, texts=tuple(texts))

    def smaller(self) -> Iterator[TextClassifier]:
        assert self.max_tokens and self.embedding_size and self.batch_size
        if self.model != "bag" and self.max_tokens >= 128:
            yield dataclasses.replace(self, max_tokens=self.max_tokens // 2)
        for divisor in (2, 4):
            size = self.embedding_size // divisor
            if size >= 1 and (self.model != "transformer" or size % self.num_heads == 0):
                yield dataclasses.replace(self, embedding_size=size)
        if self.batch_size >= 2:
            yield dataclasses.replace(self, batch_size=self.batch_size // 2)

    @classmethod
    def word_gradients(cls, run: Run, text: str, *, label: str | None = None) -> WordGradients:
        """What each word of a text does to the score of a label, the answer's when left out.

        Raises:
            UsageError: there is no such label.
        """
        from openbook.lenses.word_gradients import word_gradients
        from openbook.saved_models import load_model

        facts = cls.facts_of(run)
        inputs = cls.read_input(facts, run.section("settings"), text)
        model = load_model(run.model_path)
        classes = facts["classes"]
        if label is not None and label not in classes:
            raise UsageError(f"there is no label {label!r}; there are: {', '.join(classes)}")
        if isinstance(inputs, dict):
            words = _bag_vocabulary(facts).term_texts(inputs["ngrams"][0])
        else:
            words = _word_vocabulary(facts).word_texts(inputs[0])
        index = classes.index(label) if label is not None else int(np.argmax(np.asarray(model(inputs))[0]))
        return word_gradients(model, inputs, words, class_index=index, class_name=classes[index])


def _make_splits(recipe: TextClassifier, data: LabelledTexts) -> Splits:
    from openbook.data.split import split_by_content

    assert recipe.vocabulary_size and recipe.max_tokens
    sides = split_by_content(data.hashes, held_out_share=recipe.held_out_share)
    train_texts = [data.texts[index] for index in sides[0]]
    facts: dict[str, Any] = {
        "classes": list(data.classes),
        "is_multi_label": data.is_multi_label,
        "kind": "bag" if recipe.model == "bag" else "sequence",
        "max_tokens": recipe.max_tokens,
    }
    if recipe.model == "bag":
        bag = BagVocabulary.fit(
            train_texts, size=recipe.vocabulary_size, ngrams=recipe.ngrams, is_tf_idf=recipe.tf_idf
        )
        facts |= {"terms": list(bag.terms), "idf": [round(float(weight), 5) for weight in bag.idf_V]}
    else:
        facts["words"] = list(WordVocabulary.fit(train_texts, size=recipe.vocabulary_size).words)
    if not facts.get("terms", facts.get("words")):
        raise DataError(
            "the texts to train on hold no words. Expected texts of letters; is another column the text? "
            "Choose it with --text-column"
        )

    def examples(indices: np.ndarray) -> ArrayExamples:
        texts = tuple(data.texts[index] for index in indices)
        return ArrayExamples(inputs=_inputs(facts, texts), targets=data.labels[indices], texts=texts)

    train, validation, test = map(examples, sides)
    return Splits(train=train, validation=validation, test=test, goal=TextClassifier.goal(facts), facts=facts)


def _inputs(facts: Mapping[str, Any], texts: Any) -> Any:
    """Texts as the model's inputs; what training and a person's own text have in common."""
    if facts["kind"] == "bag":
        numbers_BK, weights_BK = _bag_vocabulary(facts).bags(texts, facts["max_tokens"])
        return {"ngrams": numbers_BK, "weights": weights_BK}
    return _word_vocabulary(facts).sequences(texts, facts["max_tokens"])


def _bag_vocabulary(facts: Mapping[str, Any]) -> BagVocabulary:
    return BagVocabulary(terms=tuple(facts["terms"]), idf_V=np.array(facts["idf"], np.float32))


def _word_vocabulary(facts: Mapping[str, Any]) -> WordVocabulary:
    return WordVocabulary(words=tuple(facts["words"]))


def _num_embeddings(facts: Mapping[str, Any]) -> int:
    vocabulary = _bag_vocabulary(facts) if facts["kind"] == "bag" else _word_vocabulary(facts)
    return vocabulary.num_embeddings


def _text_of(given: str) -> str:
    """A text, or the content of the text file of that name."""
    from openbook.data.decode import decode
    from openbook.data.files import UnusableFileError, read_file

    if not given.strip().lower().endswith((".txt", ".md")) or "\n" in given:
        return given
    path = Path(given.strip()).expanduser()
    if not path.is_file():
        if " " in given.strip():
            return given
        raise UsageError(f"there is no file {given!r}. Give a text, or the path of a .txt file")
    try:
        return decode(read_file(path, max_bytes=_LARGEST_FILE_BYTES)).text
    except UnusableFileError as error:
        raise DataError(f"{given}: {error}. {error.reason.advice}") from error


def _example_text(known: Sequence[str]) -> str:
    """A text to begin with, of words that the model knows."""
    words = frozenset(known)
    for text in _EXAMPLE_TEXTS:
        if all(word in words for word in split_words(text)):
            return text
    return " ".join([word for word in known if word.isalpha()][:_NUM_EXAMPLE_WORDS] or known[:1])


def _said_labels(classes: tuple[str, ...], outputs_NC: np.ndarray, targets_NC: np.ndarray) -> str:
    """How well each label is found, in lines."""
    says_NC, is_NC = outputs_NC > 0.0, targets_NC > 0.5
    lines = [
        f"{np.all(says_NC == is_NC, axis=1).mean():.1%} of {len(is_NC):,} held-out texts have all labels right"
    ]
    for index, name in enumerate(classes):
        hits = int((says_NC[:, index] & is_NC[:, index]).sum())
        lines.append(
            f"  {name}: {hits:,} of {int(is_NC[:, index].sum()):,} found, {int(says_NC[:, index].sum()):,} said"
        )
    return "\n".join(lines)

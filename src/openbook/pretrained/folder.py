"""Llama checkpoints as folders: config.json, *.safetensors and tokenizer.json, as Hugging Face's hub has them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import ModelError
from openbook.pretrained.plan import LlamaPlan

if TYPE_CHECKING:
    from openbook.text.tokenizer import Tokenizer

__all__ = ["FILES", "CheckpointFolder"]

CONFIG, TOKENIZER = "config.json", "tokenizer.json"
# What is used of a model on the hub.
FILES = (CONFIG, TOKENIZER, "*.safetensors")
_ARCHITECTURE = "LlamaForCausalLM"
# What documents are set apart with, where a model has several special tokens.
_USUAL_END_OF_TEXT = "<|endoftext|>"


class CheckpointFolder:
    """A folder with a Llama model.

    Raises:
        ModelError: a file is missing or damaged, or the model is of another architecture.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self._path = path
        self._config = _config(path)
        self.plan = _plan(self._config, path)
        files = sorted(path.glob("*.safetensors"))
        if not files:
            raise ModelError(f"{path}: has no *.safetensors, so there are no weights; download them as well")
        self._files: dict[str, Path] = {}
        for file in files:
            try:
                with safe_open(file, framework="numpy") as tensors:
                    self._files |= dict.fromkeys(tensors.keys(), file)
            except (OSError, SafetensorError) as error:
                raise ModelError(f"{file}: is cut short or damaged ({error}); download it again") from error

    def __str__(self) -> str:
        return str(self._path)

    def files(self) -> Sequence[Path]:
        return [self._path / CONFIG, *sorted(set(self._files.values()))]

    def names(self) -> Collection[str]:
        return self._files.keys()

    def read(self, name: str) -> np.ndarray:
        import ml_dtypes  # NumPy knows bfloat16 once it is imported  # noqa: F401
        from safetensors import safe_open

        with safe_open(self._files[name], framework="numpy") as tensors:
            values: np.ndarray = tensors.get_tensor(name)
        return values.astype(np.float32)

    def tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer as RustTokenizer

        from openbook.text.tokenizer import Tokenizer

        path = self._path / TOKENIZER
        try:
            rust = RustTokenizer.from_str(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(f"{self._path}: has no {TOKENIZER}; download it as well") from None
        except Exception as error:  # the Rust side raises plain Exception
            raise ModelError(f"{path}: cannot be read as a tokenizer ({error})") from error
        if rust.get_vocab_size() > self.plan.vocabulary_size:
            raise ModelError(
                f"{path}: has {rust.get_vocab_size():,} tokens, and the model {self.plan.vocabulary_size:,}; they "
                f"belong to different models"
            )
        end_of_text = _USUAL_END_OF_TEXT
        if rust.token_to_id(end_of_text) is None:
            end_of_text = self._end_of_text(rust)
        return Tokenizer.with_end_of_text(rust, end_of_text)

    def _end_of_text(self, rust: Any) -> str:
        number = self._config.get("eos_token_id")
        if isinstance(number, list):
            number = number[0] if number else None
        token = rust.id_to_token(number) if isinstance(number, int) else None
        if token is None:
            raise ModelError(
                f"{self._path / CONFIG}: eos_token_id is {number!r}, which is no token of {TOKENIZER}; openbook "
                f"needs to know what sets documents apart"
            )
        return str(token)


def _config(path: Path) -> Mapping[str, Any]:
    file = path / CONFIG
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{path}: has no {CONFIG}. Expected a folder with {CONFIG}, {TOKENIZER} and *.safetensors, as the hub "
            f"has them"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: cannot be read as JSON ({error})") from error
    if not isinstance(config, dict):
        raise ModelError(f"{file}: holds {type(config).__name__}; expected the settings of a model by name")
    return config


def _plan(config: Mapping[str, Any], path: Path) -> LlamaPlan:
    """The sizes in a model's config.

    Raises:
        ModelError: it is no Llama model, or one of a kind that openbook cannot build.
    """
    file = path / CONFIG
    architectures = config.get("architectures") or [config.get("model_type")]
    if architectures != [_ARCHITECTURE]:
        raise ModelError(
            f"{file}: is a model of architecture {', '.join(map(str, architectures))}; openbook can start from "
            f"{_ARCHITECTURE} alone"
        )
    rotary = config.get("rope_scaling") or config.get("rope_parameters") or {}
    rotary_type = rotary.get("rope_type") or rotary.get("type") or "default"
    others = {
        "hidden_act": config.get("hidden_act", "silu") != "silu",
        "attention_bias": bool(config.get("attention_bias")),
        "mlp_bias": bool(config.get("mlp_bias")),
        "rope_scaling": rotary_type != "default",
        "quantization_config": bool(config.get("quantization_config")),
    }
    for name, is_other in others.items():
        if is_other:
            raise ModelError(
                f"{file}: has {name} {config.get(name)!r}, which openbook's Llama has not; choose another model"
            )
    try:
        num_heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
        plan = LlamaPlan(
            num_blocks=int(config["num_hidden_layers"]),
            width=width,
            num_heads=num_heads,
            num_key_heads=int(config.get("num_key_value_heads") or num_heads),
            head_dim=int(config.get("head_dim") or width // num_heads),
            feed_forward_units=int(config["intermediate_size"]),
            vocabulary_size=int(config["vocab_size"]),
            context_length=int(config.get("max_position_embeddings", 2048)),
            rotary_base=float(config.get("rope_theta") or rotary.get("rope_theta") or 10000.0),
            epsilon=float(config.get("rms_norm_eps", 1e-6)),
            tied_output=bool(config.get("tie_word_embeddings", False)),
        )
    except KeyError as error:
        raise ModelError(f"{file}: does not say {error.args[0]}, which every Llama model has") from error
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(f"{file}: has a size that is no number ({error})") from error
    problem = plan.problem()
    if problem is not None:
        raise ModelError(f"{file}: gives {problem}; expected a Llama model")
    return plan

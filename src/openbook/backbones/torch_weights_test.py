"""Old-format torch files: state dicts come out as they went in, and nothing that a file asks for is ever run."""

import io
import pickle
import struct
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from openbook.backbones.torch_weights import read_state_dict
from openbook.errors import DataError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
TYPES = {"<f8": "Double", "<f4": "Float", "<f2": "Half", "<i4": "Int", "<i8": "Long"}


class Storage:
    """A flat array that a tensor is a view of; pickled by its key, as torch does."""

    def __init__(self, key: str, array: np.ndarray) -> None:
        self.key, self.array = key, array


class Tensor:
    """A view with strides in elements; pickled as a call of torch's function."""

    def __init__(self, storage: Storage, offset: int, shape: tuple, strides: tuple) -> None:
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return (sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments)


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            kind = getattr(sys.modules["torch"], TYPES[obj.array.dtype.str] + "Storage")
            return ("storage", kind, obj.key, "cpu", obj.array.size, None)
        return None


@pytest.fixture(autouse=True)
def names_of_torch(monkeypatch):
    """Stand-ins for the names of torch that its files contain, so that they can be written without it."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for kind in (*TYPES.values(), "Quantized"):
        name = f"{kind}Storage"
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def rebuild(*arguments):
        raise AssertionError("only its name is used")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def pickled(value, *, protocol: int = 2) -> bytes:
    buffer = io.BytesIO()
    Pickler(buffer, protocol=protocol).dump(value)
    return buffer.getvalue()


def torch_file(state, storages=(), *, keys=None, protocol: int = 2, little_endian: bool = True) -> bytes:
    machine = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": {"int": 4}}
    content = pickled(MAGIC_NUMBER) + pickled(1001) + pickled(machine)
    content += state if isinstance(state, bytes) else pickled(state, protocol=protocol)
    content += pickled([storage.key for storage in storages] if keys is None else keys)
    for storage in storages:
        content += struct.pack("<q", storage.array.size) + storage.array.tobytes()
    return content


@pytest.fixture
def read(tmp_path):
    """Reads a file with this content."""

    def read_content(content: bytes):
        path = tmp_path / "weights.pth"
        path.write_bytes(content)
        return read_state_dict(path)

    return read_content


def small_file() -> bytes:
    kernel = Storage("11", np.arange(6, dtype="<f4"))
    state = OrderedDict(
        kernel=Tensor(kernel, 0, (2, 3), (3, 1)), transposed=Tensor(kernel, 0, (3, 2), (1, 3))
    )
    state._metadata = OrderedDict({"": {"version": 1}})
    return torch_file(state, [kernel])


def test_tensors_are_read_by_shape_strides_and_offset(read):
    state = read(small_file())
    assert list(state) == ["kernel", "transposed"]
    assert state["kernel"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert state["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    state["kernel"][0, 0] = 9  # an array of its own: two names may share a storage
    assert state["transposed"][0, 0] == 0


@pytest.mark.parametrize("dtype", TYPES)
def test_each_type_of_number_keeps_its_values(read, dtype):
    row = Storage("1", np.array([3, -2, 1], dtype))
    state = read(torch_file(OrderedDict(last=Tensor(row, 1, (2,), (1,)), one=Tensor(row, 0, (), ())), [row]))
    assert state["last"].dtype == dtype
    assert state["last"].tolist() == [-2, 1]
    assert state["one"].shape == () and state["one"] == 3


def text_of(content: bytes) -> bytes:
    """The instruction that puts a text on the stack."""
    return b"X" + struct.pack("<I", len(content)) + content


def opcodes_that_touch(path: Path) -> dict[str, bytes]:
    """Pickles that make a file when they are run: each way that pickle has to call something by its name."""
    name = str(path).encode()
    text = text_of(name)
    short = bytes([len(name)]) + name
    return {
        "GLOBAL and REDUCE": b"\x80\x02cos\nmkdir\n" + text + b"\x85R.",
        "INST": b"(S'" + name + b"'\nios\nmkdir\n.",
        "OBJ": b"\x80\x02(cos\nmkdir\n" + text + b"o.",
        "NEWOBJ": b"\x80\x02cos\nmkdir\n" + text + b"\x85\x81.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93\x8c" + short + b"\x85R.",
        "an attribute of an allowed module": b"\x80\x04\x8c\x0bcollections\x8c\x0e_sys.modules\x93.",
        "eval": b"\x80\x02c__builtin__\neval\n"
        + text_of(b"__import__('os').mkdir('" + name + b"')")
        + b"\x85R.",
    }


PLACES = ("magic number", "version", "machine", "state dict", "value", "metadata", "keys")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", opcodes_that_touch(Path("x")))
def test_no_code_of_a_file_is_run(read, tmp_path, way, place):
    target = tmp_path / "was_run"
    evil = opcodes_that_touch(target)[way]
    inside = evil.removeprefix(b"\x80\x02").removeprefix(b"\x80\x04")[:-1]
    start = pickled(MAGIC_NUMBER), pickled(1001), pickled({"little_endian": True})
    content = {
        "magic number": evil,
        "version": start[0] + evil,
        "machine": start[0] + start[1] + evil,
        "state dict": torch_file(evil),
        "value": torch_file(b"\x80\x02ccollections\nOrderedDict\n)RX\x01\x00\x00\x00a" + inside + b"s."),
        "metadata": torch_file(
            b"\x80\x02ccollections\nOrderedDict\n)R}X\x09\x00\x00\x00_metadata" + inside + b"sb."
        ),
        "keys": b"".join(start) + pickled(OrderedDict()) + evil,
    }[place]
    with pytest.raises(DataError, match=r"no state dict needs\. Nothing of the file was run"):
        read(content)
    assert not target.exists()


def test_the_pickles_of_that_test_do_something_when_they_are_run(tmp_path):
    for way, evil in opcodes_that_touch(tmp_path / "was_run").items():
        if way not in ("NEWOBJ", "an attribute of an allowed module"):  # needs a class; only names
            pickle.loads(evil)
            (tmp_path / "was_run").rmdir()


def test_what_a_file_may_name_cannot_be_changed_by_it(read):
    # BUILD with a pair sets attributes: here the defaults of the function that describes tensors.
    change = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x0c\x00\x00\x00__defaults__)s\x86b."
    with pytest.raises(DataError):
        read(torch_file(change))
    change = b"\x80\x02ccollections\nOrderedDict\nN}X\x03\x00\x00\x00popK\x01s\x86b."
    with pytest.raises(DataError):
        read(torch_file(change))
    assert callable(OrderedDict.pop)
    assert read(small_file())["kernel"].shape == (2, 3)


@pytest.mark.parametrize("name", ["load", "QuantizedStorage", "FloatStorage.__init__"])
def test_other_names_of_torch_are_refused(read, name):
    with pytest.raises(DataError, match=f"asks for torch.{name}"):
        read(torch_file(b"\x80\x02ctorch\n" + name.encode() + b"\n."))


def test_a_huge_number_of_remembered_values_takes_no_memory(read):
    with pytest.raises(DataError, match="beyond its own length"):
        read(torch_file(b"\x80\x02Nr\xff\xff\xff\x7f."))


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        ((0, (3, 3), (3, 1)), "does not fit its storage"),
        ((2, (5,), (1,)), "reaches beyond"),
        ((0, (2, 2), (5, 1)), "reaches beyond"),
        ((-1, (2,), (1,)), "does not fit"),
        ((0, (2,), (-1,)), "does not fit"),
        ((0, (1 << 40, 1 << 40), (0, 0)), "does not fit"),
        ((0, (2,), (1, 1)), "does not fit"),
        ((0, ("2",), (1,)), "does not fit"),
        ((0, [2], [1]), "does not fit"),
        (("0", (2,), (1,)), "does not fit"),
        ((0, (0,), (1,)), "does not fit"),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(read, tensor, said):
    row = Storage("1", np.zeros(6, "<f4"))
    with pytest.raises(DataError, match=said):
        read(torch_file(OrderedDict(w=Tensor(row, *tensor)), [row]))


def test_a_stride_that_is_never_used_may_be_any_number(read):
    row = Storage("1", np.arange(6, dtype="<f4"))
    assert read(torch_file(OrderedDict(w=Tensor(row, 4, (1, 2), (1 << 70, 1))), [row]))["w"].tolist() == [
        [4, 5]
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no torch file"),
        (b"plain text", "no torch file"),
        (pickled({"a": 1}), "expected a state dict saved by torch.save"),
        (b"PK\x03\x04" + bytes(40), "_use_new_zipfile_serialization=False"),
        (torch_file(OrderedDict(), little_endian=False), "big-endian"),
        (torch_file({"a": 1}), "no state dict"),
        (torch_file(OrderedDict(epoch=3)), "no tensor"),
        (torch_file(OrderedDict(), keys=["7"]), "belongs to no tensor"),
        (torch_file(OrderedDict(), keys=3), "no state dict"),
    ],
)
def test_another_kind_of_file_is_refused_with_a_reason(read, content, said):
    with pytest.raises(DataError, match=said):
        read(content)


def test_a_missing_file_is_an_error_of_ours(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_state_dict(tmp_path / "none.pth")


def test_a_storage_that_no_key_announces_is_an_error(read):
    row = Storage("1", np.zeros(2, "<f4"))
    with pytest.raises(DataError, match="does not fit its storage"):
        read(torch_file(OrderedDict(w=Tensor(row, 0, (2,), (1,))), [row], keys=[]))


def test_damage_anywhere_is_a_data_error_or_changes_numbers_only(read, rng):
    whole = small_file()
    for length in range(len(whole)):
        with pytest.raises(DataError):
            read(whole[:length])
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] = rng.integers(256)
        try:
            state = read(bytes(damaged))
        except DataError:
            continue
        assert all(isinstance(array, np.ndarray) for array in state.values())

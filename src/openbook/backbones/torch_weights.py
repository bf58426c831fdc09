"""Reads a state dict out of an old-format torch file: no torch, and no code of the file is ever run."""

# A .pth file written before torch 1.6 is five pickles in a row: a magic number, a protocol version, facts about
# the machine, the state dict and the names of its storages; then for each storage its length and its bytes. A
# pickle is a program for a small machine, and it may call anything that it can name. So each is first read as a
# list of instructions without being run; only those that a state dict needs are let through, and only the few
# names that it needs are known.

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from openbook.data.display import harmless
from openbook.errors import DataError

__all__ = ["read_state_dict"]

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_STORAGE_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
}
# What torch's pickles consist of. Left out are INST, OBJ, NEWOBJ, STACK_GLOBAL and EXT, which call or name too.
_INSTRUCTIONS = frozenset(
    {
        *("PROTO", "MARK", "STOP", "NONE", "NEWTRUE", "NEWFALSE"),
        *("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"),
        *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
        *("EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS"),
        *("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
        *("GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
    }
)
_NOT_RUN = "Nothing of the file was run. Use only weights from someone you trust"


class _StorageType(NamedTuple):
    """The type of a storage's elements; data, so that the file cannot call it."""

    dtype: str


class _Storage(NamedTuple):
    """A flat row of numbers that tensors are views of."""

    key: str
    dtype: str
    num_elements: int


class _Tensor(NamedTuple):
    """A view of a storage, as the file describes it; sizes and strides in elements."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """The weights in a torch file by their names.

    Args:
        path: a state dict saved by torch before 1.6, or later with `_use_new_zipfile_serialization=False`.
    Returns:
        name → array of its own, in the layout that torch has: kernels are (out, in, height, width).
    Raises:
        DataError: another kind of file, a damaged one, or one that asks for more than a state dict needs.
    Source: torch.serialization._legacy_save.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) == b"PK\x03\x04":
                raise DataError(
                    f"{path}: is a zip file as torch writes them since 1.6; expected the older form. Save it "
                    f"again with torch.save(…, _use_new_zipfile_serialization=False)"
                )
            file.seek(0)
            return _read(path, file)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read(path: Path, file: BinaryIO) -> dict[str, np.ndarray]:
    size_bytes = path.stat().st_size
    if _unpickled(path, file, size_bytes) != _MAGIC_NUMBER:
        raise DataError(f"{path}: is no torch file; expected a state dict saved by torch.save")
    version = _unpickled(path, file, size_bytes)
    machine = _unpickled(path, file, size_bytes)
    if (
        version != _PROTOCOL_VERSION
        or not isinstance(machine, dict)
        or machine.get("little_endian") is not True
    ):
        raise DataError(
            f"{path}: was written by another version of torch or on a big-endian machine; "
            f"expected protocol {_PROTOCOL_VERSION}, little-endian"
        )
    described = _unpickled(path, file, size_bytes)
    keys = _unpickled(path, file, size_bytes)
    if not isinstance(described, OrderedDict) or not isinstance(keys, list):
        raise DataError(f"{path}: holds no state dict. Save model.state_dict() rather than the model")
    storages: dict[str, _Storage] = {}
    for name, tensor in described.items():
        if (
            not isinstance(name, str)
            or not isinstance(tensor, _Tensor)
            or not isinstance(tensor.storage, _Storage)
        ):
            raise DataError(f"{path}: has an entry that is no tensor. Save model.state_dict() alone")
        if storages.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise DataError(
                f"{path}: is damaged: storage {harmless(tensor.storage.key)!r} is described in two ways"
            )
    numbers: dict[str, np.ndarray] = {}
    for key in keys:
        if not isinstance(key, str) or key not in storages:
            raise DataError(f"{path}: is damaged: a storage belongs to no tensor")
        numbers[key] = _numbers(path, file, storages[key])
    return {name: _array(path, name, tensor, numbers) for name, tensor in described.items()}


def _unpickled(path: Path, file: BinaryIO, size_bytes: int) -> Any:
    """What the next pickle in the file describes, made of plain data, `_Storage`s and `_Tensor`s only."""
    start = file.tell()
    try:
        for instruction, argument, _ in pickletools.genops(file):
            if instruction.name not in _INSTRUCTIONS:
                raise DataError(
                    f"{path}: uses the pickle instruction {instruction.name}, which no state dict needs. "
                    f"{_NOT_RUN}"
                )
            # The unpickler makes room for as many remembered values as the largest number says.
            if instruction.name == "LONG_BINPUT" and isinstance(argument, int) and argument > size_bytes:
                raise DataError(f"{path}: numbers its values beyond its own length. {_NOT_RUN}")
        end = file.tell()
        file.seek(start)
        return _StateDictUnpickler(io.BytesIO(file.read(end - start)), path).load()
    except DataError:
        raise
    except Exception as error:
        # A damaged pickle can fail in any way: unknown instructions, a missing value, text that is no UTF-8.
        reason = harmless(str(error))[:80] or type(error).__name__
        raise DataError(f"{path}: is no torch file, or is damaged ({reason})") from error


class _StateDictUnpickler(pickle.Unpickler):
    """Knows the names that a state dict needs, and no others."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        super().__init__(file)
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # Made anew each time: a pickle may set attributes of what it has named.
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _STORAGE_TYPES:
            return _StorageType(_STORAGE_TYPES[name])
        raise DataError(
            f"{self._path}: asks for {harmless(f'{module}.{name}')[:80]}, which no state dict needs. "
            f"{_NOT_RUN}"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _StorageType(dtype), str(key), str(), int(num_elements), None) if (
                num_elements >= 0
            ):
                return _Storage(key, dtype, num_elements)
        raise DataError(f"{self._path}: is damaged: a storage is not described as torch does")


def _numbers(path: Path, file: BinaryIO, storage: _Storage) -> np.ndarray:
    """The storage's elements, which come next in the file."""
    length = file.read(8)
    num_bytes = storage.num_elements * np.dtype(storage.dtype).itemsize
    # Compared before anything is read, so that a made-up length takes no memory.
    if (
        int.from_bytes(length, "little") != storage.num_elements
        or num_bytes > path.stat().st_size - file.tell()
    ):
        raise DataError(f"{path}: is cut off or damaged at storage {harmless(storage.key)!r}. Fetch it again")
    return np.frombuffer(file.read(num_bytes), storage.dtype)


def _array(path: Path, name: str, tensor: _Tensor, numbers: dict[str, np.ndarray]) -> np.ndarray:
    """A tensor's elements, picked from its storage by offset and strides."""
    row = numbers.get(tensor.storage.key)
    shape, strides, offset = tensor.shape, tensor.strides, tensor.offset
    is_described = (
        isinstance(shape, tuple)
        and isinstance(strides, tuple)
        and len(shape) == len(strides)
        and all(isinstance(number, int) and number >= 0 for number in (*shape, *strides, offset))
    )
    # A tensor with more elements than its storage repeats some; no weight does, and it could be of any size.
    if row is None or not is_described or not 0 < math.prod(shape) <= row.size:
        raise DataError(f"{path}: is damaged: tensor {harmless(name)!r} does not fit its storage")
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if last >= row.size:
        raise DataError(f"{path}: is damaged: tensor {harmless(name)!r} reaches beyond its storage")
    # Where there is one element only, the stride is never used, and can be any number.
    byte_strides = [
        stride * row.itemsize if size > 1 else 0 for size, stride in zip(shape, strides, strict=True)
    ]
    view = np.lib.stride_tricks.as_strided(row[offset:], shape, byte_strides, writeable=False)
    return np.array(view, order="C")

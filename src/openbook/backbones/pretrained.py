"""A network together with where its trained weights come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openbook.backbones.inverted_residuals import NetworkPlan, build_network
from openbook.backbones.shipped_file import shipped_file
from openbook.backbones.torch_weights import read_state_dict
from openbook.backbones.weight_transfer import transfer_weights
from openbook.data.cache import Progress
from openbook.data.wheel import WheelOrigin

__all__ = ["Pretrained", "load_pretrained"]


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A plan, the file with its weights, and what each layer is called in that file."""

    plan: NetworkPlan
    licence: str  # of the weights, as their package states it
    origin: WheelOrigin
    torch_names: Mapping[str, str]


def load_pretrained(network: Pretrained, *, with_top: bool, progress: Progress) -> Any:
    """The network as a Keras model with its trained weights.

    Raises:
        FetchError: the weights are not in the cache and cannot be fetched.
        DataError: they are not those of this network.
    """
    path = shipped_file(network.origin, what=f"The weights of {network.plan.name}", progress=progress)
    weights = read_state_dict(path)
    model = build_network(network.plan, with_top=with_top)
    transfer_weights(model, weights, network.torch_names, path=path)
    return model

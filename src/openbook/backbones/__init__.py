"""Pretrained ImageNet networks as functional Keras models: what fine-tuning starts from, and lenses look into."""

from openbook.backbones.backbone import Backbone, backbone_names, load_backbone
from openbook.backbones.imagenet_names import imagenet_names

__all__ = ["Backbone", "backbone_names", "imagenet_names", "load_backbone"]

"""Our config as LeRobot's ACT policy, with the processors that belong to it.

LeRobot's own classes do the learning and the loading; this is only the translation. The shapes, defaults
and file formats are those of LeRobot 0.6.1.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline
from lerobot.utils.constants import ACTION, IMAGENET_STATS, OBS_IMAGES, OBS_STATE
from safetensors import SafetensorError
from safetensors.torch import load_file

from protocol.training import TrainingConfig
from trainer.learning.weights import require, weights_of
from trainer.process.attempt import JobError

type Stats = Mapping[str, Mapping[str, Any]]


def image_key(camera: str) -> str:
    """LeRobot's name for a camera's frames, in observations and data sets alike."""
    return f"{OBS_IMAGES}.{camera}"


def act_config(config: TrainingConfig, device: str) -> ACTConfig:
    """LeRobot's config for ours.

    `transformer_layers` are the encoder's: LeRobot keeps one decoder layer, since the original ACT never used
    its further ones. The decoder's and the VAE's sizes are LeRobot's defaults.
    """
    height, width = config.dataset.image_size
    images = {
        image_key(camera): PolicyFeature(FeatureType.VISUAL, (3, height, width))
        for camera in config.dataset.camera_names
    }
    return ACTConfig(
        device=device,
        push_to_hub=False,
        input_features={
            **images,
            OBS_STATE: PolicyFeature(FeatureType.STATE, (config.observation.state_dim,)),
        },
        output_features={ACTION: PolicyFeature(FeatureType.ACTION, (config.model.action_dim,))},
        chunk_size=config.policy.chunk_size,
        n_action_steps=config.policy.n_action_steps,
        kl_weight=config.policy.kl_weight,
        dropout=config.policy.dropout,
        vision_backbone=config.model.backbone,
        pretrained_backbone_weights=None,
        n_encoder_layers=config.model.transformer_layers,
        dim_model=config.model.dim_model,
        n_heads=config.model.n_heads,
        dim_feedforward=config.model.dim_feedforward,
        optimizer_lr=config.training.lr,
        optimizer_lr_backbone=config.training.lr_backbone,
        optimizer_weight_decay=config.training.weight_decay,
    )


def fresh_policy(config: TrainingConfig, device: str) -> ACTPolicy:
    """A policy before its first step: random from the config's seed, its backbone from ImageNet if so set.

    The policy's own config says "no pretrained weights" in either case: a checkpoint holds the backbone, and
    loading it must not fetch another one first.

    Raises:
        JobError: no_weights, when the ImageNet weights are wanted and not on this machine.
    """
    settings = act_config(config, device)
    if config.model.pretrained_backbone_weights is not None:
        weights = weights_of(config.model.backbone, config.model.pretrained_backbone_weights)
        require(weights)
        settings.pretrained_backbone_weights = str(weights)
    torch.manual_seed(config.training.seed)
    policy = ACTPolicy(settings)
    settings.pretrained_backbone_weights = None
    return policy.to(device)


def blank_policy(config: TrainingConfig, device: str) -> ACTPolicy:
    """A policy of the right shape whose weights are about to be loaded from somewhere else."""
    return ACTPolicy(act_config(config, device)).to(device)


OLD_STATISTICS = ("normalize_inputs.", "normalize_targets.", "unnormalize_outputs.")
"""Until 0.3 LeRobot kept the data's statistics among the weights. We have those of our own data."""


def load_weights(policy: ACTPolicy, pretrained_model: Path) -> None:
    """Put the weights of a `pretrained_model` folder into `policy`, whoever wrote it.

    Raises:
        JobError: bad_job, when they are missing or of another model.
    """
    file = pretrained_model / "model.safetensors"
    try:
        weights = load_file(file)
        policy.load_state_dict(
            {name: each for name, each in weights.items() if not name.startswith(OLD_STATISTICS)}
        )
    except (OSError, SafetensorError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        wrong = f"{file}: its weights do not fit this config ({said}); name another checkpoint"
        raise JobError("bad_job", wrong) from error


def processors(
    settings: ACTConfig, stats: Stats
) -> tuple[PolicyProcessorPipeline[Any, Any], PolicyProcessorPipeline[Any, Any]]:
    """LeRobot's pre- and postprocessor with `stats` (see `with_image_stats`) baked in."""
    tensors = {
        key: {name: torch.as_tensor(np.asarray(value)) for name, value in of.items()}
        for key, of in stats.items()
    }
    return make_pre_post_processors(settings, dataset_stats=tensors)


def with_image_stats(stats: Stats, cameras: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    """`stats` plus ImageNet's mean and std for each camera, as lerobot-train does by default."""
    return {**stats, **{image_key(camera): IMAGENET_STATS for camera in cameras}}

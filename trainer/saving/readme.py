"""The README of a checkpoint: how whoever finds it loads it and feeds it. Korean first, for our peers."""

from string import Template
from typing import Any

import numpy as np

from protocol.training import TrainingConfig
from trainer.learning.act import Stats
from trainer.learning.history import TrainerState

PAGE = Template("""\
# ACT checkpoint

- Epoch: $epoch/$epochs (step $step)
- $figures
- 에피소드 수: $episodes개, 프레임 수: $frames개 (episodes, frames)
- 데이터 인증 (data certificate): `$certificate`
- 학습에서 제외하고 측정에만 쓴 에피소드 (held out): $held_out

## 설정 변경과 승인 (changes of the config, and on whose word)

$journal

## 불러오기 (how to load)

아래 `path`는 이 폴더를 기준으로 합니다. `path` is relative to this folder.

```python
import torch
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors

path = "$model_folder"
device = "cuda" if torch.cuda.is_available() else "cpu"
policy = ACTPolicy.from_pretrained(path).to(device)
pre, post = make_pre_post_processors(
    policy.config,
    pretrained_path=path,
    preprocessor_overrides={"device_processor": {"device": device}},
)

policy.reset()  # at the start of each episode
observation = {
$inputs
}
action = post(policy.select_action(pre(observation)))  # (1, $action_dim)
```

## 이미지 크기 변환 (resize)

저장된 전처리기는 크기를 바꾸지 않습니다. uint8 상태에서 먼저 아래와 같이 변환하십시오.
The saved preprocessor does not resize: do it first, on uint8, with antialias.

```python
import torch
from torchvision.transforms import v2

resize = v2.Resize([$height, $width], antialias=True)

def image(frame):  # RGB uint8 ($video_height, $video_width, 3) -> float32 (3, $height, $width), 0..1
    return resize(torch.from_numpy(frame).permute(2, 0, 1)).float() / 255.0
```

## 입력과 액션 순서 (input and action order)

- 상태 (state): $state_names
- 액션 (action): $action_names, -1.0 ~ 1.0
- 카메라 (cameras): $cameras, $fps fps
- 각 에피소드의 앞 $skip_first프레임과 뒤 $skip_last프레임은 학습에서 제외 (frames cut from head and tail)

## 통계 (statistics of the training data)

$table

## 버전 (versions)

$versions
""")


def readme(state: TrainerState, stats: Stats, model_folder: str) -> str:
    """`model_folder` is where the model's files lie, as seen from the README."""
    config, data = state.config, state.config.dataset
    return PAGE.substitute(
        epoch=state.epoch,
        epochs=config.training.epochs,
        step=state.step,
        figures=_figures(state),
        episodes=state.episodes,
        frames=state.frames,
        certificate=state.certificate or "없음",
        held_out=", ".join(state.held_out) or "없음",
        journal="\n".join(f"- {line}" for line in state.journal) or "- 없음",
        model_folder=model_folder,
        inputs=_inputs(config),
        action_dim=config.model.action_dim,
        height=data.image_size[0],
        width=data.image_size[1],
        video_height=data.video_size[1],
        video_width=data.video_size[0],
        state_names=", ".join(config.state_names),
        action_names=", ".join(config.action_names),
        cameras=", ".join(data.camera_names),
        fps=data.fps,
        skip_first=data.skip_first_frames,
        skip_last=data.skip_last_frames,
        table=_table(config, stats),
        versions="\n".join(f"- {name} {version}" for name, version in state.versions.items()),
    )


def _figures(state: TrainerState) -> str:
    if not state.history:
        return "Loss: 없음"
    last = state.history[-1]
    return (
        f"Loss: {last.loss:.4g}, L1: {last.l1:.4g} (epoch 평균, 정규화 단위; epoch means, normalised units)"
    )


def _inputs(config: TrainingConfig) -> str:
    height, width = config.dataset.image_size
    images = [
        f'    "observation.images.{camera}": image({camera}),  # float32 (3, {height}, {width}), RGB, 0..1'
        for camera in config.dataset.camera_names
    ]
    state = f'    "observation.state": torch.tensor(state),  # float32 ({config.observation.state_dim},)'
    return "\n".join((*images, state))


COLUMNS = ("mean", "std", "min", "max")


def _table(config: TrainingConfig, stats: Stats) -> str:
    named = (("observation.state", config.state_names), ("action", config.action_names))
    rows = [
        f"| {key} | {name} | " + " | ".join(f"{_value(stats[key][of], at):.6g}" for of in COLUMNS) + " |"
        for key, names in named
        for at, name in enumerate(names)
    ]
    head = "| | | " + " | ".join(COLUMNS) + " |\n|---|---|" + "---|" * len(COLUMNS)
    return "\n".join((head, *rows))


def _value(values: Any, at: int) -> float:
    return float(np.asarray(values)[at])

"""The names by which a field of the config may be called: its own, and peers' words for it."""

import re

from protocol.training import TrainingConfig

SPOKEN = {
    "학습률": "training.lr",
    "learning rate": "training.lr",
    "배치 크기": "training.batch_size",
    "배치 사이즈": "training.batch_size",
    "batch": "training.batch_size",
    "accum": "training.gradient_accumulation",
    "transformer layer": "model.transformer_layers",
    "미니배치": "training.batch_size",
    "그래디언트 누적": "training.gradient_accumulation",
    "grad accumulation": "training.gradient_accumulation",
    "accumulation": "training.gradient_accumulation",
    "에폭": "training.epochs",
    "에포크": "training.epochs",
    "epoch": "training.epochs",
    "시드": "training.seed",
    "저장 간격": "training.save_checkpoint_every",
    "checkpoint 간격": "training.save_checkpoint_every",
    "체크포인트 간격": "training.save_checkpoint_every",
    "checkpoint interval": "training.save_checkpoint_every",
    "save interval": "training.save_checkpoint_every",
    "save_freq": "training.save_checkpoint_every",
    "그래디언트 클리핑": "training.grad_clip_norm",
    "gradient clipping": "training.grad_clip_norm",
    "gradient clip norm": "training.grad_clip_norm",
    "gradient clipping norm": "training.grad_clip_norm",
    "clipping norm": "training.grad_clip_norm",
    "clip norm": "training.grad_clip_norm",
    "grad clip": "training.grad_clip_norm",
    "가중치 감쇠": "training.weight_decay",
    "백본 학습률": "training.lr_backbone",
    "backbone lr": "training.lr_backbone",
    "backbone learning rate": "training.lr_backbone",
    "optimizer_lr": "training.lr",
    "optimizer_lr_backbone": "training.lr_backbone",
    "저장 주기": "training.save_checkpoint_every",
    "checkpoint 주기": "training.save_checkpoint_every",
    "체크포인트 주기": "training.save_checkpoint_every",
    "청크 크기": "policy.chunk_size",
    "청크": "policy.chunk_size",
    "chunk": "policy.chunk_size",
    "액션 스텝": "policy.n_action_steps",
    "action steps": "policy.n_action_steps",
    "드롭아웃": "policy.dropout",
    "image_transforms.enable": "dataset.image_transforms",
    "dataset.image_transforms.enable": "dataset.image_transforms",
    "dataset.image_transforms.max_num_transforms": "dataset.max_num_transforms",
    "이미지 크기": "dataset.image_size",
    "이미지 해상도": "dataset.image_size",
    "백본": "model.backbone",
    "채널 가중치": "training.action_weights",
}

_ONLY_IN_FULL = {"name", "images"}
"""In a sentence these are words like any others."""

_FIELDS = [
    (section, name)
    for section, model in TrainingConfig.model_fields.items()
    for name in getattr(model.annotation, "model_fields", ())
]


def plain(name: str) -> str:
    """As it stands in FIELD_OF."""
    return re.sub(r"[\s_-]", "", name.lower())


FIELD_OF = {
    **{plain(name): f"{section}.{name}" for section, name in _FIELDS if name not in _ONLY_IN_FULL},
    **{plain(f"{section}.{name}"): f"{section}.{name}" for section, name in _FIELDS},
    **{plain(name): field for name, field in SPOKEN.items()},
}

_ALL = sorted(
    {
        *SPOKEN,
        *(name for _, name in _FIELDS if name not in _ONLY_IN_FULL),
        *(".".join(each) for each in _FIELDS),
    },
    key=len,
    reverse=True,
)
_SPELLED = "|".join(re.sub(r"[\s_]|\\ ", r"[\\s_-]?", re.escape(name)) for name in _ALL)
NAME = rf"(?<![\w.])(?:{_SPELLED})(?![A-Za-z0-9_])"
"""Any of them, as a regular expression without groups."""


def field_of(name: str) -> str:
    """The field that NAME matched.

    >>> field_of("Batch Size"), field_of("학습률"), field_of("dataset.image_size")
    ('training.batch_size', 'training.lr', 'dataset.image_size')
    """
    return FIELD_OF[plain(name)]

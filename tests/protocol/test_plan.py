"""PLAN.md: what it sets, and everything that is wrong with it at once."""

import pytest

from protocol.plan import PlanBroken, read_plan
from protocol.training import IMAGE_TRANSFORMS, TrainingConfig
from protocol.yaml_block import fenced

CARD = """# PLAN

## ACT 학습 Config

```yaml
policy:
  name: act
  chunk_size: 20                    # 20프레임(0.67초) 앞을 한번에 예측
  n_action_steps: 20

training:
  batch_size: 64
  lr: 1e-4
  epochs: 500
  seed: 42
  save_checkpoint_every: 50         # 50 epoch마다

model:
  backbone: resnet18
  transformer_layers: 6
  action_dim: 4                     # steering, throttle, bucket, lift

dataset:
  camera_names:
    - ego                           # 주 시점
  image_size: [224, 224]            # 640x480 → 224x224 리사이즈

observation:
  images:
    ego: [3, 224, 224]              # RGB
  state_dim: 4                      # loader_x, loader_z, loader_rotation, legos_remaining
```
"""


def errors_in(text: str) -> tuple[str, ...]:
    with pytest.raises(PlanBroken) as broken:
        read_plan(text)
    return broken.value.errors


def test_the_card_s_config_is_read_and_changes_nothing() -> None:
    plan = read_plan(CARD)
    assert plan.config == TrainingConfig()
    assert plan.overrides["training.lr"] == 1e-4
    assert plan.overrides["dataset.camera_names"] == ["ego"]
    assert len(plan.overrides) == 14


def test_a_plan_without_config_has_the_defaults() -> None:
    for text in (
        "",
        "# PLAN\n\n```python\ntraining: 3\n```\n\n```\ntext\n```\n\n```yaml\nteam: 5\n```\n```yaml\n- a\n```",
    ):
        plan = read_plan(text)
        assert plan.overrides == {}
        assert plan.config == TrainingConfig()


def test_several_blocks_of_any_fence_are_read() -> None:
    plan = read_plan(
        "- item\n  ~~~yml\n  training:\n    lr: 5e-5\n    grad_clip_norm: 1.0e1\n  ~~~\n"
        "````yaml\nmodel: {pretrained_backbone_weights: null}\nevaluation:\n  episodes: 5\n````\n"
        "```\npolicy:\n  chunk_size: 20\ndataset:\n```\n```yaml\ntraining:\n  lr: 5e-5"
    )
    assert plan.overrides == {
        "training.lr": 5e-5,
        "training.grad_clip_norm": 10.0,
        "model.pretrained_backbone_weights": None,
        "policy.chunk_size": 20,
    }
    assert plan.config.model.pretrained_backbone_weights is None


def test_every_error_is_said_at_once_with_its_line() -> None:
    broken = """```yaml
trainig:
  epochs: 3
```
```yaml
training:
  batchsize: 32
  chunk_size: 9
  whatever: 1
  lr: -1e-4
  epochs: lots
  seed: yes
  batch_size: 0
  weight_decay: 2001-99-99
polcy:
  chunk_size: 10
model: 5
dataset:
  image_size: [224]
  camera_names: ego
  camera_names: ego
  ? [a, b]
  : c
```
"""
    assert errors_in(broken) == (
        "2행 trainig: 없는 구역입니다 (training?)",
        "7행 training.batchsize: 없는 항목입니다 (batch_size?)",
        "8행 training.chunk_size: 없는 항목입니다 (policy.chunk_size?)",
        "9행 training.whatever: 없는 항목입니다",
        "10행 training.lr: 0.0보다 커야 합니다 (지금 -0.0001)",
        "11행 training.epochs: 정수여야 합니다 (지금 'lots')",
        "12행 training.seed: 참/거짓을 쓰는 항목이 아닙니다",
        "13행 training.batch_size: 1 이상이어야 합니다 (지금 0)",
        "14행 training.weight_decay: 값을 읽지 못했습니다",
        "15행 polcy: 없는 구역입니다 (policy?)",
        "17행 model: 이름과 값의 묶음이어야 합니다",
        "19행 dataset.image_size.1: 값이 부족합니다 (지금 [224])",
        "20행 dataset.camera_names: 목록이어야 합니다 (지금 'ego')",
        "21행 dataset.camera_names: 20행에 이미 있습니다",
        "22행 dataset.?: 없는 항목입니다",
    )


def test_fields_that_contradict_each_other_are_named_where_the_last_is_set() -> None:
    assert errors_in("```yaml\npolicy:\n  chunk_size: 10\n  n_action_steps: 20\n```") == (
        "4행 policy: n_action_steps 20 is above chunk_size 10",
    )
    (error,) = errors_in("```yaml\nmodel:\n  n_heads: 7\n```")
    assert error.startswith("3행 model: dim_model 512")
    (error,) = errors_in("```yaml\nobservation:\n  images: {wrist: [3, 224, 224]}\n```")
    assert "observation.images.wrist" in error


def test_two_blocks_must_not_say_two_things() -> None:
    block = "```yaml\ntraining:\n  lr: {}\n```\n"
    assert errors_in(block.format("1e-4") + block.format("1e-5")) == (
        "7행 training.lr: 3행과 값이 다릅니다 (0.0001 / 1e-05)",
    )


@pytest.mark.parametrize(
    ("yaml", "error"),
    [
        (
            "training:\n  lr: &a 1e-4\n  lr_backbone: *a",
            "4행 YAML을 읽지 못했습니다: 별칭(*)은 쓸 수 없습니다",
        ),
        ("training: " + "[" * 500, "2행 YAML을 읽지 못했습니다: 너무 깊이 겹쳐 있습니다"),
        ("training:\n\tlr: 1", "3행 YAML을 읽지 못했습니다: found character that cannot start any token"),
        ("training:\n  lr: !!python/object/apply:os.system [echo]", "3행 training.lr: 값을 읽지 못했습니다"),
        ("training:\n  epochs: " + "9" * 5000, "3행 training.epochs: 값을 읽지 못했습니다"),
    ],
)
def test_yaml_that_is_no_plain_data_is_refused(yaml: str, error: str) -> None:
    assert errors_in(f"```yaml\n{yaml}\n```")[0] == error


def test_a_control_character_is_refused_without_its_line() -> None:
    assert errors_in("```yaml\ntraining:\n  lr: \ufffe\n```")[0].startswith("2행 YAML을 읽지 못했습니다")


@pytest.mark.parametrize(
    "text",
    [
        "```yaml\ntraining:\n\u00a0\u00a0lr: 5e-5\n```",
        "\ufeff```yaml\ntrain\u200bing:\n  lr: 5e-5 \x00\n```",
        "```yaml\r\ntraining:\r\n\u3000lr: 5e-5\r\n```",
    ],
)
def test_what_cannot_be_seen_changes_nothing(text: str) -> None:
    assert read_plan(text).overrides == {"training.lr": 5e-5}


@pytest.mark.parametrize("number", ["0500", "0x1F4", "1:30"])
def test_a_number_that_yaml_reads_otherwise_than_a_person_is_refused(number: str) -> None:
    (error,) = errors_in(f"```yaml\ntraining:\n  epochs: {number}\n```")
    assert error == f"3행 training.epochs: 값을 읽지 못했습니다 ({number}: 10진수로 적어 주세요)"
    (error,) = errors_in(f"```yaml\ndataset:\n  image_size: [224, {number}]\n```")
    assert error == "3행 dataset.image_size: 값을 읽지 못했습니다"
    (error,) = errors_in(f"```yaml\ntraining:\n  action_weights: {{lift: {number}}}\n```")
    assert error == "3행 training.action_weights: 값을 읽지 못했습니다"


def test_a_field_without_its_section_is_not_passed_over() -> None:
    assert errors_in("```yaml\ntraining:\n  lr: 5e-5\nepochs: 3\n```") == (
        "4행 epochs: 구역 아래에 적어 주세요 (training.epochs?)",
    )


def test_a_colon_of_full_width_is_pointed_at() -> None:
    assert errors_in("```yaml\n# config\ntraining：\n  lr: 5e-5\n```") == (
        "3행 training: 쌍점은 반각 `:`으로 적어 주세요",
    )


def test_no_number_is_two_values() -> None:
    (error,) = errors_in("```yaml\ntraining:\n  lr: .nan\n```")
    assert error.startswith("3행 training.lr: 유한한 숫자여야 합니다 (지금 nan)")


def test_errors_stay_readable_however_many_and_long_they_are() -> None:
    errors = errors_in("```yaml\ntraining:\n" + "".join(f"  k{n}: {n}\n" for n in range(3000)) + "```")
    assert len(errors) == 51
    assert errors[-1] == "… 그 밖에 2950건"
    (error,) = errors_in(f"```yaml\ntraining:\n  lr: {list(range(9999))}\n```")
    assert len(error) < 200


def test_a_block_that_is_not_ours_may_be_broken() -> None:
    assert read_plan("```yaml\nteam: [\n```").overrides == {}


def test_a_file_over_256_kilobytes_is_refused() -> None:
    (error,) = errors_in("가" * 90_000)
    assert "256 KB" in error


def test_fences_are_found_as_markdown_means_them() -> None:
    blocks = list(fenced("```yaml\na\n````\n```\n\n~~~\n```\n~~~\n"))
    assert [(block.line, block.info, block.text) for block in blocks] == [
        (2, "yaml", "a"),
        (5, "", "\n~~~"),
        (9, "", ""),
    ]


@pytest.mark.parametrize("written", ["true", "{enable: true}", "\n    enable: true"])
def test_lerobot_s_switch_for_image_transforms_is_read(written: str) -> None:
    plan = read_plan(f"```yaml\ndataset:\n  image_transforms: {written}\n```")
    assert plan.overrides == {"dataset.image_transforms": [*IMAGE_TRANSFORMS]}


def test_an_image_transform_that_there_is_not_is_named_with_those_there_are() -> None:
    (error,) = errors_in("```yaml\ndataset:\n  image_transforms: [hue, flip]\n```")
    assert error.startswith("3행 dataset.image_transforms.1: 'brightness', 'contrast'")

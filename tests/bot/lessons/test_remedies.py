"""The remedies' examples stand in their docstrings; here is what lies between them."""

import doctest
import importlib
import pkgutil
from typing import Any

import pytest

import bot.lessons
from bot.core.tracks import retention
from bot.lessons import judgement
from bot.lessons.judgement import Impossible, NotOurs, Remedied, Satisfied, Unclear
from bot.lessons.remedies import BENEATH, INFERRED, STATED, judge
from protocol import blocked, paths
from protocol.messages import Lesson
from protocol.training import IMAGE_TRANSFORMS, TrainingConfig

CARD = TrainingConfig()
TWO_CAMERAS = CARD.with_changes({"dataset.camera_names": ("ego", "wrist")})
MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(bot.lessons.__path__, "bot.lessons.")
    if not found.name.endswith(("judgement", "ground", "insights"))
]


@pytest.mark.parametrize("module", [*MODULES, retention, blocked, paths], ids=lambda m: m.__name__)
def test_the_examples_in_the_docstrings_are_true(module) -> None:
    ran = doctest.testmod(module)
    assert ran.attempted > 0
    assert ran.failed == 0


@pytest.mark.parametrize("remedy", [*BENEATH, *STATED, *INFERRED], ids=lambda remedy: remedy.__name__)
def test_each_remedy_has_a_korean_and_an_english_example(remedy) -> None:
    examples = [one.source for one in doctest.DocTestFinder().find(remedy)[0].examples]
    korean = [one for one in examples if any("가" <= letter <= "힣" for letter in one)]
    assert korean
    assert len(examples) > len(korean)


def judged(
    text: str, remedy: str | None = None, category: str = "학습", config: TrainingConfig = CARD, last=None
) -> Any:
    return judge(Lesson(category=category, text=text, remedy=remedy), config, last)


def values(judgement) -> dict[str, object]:
    assert isinstance(judgement, Remedied), judgement
    return {change.field.partition(".")[2]: change.after for change in judgement.changes}


def test_what_the_card_s_oom_lesson_asks_for_is_inferred() -> None:
    judgement = judged("batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생")
    assert not judgement.exact
    assert values(judgement) == {"batch_size": 32, "gradient_accumulation": 2}


def test_the_card_s_frames_lesson_says_its_value_itself() -> None:
    judgement = judged("에피소드 첫 50프레임은 카메라 스윙으로 무효", category="데이터")
    assert judgement.exact
    applied = judged("앞부분 무효", "데이터 로드 시 각 에피소드 첫 50프레임 스킵 처리", category="데이터")
    assert applied.exact
    assert values(judgement) == values(applied) == {"skip_first_frames": 50}


def test_the_arrow_is_read_first_and_is_exact() -> None:
    judgement = judged(
        "batch_size 64에서 GPU 메모리 부족", "batch_size를 64 → 32로 축소, gradient accumulation 2 적용"
    )
    assert judgement.exact
    assert judgement.summary == "batch_size 32, gradient_accumulation 2"


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("training.lr=5e-5", {"lr": 5e-5}),
        ("lr 2.5e-5", {"lr": 2.5e-5}),
        ("학습률: 0.00005", {"lr": 5e-5}),
        ("batch_size=64→32, gradient_accumulation=2", {"batch_size": 32, "gradient_accumulation": 2}),
        ("batch_size를 64에서 32로", {"batch_size": 32}),
        ("batch size 48", {"batch_size": 48}),
        ("chunk_size=40 n_action_steps=40", {"chunk_size": 40, "n_action_steps": 40}),
        ("chunk_size=10", {"chunk_size": 10, "n_action_steps": 10}),
        ("seed=7", {"seed": 7}),
        ("action_weights={steering: 2, lift: 0.5}", {"action_weights": {"steering": 2.0, "lift": 0.5}}),
        ("start_from=checkpoints/cycle01/act_best", {"start_from": "checkpoints/cycle01/act_best"}),
        ("report_every_minutes=10", {"report_every_minutes": 10}),
        ("epochs=1,000", {"epochs": 1000}),
        ("camera_names=[ego, wrist]", {"camera_names": ["ego", "wrist"]}),
        ("image_size=(256, 256)", {"image_size": [256, 256]}),
        ("pretrained_backbone_weights=None", {"pretrained_backbone_weights": None}),
        ("skip_first_frames=50 skip_last_frames=5", {"skip_first_frames": 50, "skip_last_frames": 5}),
        ("exclude_episodes=[episode_017]", {"exclude_episodes": ["episode_017"]}),
        ("lr을 10배 낮춰", {"lr": 1e-5}),
        ("lr을 절반으로, seed=7", {"seed": 7, "lr": 5e-5}),
        ("batch_size=32, episode_017 제외", {"batch_size": 32, "exclude_episodes": ["episode_017"]}),
    ],
)
def test_behind_the_arrow_field_names_are_exact(words: str, changes: dict[str, object]) -> None:
    assert values(judged("무언가 이상함", words)) == changes


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("lr을 1e-5로 낮춰 주세요", {"lr": 1e-5}),
        ("학습률은 5e-5로 설정하세요", {"lr": 5e-5}),
        ("batch_size는 16으로 변경", {"batch_size": 16}),
        ("please reduce the learning rate from 1e-4 to 2e-5", {"lr": 2e-5}),
        ("learning rate to 2e-5", {"lr": 2e-5}),
        ("epochs를 800까지 말고 700으로 늘려 주세요", {}),
        ("에폭을 700으로 늘려 주세요", {"epochs": 700}),
        ("seed를 7로 고정", {"seed": 7}),
        ("체크포인트 주기를 25로", {"save_checkpoint_every": 25}),
        ("dropout을 두 배로", {"dropout": 0.2}),
        ("epochs를 20% 늘려", {"epochs": 600}),
        ("raise lr by a factor of 2", {"lr": 2e-4}),
        ("double the batch size", {"batch_size": 128}),
        ("lr을 세 배로 올려", {"lr": 3e-4}),
        ("처음 1초는 암전이라 무효", {"skip_first_frames": 30}),
        ("frames 0-29 are black", {"skip_first_frames": 30}),
        ("episode_003, 007, 009–010 제외", {"exclude_episodes": [f"episode_{n:03}" for n in (3, 7, 9, 10)]}),
        ("입력 이미지 224x224에서 256x256으로", {"image_size": [256, 256]}),
        ("loss가 NaN이 됨", {"lr": 5e-5}),
        ("lr 1e-4로 학습 시 loss가 발산, 5e-5로 낮추면 안정", {"lr": 5e-5}),
        ("held-out loss 상승, epoch 200 이후", {"epochs": 200}),
        ("steering 가중치를 3배로", {"action_weights": {"steering": 3.0}}),
        ("lift와 bucket의 가중치를 절반으로", {"action_weights": {"bucket": 0.5, "lift": 0.5}}),
        ("set the steering weight to 2", {"action_weights": {"steering": 2.0}}),
        ("act_epoch_450에서 이어서 학습", {"start_from": "checkpoints/act_epoch_450"}),
        (
            "cycle03의 epoch 50 checkpoint에서 이어서 학습",
            {"start_from": "checkpoints/cycle03/act_epoch_050"},
        ),
        ("15분마다 REPORT", {"report_every_minutes": 15}),
        ("ColorJitter 적용 필요", {"image_transforms": ["brightness", "contrast", "saturation", "hue"]}),
        ("데이터 증강이 부족해 과적합 발생", {"image_transforms": [*IMAGE_TRANSFORMS]}),
        ("enable augmentation with hue and saturation jitter", {"image_transforms": ["saturation", "hue"]}),
        ("image_transforms.enable=true", {"image_transforms": [*IMAGE_TRANSFORMS]}),
        ("report interval of half: report more often", {"report_every_minutes": 15}),
    ],
)
def test_numbers_with_particles_and_units_are_read(words: str, changes: dict[str, object]) -> None:
    judgement = judged(words)
    assert (values(judgement) if isinstance(judgement, Remedied) else {}) == changes


@pytest.mark.parametrize(
    "words",
    [
        "batch_size 64는 괜찮았음",
        "batch_size=64에서 느렸음",
        "lr 3e-4로 설정했더니 이상함",
        "batch_size를 32로 바꾸지 마세요",
        "do not use batch_size 16",
        "episode_017은 제외하지 말 것",
        "첫 50프레임을 스킵하지 마세요",
        "loss가 발산해도 lr을 바꾸지 마세요",
        "checkpoint를 25 epoch마다 저장하지 마세요",
        "lr을 절반으로 하지 마세요",
        "wrist 카메라를 추가하지 마세요",
        "ego 카메라를 제외하지 마세요",
        "이미지 256x256 사용하지 마세요",
        "the camera is missing",
        "에피소드가 5개 부족",
        "backbone을 두 배로",
        "에피소드 17번의 품질이 낮음",
        "lr을 0배로",
        "lr=1e-5 사용 시 수렴 느림",
        "발산 없이 수렴",
        "batch_size 32로 학습 시 안정적",
        "OOM 발생 없음",
        "the first 20 frames of episode_003 are broken",
        "steering 가중치를 2배로 했더니 이상함",
        "steering 가중치를 바꾸지 마세요",
        "가중치 조정 필요",
        "steering 가중치 확인: loss가 10배 높음",
        "이전 checkpoint에서 이어서 학습하지 마세요",
        "이전 checkpoint에서 이어서 학습했더니 이상함",
        "30분마다 REPORT는 유지",
        "REPORT 주기 10분일 때 메시지가 많음",
        "이미지 증강을 하지 마세요",
        "이미지 증강을 끄지 마세요",
        "이미지 증강 없이 학습",
        "이미지 증강 효과는 양호",
        "증강 효과 확인",
        "random crop augmentation을 추가하세요",
        "밝기 ±40% 증강 추가",
    ],
)
def test_what_tells_of_a_run_or_forbids_changes_nothing(words: str) -> None:
    assert isinstance(judged(words), Unclear | Satisfied | Impossible), judged(words)


@pytest.mark.parametrize(
    "words", ["lr을 1e-5로 낮출까요?", "lr을 1e-5로 낮추는 것을 검토", "maybe set lr to 1e-5?"]
)
def test_a_doubt_is_proposed_not_applied(words: str) -> None:
    judgement = judged(words)
    assert values(judgement) == {"lr": 1e-5}
    assert not judgement.exact


@pytest.mark.parametrize(
    ("text", "remedy", "kind"),
    [
        ("첫 0프레임 무효", None, Satisfied),
        ("수렴이 느림", "lr=1e-4", Satisfied),
        ("저장을 뜸하게", "save_checkpoint_every=200", Impossible),
        ("메모리", "batch_size=0", Impossible),
        ("둘 다", "lr=1e-5, lr=1e-6", Impossible),
        ("길게", "n_action_steps=40", Impossible),
        ("무언가 이상함", None, Unclear),
        ("무언가 이상함", "잘 해 볼 것", Unclear),
        ("무언가 이상함", "warmup_steps=500", Unclear),
        ("wrist 카메라 추가", "camera_names=[ego]", Satisfied),
        ("ego 카메라 추가", None, Satisfied),
        ("ego 카메라 제외", None, Unclear),
        ("조명 변화에 약함", "image_transforms=[flip]", Impossible),
    ],
)
def test_what_else_a_lesson_can_turn_out_to_be(text: str, remedy: str | None, kind: type) -> None:
    assert isinstance(judged(text, remedy), kind)


def test_a_bound_is_named_in_words() -> None:
    assert judged("메모리", "batch_size=0").why == "batch_size 0: 1 이상이어야 함"
    assert judged("길게", "n_action_steps=40").why == "n_action_steps 40 is above chunk_size 20"
    assert judged("폭", "action_dim=3, action_names=[a]").why.startswith("dataset.action_names names 1")


def test_an_unknown_field_is_asked_back_with_the_nearest_name() -> None:
    asked = judged("무언가 이상함", "learning_rat=1e-5")
    assert (asked.why, asked.example) == ("'learning_rat'라는 설정이 없음", "→ 적용: learning_rate=…")
    assert judged("무언가", "zzz=1").example == judgement.HOW_TO_SAY.replace("32", "…")


def test_at_batch_size_one_there_is_nothing_left_to_halve() -> None:
    one = CARD.with_changes({"training.batch_size": 1})
    assert isinstance(judged("OOM", config=one), Impossible)


def test_a_lesson_without_a_number_tells_of_the_run_that_was() -> None:
    last = CARD.with_changes({"training.batch_size": 32, "training.gradient_accumulation": 2})
    assert values(judged("OOM", last=last)) == {"batch_size": 16, "gradient_accumulation": 4}
    assert values(judged("batch_size 32에서 OOM")) == {"batch_size": 16, "gradient_accumulation": 4}
    slow = CARD.with_changes({"training.lr": 2e-5})
    assert values(judged("lr을 절반으로", last=slow)) == {"lr": 1e-5}


def test_pictures_and_their_shapes_change_together() -> None:
    shaped = CARD.with_changes({"observation.images": {"ego": (3, 224, 224)}})
    assert values(judged("이미지 크기", "image_size=[96, 96]", config=shaped)) == {
        "image_size": [96, 96],
        "images": {"ego": [3, 96, 96]},
    }
    assert values(judged("wrist 카메라 추가", config=shaped))["images"] == {
        "ego": [3, 224, 224],
        "wrist": [3, 224, 224],
    }


def test_a_missing_camera_is_left_out_if_watcher_agrees() -> None:
    judgement = judged("wrist 카메라 누락", category="데이터", config=TWO_CAMERAS)
    assert values(judgement) == {"camera_names": ["ego"]}
    assert not judgement.exact


def test_another_category_is_not_ours_unless_it_touches_the_config() -> None:
    assert isinstance(judged("장애물이 부족함", category="시나리오"), NotOurs)
    assert isinstance(judged("첫 30프레임은 암전", category="시나리오"), Remedied)


def test_the_particle_fits_the_number() -> None:
    judgement = judged("OOM", config=CARD.with_changes({"training.batch_size": 32}))
    assert judgement.summary.startswith("batch_size 16으로 축소")


def test_more_episodes_are_added_to_those_left_out_already() -> None:
    some = CARD.with_changes({"dataset.exclude_episodes": ("episode_001",)})
    judgement = judged("episode_017과 episode_020 제외", category="데이터", config=some)
    assert values(judgement) == {"exclude_episodes": ["episode_001", "episode_017", "episode_020"]}


def test_an_epoch_s_checkpoint_without_a_cycle_is_the_last_one_s() -> None:
    lesson = Lesson(category="학습", text="epoch 450 checkpoint에서 이어서 학습")
    judgement = judge(lesson, CARD, CARD, "checkpoints/cycle02/act_best/")
    assert values(judgement) == {"start_from": "checkpoints/cycle02/act_epoch_450"}


def test_a_weight_stands_beside_those_of_other_channels() -> None:
    some = CARD.with_changes({"training.action_weights": {"lift": 3.0}})
    assert values(judged("steering에 가중치 2배", config=some)) == {
        "action_weights": {"lift": 3.0, "steering": 2.0}
    }
    assert judged("steering에 가중치 500배").why == "action_weights.steering 500: 100 이하여야 함"


def test_a_checkpoint_outside_its_folder_is_refused() -> None:
    assert isinstance(judged("x", "start_from=/etc/passwd"), Unclear | Impossible)
    assert judged("x", "start_from=elsewhere").why == "start_from elsewhere: 쓸 수 없는 값"

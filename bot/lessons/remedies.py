"""What is done about a lesson: a table of small pure functions, tried in order.

Each remedy gets the words and the config as it would be, and answers with a judgement, or None when the
words are not its business. The examples in the docstrings are tests.
"""

import re
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from bot.lessons.judgement import Impossible, Judgement, NotOurs, Remedied, Satisfied, Unclear
from protocol.messages import Lesson
from protocol.training import TrainingConfig, diff

OUR_CATEGORIES = ("학습", "데이터")
HOW_TO_SAY = "→ 적용: batch_size=32"

NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"

FIELDS = {
    "batch_size": "training.batch_size",
    "gradient accumulation": "training.gradient_accumulation",
    "gradient_accumulation": "training.gradient_accumulation",
    "lr_backbone": "training.lr_backbone",
    "lr": "training.lr",
    "weight_decay": "training.weight_decay",
    "epochs": "training.epochs",
    "seed": "training.seed",
    "save_checkpoint_every": "training.save_checkpoint_every",
    "chunk_size": "policy.chunk_size",
    "n_action_steps": "policy.n_action_steps",
    "transformer_layers": "model.transformer_layers",
    "skip_first_frames": "dataset.skip_first_frames",
    "skip_last_frames": "dataset.skip_last_frames",
}
"""Names that may be said in a lesson, and the field each means."""

ASSIGNED = re.compile(
    rf"(?<![\w.])(?P<name>{'|'.join(sorted(FIELDS, key=len, reverse=True))})"
    rf"\s*(?:을|를|은|는|이|가)?\s*[=:]?\s*(?:{NUMBER}\s*(?:→|->|에서)\s*)?(?P<value>{NUMBER})",
    re.IGNORECASE,
)
CHANGED = re.compile(r"(?:으?로|=)\s*(?:변경|설정|축소|확대|조정|낮|높|줄|늘|내리|올리|적용|사용|$)")

Remedy = Callable[[str, TrainingConfig], Judgement | None]


def judge(lesson: Lesson, config: TrainingConfig) -> Judgement:
    """What `lesson` asks of a run that would otherwise use `config`.

    The `→ 적용:` line is read first, and field names in it are exact; the sentence itself is read after.
    """
    words = f"{lesson.remedy or ''}\n{lesson.text}"
    if lesson.remedy and (said := assignment(lesson.remedy, config)):
        return said
    for remedy in REMEDIES:
        if (judgement := remedy(words, config)) is not None:
            return judgement
    if lesson.category in OUR_CATEGORIES:
        return Unclear(HOW_TO_SAY)
    return NotOurs(f"[{lesson.category or '분류 없음'}] config·데이터·학습 과정과 무관")


def assignment(words: str, config: TrainingConfig) -> Judgement | None:
    """Fields set by name.

    >>> assignment("batch_size를 64 → 32로 축소, gradient accumulation 2 적용", TrainingConfig()).summary
    'batch_size 32, gradient_accumulation 2'
    """
    said = {FIELDS[found["name"].lower()]: _number(found["value"]) for found in ASSIGNED.finditer(words)}
    return _changing(config, said, exact=True) if said else None


def changed_in_passing(words: str, config: TrainingConfig) -> Judgement | None:
    """A field set by name in the sentence itself, not behind an arrow.

    >>> changed_in_passing("lr을 1e-5로 낮춰 주세요", TrainingConfig()).summary
    'lr 1e-5'
    """
    return assignment(words, config) if CHANGED.search(words) else None


def out_of_memory(words: str, config: TrainingConfig) -> Judgement | None:
    """Halve the batch, double the accumulation: the optimizer sees as many samples a step as before.

    >>> out_of_memory("batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생", TrainingConfig()).summary
    'batch_size 32로 축소, gradient accumulation 2 적용'
    >>> out_of_memory("CUDA out of memory at batch_size 128", TrainingConfig()).why
    '이미 batch_size 64 (메모리 부족은 128에서)'
    """
    if not re.search(r"메모리\s*부족|\bOOM\b|out of memory", words, re.IGNORECASE):
        return None
    now = config.training.batch_size
    named = re.search(r"batch[_ ]?size\s*(\d+)", words, re.IGNORECASE)
    if named and int(named[1]) > now:
        return Satisfied(f"이미 batch_size {now} (메모리 부족은 {named[1]}에서)")
    if now == 1:
        return Impossible("batch_size가 이미 1이라 더 줄일 수 없음")
    half, passes = now // 2, config.training.gradient_accumulation * 2
    changes = {"training.batch_size": half, "training.gradient_accumulation": passes}
    return _changing(
        config,
        changes,
        exact=False,
        summary=f"batch_size {half}{_to(half)} 축소, gradient accumulation {passes} 적용",
    )


def skipped_head(words: str, config: TrainingConfig) -> Judgement | None:
    """Frames at the head of each episode that are no good.

    >>> skipped_head("에피소드 첫 50프레임은 카메라 스윙으로 무효", TrainingConfig()).summary
    '첫 50프레임 스킵'
    """
    found = re.search(
        r"(?:첫|처음|앞)\s*(\d+)\s*(?:프레임|frames?)|first\s+(\d+)\s+frames", words, re.IGNORECASE
    )
    return _skipping(config, "dataset.skip_first_frames", "첫", found)


def skipped_tail(words: str, config: TrainingConfig) -> Judgement | None:
    """Frames at the tail of each episode that are no good.

    >>> skipped_tail("마지막 10프레임은 정지 화면", TrainingConfig()).summary
    '마지막 10프레임 스킵'
    """
    found = re.search(
        r"(?:마지막|끝)\s*(\d+)\s*(?:프레임|frames?)|last\s+(\d+)\s+frames", words, re.IGNORECASE
    )
    return _skipping(config, "dataset.skip_last_frames", "마지막", found)


def excluded_episodes(words: str, config: TrainingConfig) -> Judgement | None:
    """Episodes left out by name.

    >>> excluded_episodes("episode_017은 충돌로 제외", TrainingConfig()).summary
    'episode_017 제외'
    """
    names = re.findall(r"episode_\d+", words)
    if not names or not re.search(r"제외|빼|버리|drop|exclude", words, re.IGNORECASE):
        return None
    both = tuple(dict.fromkeys((*config.dataset.exclude_episodes, *names)))
    return _changing(
        config, {"dataset.exclude_episodes": both}, exact=True, summary=f"{', '.join(names)} 제외"
    )


REMEDIES: tuple[Remedy, ...] = (
    skipped_head,
    skipped_tail,
    excluded_episodes,
    out_of_memory,
    changed_in_passing,
)


def _skipping(
    config: TrainingConfig, field: str, which: str, found: re.Match[str] | None
) -> Judgement | None:
    if found is None:
        return None
    frames = int(next(filter(None, found.groups())))
    return _changing(config, {field: frames}, exact=True, summary=f"{which} {frames}프레임 스킵")


def _changing(
    config: TrainingConfig, said: Mapping[str, object], *, exact: bool, summary: str | None = None
) -> Judgement:
    try:
        changes = diff(config, config.with_changes(said))
    except ValidationError as refused:
        return Impossible("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in refused.errors()))
    said_so = ", ".join(f"{field.partition('.')[2]} {_written(value)}" for field, value in said.items())
    if not changes:
        return Satisfied(f"이미 {said_so}")
    return Remedied(changes, exact, summary or said_so)


def _to(number: int) -> str:
    """The particle `(으)로` as it is read after a number: 32로, 16으로, 10으로."""
    return "으로" if str(number)[-1] in "036" else "로"


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() and "e" not in text.lower() else value


def _written(value: object) -> str:
    return f"{value:.0e}".replace("e-0", "e-") if isinstance(value, float) and value < 0.001 else str(value)

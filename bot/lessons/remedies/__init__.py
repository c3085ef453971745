"""What is done about a lesson: tables of small pure functions, tried in order.

Each remedy gets the words and the ground on which they are weighed, and answers with a judgement, or None
when the words are not its business. The examples in the docstrings are tests.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.lessons.assignments import assigned, ordered
from bot.lessons.changes import name_of, written
from bot.lessons.forms import NO_VALUE
from bot.lessons.ground import Ground
from bot.lessons.hindsight import in_vain, kept, solved, tells, tried, without
from bot.lessons.judgement import Judgement, NotOurs, Remedied, Satisfied, Unclear
from bot.lessons.names import field_of
from bot.lessons.orders import asks
from bot.lessons.phrases import ARROW, clauses, denies, depends, forbids, praises
from bot.lessons.remedies.again import another_value, as_before, left_alone, nameless
from bot.lessons.remedies.augmentation import augmented
from bot.lessons.remedies.bounds import bounded
from bot.lessons.remedies.duration import another_seed, overfitted, saved_every
from bot.lessons.remedies.episodes import excluded_episodes, held_out_episodes
from bot.lessons.remedies.frames import skipped_frames
from bot.lessons.remedies.memory import effective_batch, out_of_memory
from bot.lessons.remedies.pictures import fewer_cameras, image_size, more_cameras
from bot.lessons.remedies.process import anew, continued, reported_every
from bot.lessons.remedies.proportions import in_proportion
from bot.lessons.remedies.rates import diverged, plateau, too_high, too_low
from bot.lessons.remedies.unsettable import clipped, loader_starved, precision, without_a_field
from bot.lessons.remedies.weights import weighted_channel
from protocol.messages import Lesson
from protocol.training import TrainingConfig, diff

OUR_CATEGORIES = ("학습", "데이터")

LONGEST = 2000
"""Characters; a Discord message's. The time it takes to read grows with the square of the length."""

Remedy = Callable[[str, Ground], Judgement | None]

BENEATH: tuple[Remedy, ...] = (as_before,)
"""What the rest of the sentence is laid over."""

STATED: tuple[Remedy, ...] = (
    skipped_frames,
    excluded_episodes,
    held_out_episodes,
    image_size,
    more_cameras,
    fewer_cameras,
    saved_every,
    reported_every,
    continued,
    anew,
    weighted_channel,
    augmented,
    effective_batch,
    in_proportion,
    bounded,
    without_a_field,
    left_alone,
)
"""What says what to do. Several may be in one sentence; together they are one judgement."""

INFERRED: tuple[Remedy, ...] = (
    another_value,
    out_of_memory,
    too_high,
    too_low,
    diverged,
    overfitted,
    plateau,
    another_seed,
    loader_starved,
    precision,
    clipped,
)
"""What says what was wrong, or asks for what no field can say. The first that knows it answers."""


def judge(
    lesson: Lesson, config: TrainingConfig, last: TrainingConfig | None = None, best: str = ""
) -> Judgement:
    """What `lesson` asks of a run that would otherwise use `config`; the run before it used `last`, and left
    its best checkpoint at `best` in the bucket.

    The `→ 적용:` line is read first, and field names in it are exact; the sentence itself is read after.
    """
    if len(lesson.text) + len(lesson.remedy or "") > LONGEST:
        return Unclear(f"레슨런이 {LONGEST}자를 넘음")
    ground = Ground(config, last, best)
    if lesson.remedy and (said := together((*BENEATH, ordered, *STATED), lesson.remedy, ground)):
        return _at_its_word(said, lesson.remedy, ground, ordered)
    said = together((*BENEATH, assigned, *STATED), lesson.text, ground)
    if said and not _is_in_trouble_for_all_that(said, lesson.text, ground):
        return _at_its_word(said, lesson.text, ground)
    if said := _behind_an_arrow(lesson.text, ground) or _both_together(lesson, ground):
        return said
    words = f"{lesson.remedy or ''}\n{lesson.text}"
    if answer := _inferred(words, ground):
        return _at_its_word(answer, words, ground)
    if lesson.category in OUR_CATEGORIES:
        return Unclear(NO_CHANGE if denies(words) else "무엇을 바꿀지 이해하지 못함")
    return NotOurs(f"[{lesson.category or '분류 없음'}] config·데이터·학습 과정과 무관")


def _inferred(words: str, ground: Ground) -> Judgement | None:
    """What must not be done, and trouble that is over, are no reason to change anything."""
    if forbids(words) or solved(words) or kept(words):
        return None
    return next((one for one in (remedy(words, ground) for remedy in INFERRED) if one), None)


def _is_in_trouble_for_all_that(said: Judgement, words: str, ground: Ground) -> bool:
    """A value that holds already tells where the trouble was, unless it is to stay so.

    >>> judge(Lesson(category="학습", text="batch_size=64, OOM 발생"), TrainingConfig()).summary
    'batch_size 32로 축소, gradient accumulation 2 적용'
    """
    if not isinstance(said, Satisfied) or praises(words):
        return False
    return isinstance(_inferred(words, ground), Remedied)


def _behind_an_arrow(words: str, ground: Ground) -> Judgement | None:
    """`OOM → batch_size 32`: not marked as an order, but what else could it be?

    >>> judge(Lesson(category="학습", text="OOM → batch_size 32"), TrainingConfig()).summary
    'batch_size 32'
    """
    *_, behind = re.split(ARROW, words)
    said = together((ordered, *STATED), behind, ground) if behind != words else None
    return replace(said, exact=False) if isinstance(said, Remedied) else None


def _both_together(lesson: Lesson, ground: Ground) -> Judgement | None:
    """The sentence names what it is about, the order behind the arrow what to do with it.

    >>> lesson = Lesson(category="데이터", text="episode_017 영상 손상", remedy="해당 에피소드 제외")
    >>> judge(lesson, TrainingConfig()).summary
    'episode_017 제외'
    """
    if not lesson.remedy:
        return None
    said = together(STATED, f"{lesson.text}: {lesson.remedy}", ground)
    return replace(said, exact=False) if isinstance(said, Remedied) else None


NO_CHANGE = "하지 말라는 말로 읽고 아무것도 바꾸지 않음"


def _at_its_word(said: Judgement, words: str, ground: Ground, read: Remedy = assigned) -> Judgement:
    """What depends on something that has not happened is asked about; what else the words ask for and nobody
    understood is said, and then nothing of it is done unasked.

    >>> judge(Lesson(category="학습", text="OOM이 나면 batch_size를 32로"), TrainingConfig()).why
    '조건이 붙은 지시라 지금은 바꾸지 않음 (batch_size 32)'
    >>> rest = judge(Lesson(category="학습", text="lr을 5e-5로 낮추고 셔플링을 강화"), TrainingConfig())
    >>> rest.summary, rest.exact
    ('lr 5e-5 (이해하지 못한 부분: 셔플링을 강화)', False)
    """
    if not isinstance(said, Remedied):
        return said
    if depends(words):
        exactly = ", ".join(f"{name_of(one.field)}={written(one.after)}" for one in said.changes)
        return Unclear(f"조건이 붙은 지시라 지금은 바꾸지 않음 ({said.summary})", f"→ 적용: {exactly}")
    left = [one for one in clauses(words) if _is_left_out(one, said, ground, read)]
    if not left:
        return said
    return Remedied(said.changes, False, f"{said.summary} (이해하지 못한 부분: {' / '.join(left)})")


def _is_left_out(words: str, said: Remedied, ground: Ground, read: Remedy) -> bool:
    """Do these words, by themselves, ask for something that is not part of `said`?"""
    alone = together((read, *STATED), words, ground)
    if isinstance(alone, Remedied):
        return not {change.field for change in alone.changes} <= {change.field for change in said.changes}
    if alone is not None or tells(words) or not asks(words):
        return False
    if nameless(words) in [change.after for change in said.changes]:
        return False
    if (only := NO_VALUE.fullmatch(words)) and field_of(only["name"]) in {one.field for one in said.changes}:
        return False
    return not any(remedy(words, ground) for remedy in INFERRED)


def together(remedies: Iterable[Remedy], words: str, ground: Ground) -> Judgement | None:
    """All that the words say to do, as one judgement; what cannot be done decides over what can.

    >>> both = together((ordered, *STATED), "batch_size=32, 첫 50프레임 스킵", Ground())
    >>> both.summary, both.exact
    ('batch_size 32, 첫 50프레임 스킵', True)
    """
    config, exact = ground.config, True
    summaries: list[str] = []
    satisfied: Satisfied | None = None
    for remedy in remedies:
        match _heard(remedy, words, Ground(config, ground.last, ground.best)):
            case Remedied() as said:
                config = config.with_changes({change.field: change.after for change in said.changes})
                exact = exact and said.exact
                summaries.append(said.summary)
            case Satisfied() as said:
                satisfied = said
            case None:
                pass
            case refusal:
                return refusal
    if not summaries:
        return satisfied
    return Remedied(diff(ground.config, config), exact, ", ".join(summaries))


def _heard(remedy: Remedy, words: str, ground: Ground) -> Judgement | None:
    """What was tried in vain asks for nothing; what else was tried, or would be, is no order.

    >>> _heard(skipped_frames, "첫 50프레임을 스킵했더니 loss가 발산", Ground())
    >>> _heard(skipped_frames, "첫 50프레임을 스킵했더니 안정", Ground()).exact
    False
    """
    if remedy is ordered:
        return remedy(words, ground)
    said = remedy(without(in_vain, words), ground)
    if isinstance(said, Remedied) and said.exact and remedy(without(tried, words), ground) != said:
        return replace(said, exact=False)
    return said

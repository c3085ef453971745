"""What is done about a lesson: tables of small pure functions, tried in order.

Each remedy gets the words and the ground on which they are weighed, and answers with a judgement, or None
when the words are not its business. The examples in the docstrings are tests.
"""

from collections.abc import Callable, Iterable

from bot.lessons.assignments import assigned, ordered
from bot.lessons.ground import Ground
from bot.lessons.judgement import Judgement, NotOurs, Remedied, Satisfied, Unclear
from bot.lessons.phrases import denies, solved
from bot.lessons.remedies.augmentation import augmented
from bot.lessons.remedies.duration import another_seed, overfitted, saved_every
from bot.lessons.remedies.episodes import excluded_episodes, skipped_frames
from bot.lessons.remedies.memory import out_of_memory
from bot.lessons.remedies.pictures import fewer_cameras, image_size, more_cameras
from bot.lessons.remedies.process import continued, reported_every
from bot.lessons.remedies.proportions import in_proportion
from bot.lessons.remedies.rates import diverged, plateau, too_high, too_low
from bot.lessons.remedies.unsettable import loader_starved
from bot.lessons.remedies.weights import weighted_channel
from protocol.messages import Lesson
from protocol.training import TrainingConfig, diff

OUR_CATEGORIES = ("학습", "데이터")

LONGEST = 2000
"""Characters; a Discord message's. The time it takes to read grows with the square of the length."""

Remedy = Callable[[str, Ground], Judgement | None]

STATED: tuple[Remedy, ...] = (
    skipped_frames,
    excluded_episodes,
    image_size,
    more_cameras,
    fewer_cameras,
    saved_every,
    reported_every,
    continued,
    weighted_channel,
    augmented,
    in_proportion,
)
"""What says what to do. Several may be in one sentence; together they are one judgement."""

INFERRED: tuple[Remedy, ...] = (
    out_of_memory,
    too_high,
    too_low,
    diverged,
    overfitted,
    plateau,
    another_seed,
    loader_starved,
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
    if lesson.remedy and (said := together((ordered, *STATED), lesson.remedy, ground)):
        return said
    if said := together((assigned, *STATED), lesson.text, ground):
        return said
    words = f"{lesson.remedy or ''}\n{lesson.text}"
    answers = (remedy(words, ground) for remedy in INFERRED)
    if (answer := next((one for one in answers if one), None)) and not (denies(words) or solved(words)):
        return answer
    if lesson.category in OUR_CATEGORIES:
        return Unclear("무엇을 바꿀지 이해하지 못함")
    return NotOurs(f"[{lesson.category or '분류 없음'}] config·데이터·학습 과정과 무관")


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
        match remedy(words, Ground(config, ground.last, ground.best)):
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

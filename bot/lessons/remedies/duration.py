"""How long it learns, from which seed, how often it saves."""

import re

from bot.lessons.changes import changing, written
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Satisfied
from bot.lessons.phrases import NUMBER, clause, denies, denies_ahead, number, praises

_EVERY = re.compile(
    rf"(?P<ko>{NUMBER})\s*(?:epochs?|에폭|에포크)\s*(?:마다|간격|단위)|every\s+(?P<en>{NUMBER})\s+epochs?",
    re.IGNORECASE,
)
_SAVES = re.compile(r"checkpoint|체크포인트|저장|\bsav(?:e|ing)\b", re.IGNORECASE)
_OFTENER = re.compile(
    r"(?:checkpoint|체크포인트)\S*\s*(?:를\s*)?(?:더\s*)?자주|sav\w+\s+(?:\w+\s+)?(?:more\s+(?:often|frequently))",
    re.IGNORECASE,
)
_OVERFIT = re.compile(
    r"(?:과적합|오버피팅)(?!\s*(?:판단|여부|확인|방지|예방|가능))|overfit"
    r"|(?:held-?out|검증|validation)\s*(?:loss|손실)\S*\s*(?:상승|증가|(?:is\s+|was\s+|(?:started|began|starts|begins)\s+(?:to\s+)?)?(?:ris(?:es?|ing)|rose|increas|went\s+up|going\s+up|climb))",
    re.IGNORECASE,
)
_FROM_EPOCH = re.compile(
    rf"(?:epoch|에폭|에포크)\s*({NUMBER})\s*(?:이후|부터|넘)|after\s+epoch\s+({NUMBER})"
    rf"|({NUMBER})\s*(?:epoch|에폭|에포크)\s*(?:이후|부터|넘)",
    re.IGNORECASE,
)
_OTHER_SEED = re.compile(
    r"(?:다른|새(?:로운)?)\s*(?:seed|시드)|(?:seed|시드)\S*\s*(?:바꿔|변경|교체)|(?:another|different|new)\s+seed",
    re.IGNORECASE,
)


def saved_every(words: str, ground: Ground) -> Judgement | None:
    """The card's 50 epochs are the most there may be between two checkpoints.

    >>> saved_every("checkpoint를 25 epoch마다 저장", Ground()).summary
    'save_checkpoint_every 25'
    >>> saved_every("checkpoint를 더 자주 저장", Ground()).summary
    'save_checkpoint_every 25'
    >>> saved_every("save a checkpoint every 200 epochs", Ground()).why
    'save_checkpoint_every 200: 50 이하여야 함'
    """
    found = _EVERY.search(words)
    if found is None and _OFTENER.search(words) and not denies(words) and not praises(words):
        return changing(
            ground.config, _cadence(max(1, ground.told_of.training.save_checkpoint_every // 2)), exact=False
        )
    if found is None or not _SAVES.search(words) or tells(words[found.end() :]):
        return None
    said = changing(ground.config, _cadence(number(found["ko"] or found["en"])), exact=True)
    refused = denies(clause(words[found.start() :])) or denies_ahead(words[: found.start()]) or praises(words)
    return None if refused and not isinstance(said, Satisfied) else said


def overfitted(words: str, ground: Ground) -> Judgement | None:
    """Stop where it began; where that is not said, drop out more.

    >>> overfitted("epoch 300 이후 과적합", Ground()).summary
    'epochs 300'
    >>> overfitted("the model overfits", Ground()).summary
    'dropout 0.2'
    """
    if not _OVERFIT.search(words):
        return None
    began = _FROM_EPOCH.search(words)
    if began:
        return changing(
            ground.config, {"training.epochs": number(began[1] or began[2] or began[3])}, exact=False
        )
    dropout = min(0.5, float(f"{ground.told_of.policy.dropout * 2:.4g}"))
    return changing(
        ground.config, {"policy.dropout": dropout}, exact=False, summary=f"dropout {written(dropout)}"
    )


def another_seed(words: str, ground: Ground) -> Judgement | None:
    """The next number.

    >>> another_seed("다른 seed로 재학습", Ground()).summary
    'seed 43'
    >>> another_seed("train with a different seed", Ground()).exact
    False
    """
    if not _OTHER_SEED.search(words):
        return None
    return changing(ground.config, {"training.seed": ground.told_of.training.seed + 1}, exact=False)


def _cadence(every: float) -> dict[str, float]:
    return {"training.save_checkpoint_every": every}

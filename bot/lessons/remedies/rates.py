"""The learning rate, and what a wrong one looks like."""

import re

from bot.lessons.changes import changing, written
from bot.lessons.ground import Ground
from bot.lessons.judgement import Judgement, Satisfied
from bot.lessons.phrases import NUMBER, number

_DIVERGED = re.compile(
    r"발산(?!\s*(?:방지|예방|여부|가능|우려))|(?:loss|손실)\S*\s*(?:가\s*)?(?:NaN|Inf|폭주|폭발|급증)|(?<![A-Za-z])NaN\s*(?:loss|발생)|diverge[ds]?|divergence|loss\s+explod",
    re.IGNORECASE,
)
_STUCK = re.compile(
    r"plateau|정체|(?:loss|손실)\S*\s*(?:더\s*(?:이상\s*)?)?(?:개선\s*없|줄지\s*않|감소하지\s*않)|개선\s*없음|\bstall",
    re.IGNORECASE,
)
_RATE = r"(?:\blr\b|lr(?=[가-힣])|학습률|learning[ _]rate)"
_RATE_WAS = re.compile(rf"{_RATE}[^\s\d=]{{0,2}}\s*(?:=|of\b|to\b|at\b)?\s*({NUMBER})", re.IGNORECASE)
_TOO_HIGH = re.compile(
    rf"{_RATE}\S{{0,2}}\s*(?:is\s+|was\s+)?(?:너무\s*|too\s+)(?:높(?!이|여)|크|큼|high|large)", re.IGNORECASE
)
_TOO_LOW = re.compile(
    rf"{_RATE}\S{{0,2}}\s*(?:is\s+|was\s+)?(?:너무\s*|too\s+)(?:낮(?!추|춰)|작|low|small)", re.IGNORECASE
)


def diverged(words: str, ground: Ground) -> Judgement | None:
    """Half the rate at which it diverged.

    >>> diverged("epoch 40에서 loss가 발산함", Ground()).summary
    'lr 5e-5'
    >>> diverged("training diverged at lr 3e-4", Ground()).why
    '이미 lr 1e-4 (발산은 3e-4에서)'
    """
    if not _DIVERGED.search(words):
        return None
    named, now = _RATE_WAS.search(words), ground.config.training.lr
    at = number(named[1]) if named else ground.told_of.training.lr
    if at > now:
        return Satisfied(f"이미 lr {written(now)} (발산은 {written(float(at))}에서)")
    return _scaled(ground, at, 0.5)


def too_high(words: str, ground: Ground) -> Judgement | None:
    """Half the learning rate.

    >>> too_high("학습률이 너무 높음", Ground()).summary
    'lr 5e-5'
    >>> too_high("lr is too high", Ground()).exact
    False
    """
    return _scaled(ground, ground.told_of.training.lr, 0.5) if _TOO_HIGH.search(words) else None


def too_low(words: str, ground: Ground) -> Judgement | None:
    """Twice the learning rate.

    >>> too_low("lr이 너무 낮아 수렴이 느림", Ground()).summary
    'lr 2e-4'
    >>> too_low("the learning rate was too low", Ground()).summary
    'lr 2e-4'
    """
    return _scaled(ground, ground.told_of.training.lr, 2) if _TOO_LOW.search(words) else None


def plateau(words: str, ground: Ground) -> Judgement | None:
    """A loss that no longer falls is given smaller steps.

    >>> plateau("epoch 300 이후 loss 정체", Ground()).summary
    'lr 5e-5'
    >>> plateau("the loss hit a plateau", Ground()).exact
    False
    >>> plateau("installed a new driver", Ground()) is None
    True
    """
    return _scaled(ground, ground.told_of.training.lr, 0.5) if _STUCK.search(words) else None


def _scaled(ground: Ground, rate: float, factor: float) -> Judgement:
    return changing(ground.config, {"training.lr": float(f"{rate * factor:.4g}")}, exact=False)

"""What an operator typed behind a `!`: also in Korean, full-width, or on the wrong keyboard."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import get_args

from protocol.messages import Command
from protocol.talk import Verb

VERBS: tuple[Verb, ...] = get_args(Verb)
CHANGING = (*VERBS, "abandon")

IN_KOREAN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stop": ("중지", "정지", "중단", "멈춤", "멈춰", "스톱"),
        "resume": ("재개", "계속"),
        "retry": ("재시도", "다시"),
        "abandon": ("포기",),
        "status": ("상태", "현황"),
        "queue": ("대기열",),
        "lessons": ("레슨런", "레슨"),
        "config": ("설정",),
        "checkpoints": ("체크포인트",),
        "plot": ("그래프", "곡선", "학습곡선"),
        "logs": ("로그", "기록"),
        "approve": ("승인",),
        "reject": ("반려", "거부"),
        "help": ("도움말", "도움", "명령"),
    }
)

_TYPED = re.compile(r"\s*[!！]\s?(\S*)(.*)", re.DOTALL)
_MARKS = "?!.~,？！。"

INITIALS = "r R s e E f a q Q t T d w W c z x v g"
VOWELS = "k o i O j p u P h hk ho hl y n nj np nl b m ml l"
FINALS = "r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g"
"""The keys of the two-set keyboard (KS X 5002) for the jamo from U+1100, U+1161 and U+11A8 on."""

_KEYS = {
    chr(first + place): keys
    for first, jamo in ((0x1100, INITIALS), (0x1161, VOWELS), (0x11A8, FINALS))
    for place, keys in enumerate(jamo.split())
}


def typed(text: str, names: Collection[str]) -> Command | None:
    """The command of `names` that was meant, or the word as it stands; None: no `!` opens the text.

    A question mark behind what changes something is not obeyed.
    """
    found = _TYPED.fullmatch(text)
    if found is None:
        return None
    word, arguments = found[1].lower(), tuple(found[2].split())
    bare = word.rstrip(_MARKS)
    name = _meant(bare, names)
    asks = {"?", "？"} & set(word[len(bare) :])
    if name is None or (asks and name in CHANGING):
        return Command(name=word, arguments=arguments)
    return Command(name=name, arguments=arguments)


def _meant(word: str, names: Collection[str]) -> str | None:
    korean = next((name for name, said in IN_KOREAN.items() if word in said), word)
    return next((one for one in (korean, latin(word)) if one in names), None)


def latin(word: str) -> str:
    """What these keys give on a Latin keyboard.

    >>> latin("ㄴㅅㅁㅅㅕㄴ"), latin("ㄴㅅㅁ션"), latin("ㅗ디ㅔ")
    ('status', 'status', 'help')
    """
    return "".join(_KEYS.get(jamo, jamo) for jamo in unicodedata.normalize("NFKD", word)).lower()

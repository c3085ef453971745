"""Free words to us: is it an order, and if not, what is it about?"""

import re
from collections.abc import Iterable
from typing import Literal

from protocol.lines import Spoken, folded
from protocol.vocabulary import NEGATED, QUESTION, either

Verb = Literal["stop", "resume", "retry"]
About = Literal["status", "lessons", "checkpoints", "config", "complaint", "other"]

_PLEASE = either("""
    해 ?주세요 | 해 ?주십시오 | 해 ?주시기 바랍니다 | 하세요 | 하십시오 | 해 | 해라 | 바랍니다
    부탁드립니다 | 부탁해요
    시켜 ?주세요 | 합시다 | 요청 | 요청드립니다 | 요청합니다 | 합니다
""")
_WHAT = either("""
    학습[을은]? | 훈련[을은]? | 현재 | 지금 | 즉시 | 바로 | 당장 | 작업[을은]? | 진행 중인 | 이번 | 다시
    잠시 | 잠깐 | 일단 | 우선 | 제발 | 부디
    데이터 | 검증[을은]?
    cycle \\d{1,6}[을를은]? | 사이클 \\d{1,6}[을를은]? | please | the | this | training | run | cycle
    now | 네 | 예
""")


def _order(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{_WHAT}\s+)*{either(words, please=_PLEASE)}(?: {_WHAT})*")


_ORDERS: dict[Verb, re.Pattern[str]] = {
    "stop": _order("""
        (?:학습 ?)?(?:중단|중지|정지|스톱|스탑)(?: ?<please>)? | 멈춰(?: ?주세요)? | 멈추세요 | 멈춰라 | 그만
        stop | halt | abort
    """),
    "resume": _order("""
        (?:학습 ?)?(?:재개|재시작)(?: ?<please>)? | 이어서 (?:학습|진행) ?(?:<please>)?
        다시 시작 ?<please>
        resume | continue training
    """),
    "retry": _order("""
        (?:재시도|재실행|재검증)(?: ?<please>)? | 다시 (?:시도|실행|확인|검증|다운로드) ?<please>
        retry | try again
    """),
}
_BREAKS = re.compile(r"\n+|[.!…。！;；]+(?=\s|$)|[,，、](?=\s|$)|(?<=[?？])")

_OPPOSITE = re.compile(
    r"\W*(?:(?:절대|아직|학습|지금|please)\s)*(?:하지\s?(?:마|말|않)|말고|마세요|마십시오|금지|취소|철회|무효|아[니님닙닌]|안\s?(?:됩|돼)"
    r"|do not|don't|not\b|no\b|cancel)"
)
_COMPLAINT = re.compile(
    r"깨[졌지진]|손상|안 ?열|열리지|로드 ?(?:실패|오류|에러|안|불가)|불러(?:올|오지|와지지)|못 ?찾|누락|비어|"
    r"없(?:습니다|어요|다고|네요)|오류|에러|실패|"
    r"corrupt|broken|missing|fail|error|cannot|can't|unable|not found|mismatch"
)
_CHECKPOINT = re.compile(r"checkpoint|체크포인트|ckpt|act_best|act_epoch|가중치|safetensors|loss_curve")
_ABOUT: tuple[tuple[About, re.Pattern[str]], ...] = (
    ("lessons", re.compile(r"레슨|교훈|lesson")),
    ("config", re.compile(r"설정|config|하이퍼|batch_?size|learning rate|학습률|\blr\b|chunk_size|seed")),
    ("checkpoints", _CHECKPOINT),
    (
        "status",
        re.compile(
            r"상태|상황|현황|진행|어디까지|언제|얼마나|몇 ?epoch|epoch|loss|eta|완료|끝나|살아"
            r"|status|progress|how far|how long|alive"
        ),
    ),
)


def read_order(lines: Iterable[Spoken]) -> Verb | None:
    """An order in plain words: one clause that is nothing but that, and none that asks or denies."""
    text = "\n".join(line.text for line in lines if not line.quoted).casefold()
    clauses = [words for one in _BREAKS.split(text) if (words := folded_clause(one))]
    if any(QUESTION.fullmatch(words) or "?" in words or NEGATED.search(words) for words in clauses):
        return None
    said: set[Verb] = set()
    for words in clauses:
        said |= {verb for verb in _ORDERS if _ORDERS[verb].fullmatch(words)}
    return said.pop() if len(said) == 1 else None


def takes_back(text: str) -> bool:
    """Does what stands behind a tag like [STOP] ask about it, or say the opposite?"""
    first = next((one for one in _BREAKS.split(text.casefold()) if folded_clause(one)), "")
    return bool(_OPPOSITE.match(first) or QUESTION.fullmatch(folded_clause(first)))


def about(text: str) -> About:
    """What free words are about; a complaint is one about a checkpoint."""
    words = folded(text)
    if _CHECKPOINT.search(words) and _COMPLAINT.search(words):
        return "complaint"
    for topic, pattern in _ABOUT:
        if pattern.search(words):
            return topic
    return "other"


def folded_clause(text: str) -> str:
    return " ".join(text.strip(" \t.,:;·~^\"'()[]*-–—!").split())

"""The words by which peers say yes, no and "noted", and those that make a yes doubtful. Tables only.

An alternative stands on a line of its own or between ` | `; it is a regular expression over case-folded
text.
"""

import re


def either(words: str, **parts: str) -> str:
    """One group of all alternatives. `<name>` stands for the group given by that name."""
    for name, part in parts.items():
        words = words.replace(f"<{name}>", part)
    alternatives = [one.strip() for line in words.splitlines() for one in line.split(" | ")]
    return f"(?:{'|'.join(filter(None, alternatives))})"


def whole(words: str, **parts: str) -> re.Pattern[str]:
    return re.compile(either(words, **parts))


_STATED = either("""
    합니다 | 해요 | 함 | 한다 | 할게요 | 하겠습니다 | 하겠음 | 드립니다 | 드릴게요 | 했습니다
    했어요 | 하였습니다
    됨 | 됩니다 | 됐습니다 | 되었습니다 | 입니다 | 이에요 | 요 | 완료
""")
_ASKED = either("""
    하세요 | 하십시오 | 하시죠 | 합시다 | 하자 | 해 | 바랍니다 | 부탁드립니다 | 부탁해요
    해 ?주세요 | 해 ?주십시오 | 해 ?주시기 바랍니다 | 시켜 ?주세요 | 하시면 ?됩니다 | 하면 ?됩니다
    해도 ?(?:됩니다|돼요|좋습니다|괜찮습니다) | 하셔도 ?(?:됩니다|돼요|좋습니다|괜찮습니다)
""")
_OBJECT = either("""
    it | this | that | these | all | now | please | all of them | the proposal | the changes?
    this proposal
    with it | with that | with (?:the )?training | with the changes?
""")

YES = whole(
    """
    (?:승인|동의|허가|허락|허용|찬성|수락|승낙)(?: ?<stated>)?
    (?:그렇게|이렇게) <asked>
    (?:진행|시작|적용|반영) ?<asked>
    가세요 | 가시죠 | 가자
    (?:approved?|agreed?|accept(?:ed)?|confirmed?|proceed|go ahead|go for it|do it|ship it|lgtm)(?: <object>)*
    you may (?:proceed|start|go ahead) | green light | (?:approval|permission) (?:is )?granted
    (?:proposal|changes?|request) (?:is|are|has been|have been) (?:hereby )?(?:approved|accepted)
    """,
    stated=_STATED,
    asked=_ASKED,
    object=_OBJECT,
)
BARE_YES = whole("""
    네+ | 넵+ | 예+ | 응 | ㅇㅇ | 그래요? | 그럼요 | 물론(?:입니다|이죠|이에요) | 당연(?:하죠|합니다|히요)
    yes | yep | yeah | sure | of course | certainly | absolutely | 👍 | ✅
""")
"""A yes as an answer of one word, a mere opening of any other sentence."""

_DENIED = r".{0,40}?(?:승인|동의|허가|진행|시작|적용|반영|변경)[은는을를이]? ?"
NO = whole(
    """
    <denied>하지 ?(?:마|말|않|못).{0,14}
    <denied>(?:안|못) ?(?:합니다|해요|됩니다|돼요|함|됨)
    <denied>(?:할 수 없습니다|불가|거부|거절|보류).{0,14}
    .{0,40}?(?:반려|거절|거부|기각|불허|반대)(?: ?<stated>|해 ?주세요)?
    (?:반려|거절|거부|rejected)(?: ?사유)? ?[:：].{1,200}
    .{0,20}?(?:보류|홀드|연기)(?: ?<stated>| ?<asked>)?
    아니(?:요|오|에요|야)? | 안 ?(?:됩니다|돼요|돼) | 하지 ?(?:마|말).{0,10} | 불가(?:합니다|입니다)? | ㄴㄴ
    (?:절대로?|물론|당연히|그건) (?:안 ?(?:됩니다|돼요|돼)|아닙니다|아니(?:요|에요))
    그렇게 하지 ?(?:마|말).{0,10} | (?:definitely|absolutely|certainly|of course) not
    no | nope | not now | not yet | on hold | hold(?: on| it| off)? | ❌ | 👎
    (?:reject(?:ed)?|denied|declined?|disapproved?|not approved)(?: <object>)*
    (?:please )?(?:do not|don't|dont|cannot|can't) <act>.{0,20}
    """,
    stated=_STATED,
    asked=_ASKED,
    object=_OBJECT,
    denied=_DENIED,
    act="(?:approve|accept|agree|proceed|go ahead|start|apply|do|change)",
)

NOTED = whole(
    """
    (?:잘 |내용 |메시지 |(?:보고|제안)[는를은을]? )?(?:확인|인지|접수|수신|파악|이해)(?: ?<stated>)?
    알겠습니다 | 알겠어요 | 알았습니다 | 알았어요 | 잘 ?(?:받았습니다|봤습니다|알겠습니다)
    좋습니다 | 좋아요 | (?:이의|문제|이상) ?없(?:습니다|어요|음) | 반대하지 않습니다
    no objections? | no problem | fine
    noted | got it | understood | acknowledged | ack | roger | ok | okay | 오케이 | ㅇㅋ | received
    sounds good | looks good | good | great | 👌 | 🫡
    """,
    stated=_STATED,
)

COURTESY = whole(
    """
    (?:감사|고맙|수고|안녕|반갑|좋은 하루|화이팅|파이팅).{0,20}
    (?:thanks?|thank you|great work|nice work|good job|cheers|hi|hello)\\b.{0,20}
    """
)

AGAINST = re.compile("[❌❎✖✗✘🚫⛔🙅👎⚠🤔❓❔]")
"""Beside a yes they make it doubtful."""

LABEL = re.compile(
    r"\A(?:최종 ?)?(?:결론|결정|답|답변|회신|판단|의견|승인 ?여부|decision|answer|verdict) ?[:：] *"
)
"""What introduces the answer itself."""

FILLER = re.compile(
    either("""
    네 | 넵 | 예 | 응 | 그럼 | 그러면 | 그래요 | 물론 | 물론입니다 | 좋습니다 | 좋아요 | 이제 | 바로
    즉시 | 계속
    검토 결과
    제안[은을에]? | 제안하신 | 제안해 주신 | 제안대로 | 변경[은을]? | 변경안[은을]? | 변경 사항[은을]?
    설정[은을]? | 설정 변경[은을]?
    요청[은을]? | 건[은을]? | 내용[은을]? | 내용대로 | 사항[은을]? | 항목[은을]? | 해당 | 이 | 위
    그 | 본 | 이번
    그대로 | 이대로 | 대로 | 전체[를]? | 모두 | 전부 | 모든 | 다 | 둘 다 | 나머지[는도]? | 저는
    제가 | watcher는
    학습[은을]? | 훈련[은을]? | 최종
    yes | yep | yeah | sure | ok | okay | 오케이 | well | then | i | we | please | the | this | your
    config
    training | changes? | proposal
    """)
    + r"(?=\s)\s*"
)
"""Words before a yes or a no that change nothing about it."""

NEGATED = whole("""
    않 | 안\\s | 못\\s | 말고 | 마세요 | 마십시오 | 말아 | 지 ?마 | 아[니님닙닌냐녜] | 불가 | 금지 | 반려
    거절 | 거부 | 보류 | 반대
    \\bnot\\b | n't\\b | \\bno\\b | \\bnever\\b | \\bdont\\b | \\bhold\\b | \\bwait\\b | reject
    den(?:y|ied)
""")
HESITANT = whole("잠깐 | 잠시 | 기다 | 취소 | 철회 | 무효 | cancel | revok | withdr[ae]w")
CONDITION = whole("""
    다만 | (?<!\\w)단(?!\\w) | 지만 | 조건 | 대신 | 제외 | 빼고 | 한해 | 한하여 | [가-힣]면(?!\\w)
    경우 | 먼저 | 우선
    전에 | 후에 | 다음에 | 이후 | 나중 | 까지는 | 아직 | 일단
    \\bbut\\b | \\bif\\b | \\bunless\\b | \\bexcept\\b | \\bonly\\b | \\bafter\\b | \\bbefore\\b
    \\bonce\\b | \\bwhen\\b
    \\binstead\\b | \\bprovided\\b | \\buntil\\b | \\bfirst\\b
""")
QUESTION = whole("""
    .*[?？].*
    .*(?:까|까요|나요|가요|은가|는가|인가|는지|은지|을지|할지|던가)
    (?:should|shall|can|could|may|might|does|did|is|are|was|would|what|why|when|where|who|how|which)\\b.*
""")
TOUCHES = whole("""
    승인 | 동의 | 허가 | 허락 | 허용 | 반려 | 거절 | 거부 | 보류 | 진행(?! ?(?:상황|현황|사항|률|율|도|중|되))
    approv | reject | agree | accept | proceed | go ahead | consent
""")
"""Whoever says this may mean consent."""

BOTH_WAYS = re.compile(
    r"(?=.*\d)(?=.*(?:승인|동의|허가|approv|accept))(?=.*(?:반려|거절|거부|기각|불허|reject))"
    r"|.*(?:않|안 |못).*없"
)
"""`1,2 승인 3 반려` in one breath, `승인하지 않을 이유가 없다`: what is meant is asked back."""

VALUE = re.compile(r"\d|[a-z]_[a-z]|=|→|->")
"""May be another value than the proposed one."""

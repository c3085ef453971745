"""The verbs by which something is asked for."""

import re

from bot.lessons.phrases import denies, praises

VERBS = (
    r"(?:set|use|try|adopt|choose|pick|take|lower|reduce|raise|increase|decrease|change|cut|drop|shorten|extend"
    r"|bump|bring|switch|limit|restrict|cap|go\s+with|switch\s+to)"
)
"""Of English orders that may name a field."""

_ASKED = re.compile(
    r"(?:증가|감소)\s*(?:하세요|할\s*것|필요|부탁|요망|바람)|(?:추가|도입|변경|교체|전환|강화|축소|확대|조정|활성화|설정|저장|연장|하향|상향)(?:$|\s*(?:하세요|하십|하자|해\s|해$|할\s*것|필요|부탁|요망|바람|합니다))"
    r"|(?:늘려|줄여|낮춰|높여|올려|내려|바꿔|늘릴|줄일|낮출|높일|올릴|내릴|바꿀|써|켜|꺼)(?:\s*(?:주|보|야|것|라)|$)"
    r"|^\s*(?:please\s+)?(?:use|add|enable|disable|set|switch|introduce|increase|decrease|reduce|lower|raise|apply|train|try|extend|shorten|freeze|save|report|resume)\b",
    re.IGNORECASE,
)
_COMMANDED = re.compile(
    r"(?:주세요|주십시오|주시기|세요|하십시오|시오\b|할\s*것|[낮높줄늘올내바쓸둘뺄릴일출꿀]\s*것(?=[\s,.)]|$)|바람|바랍|부탁|요망|합시다|하자)"
    rf"|^\s*(?:(?:please|also|then|so|now|just|simply)\s+)*(?!(?:in|de)crease\s+(?:of|in)\b|run\s+\d)(?:{VERBS}|train|run|retrain|save|report|skip|trim|exclude|remove"
    r"|add|enable|disable|apply|double|halve|weight|give|resume|continue|start|hold|keep|make|resize|initiali[sz]e)\b",
    re.IGNORECASE,
)


def asks(words: str) -> bool:
    """Is something to be added or changed, as far as the verb goes?

    >>> asks("셔플링을 강화"), asks("use a larger decoder"), asks("카메라가 흔들림")
    (True, True, False)
    """
    return " " in words and bool(_ASKED.search(words)) and not denies(words) and not praises(words)


def commands(words: str) -> bool:
    """Is the verb an order, whatever else is said?

    >>> commands("5e-5로 낮춰 주세요"), commands("lower lr to 5e-5"), commands("lowering lr to 5e-5 helped")
    (True, True, False)
    """
    return bool(_COMMANDED.search(words))

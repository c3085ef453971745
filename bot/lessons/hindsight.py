"""What words tell of a run that was, or of what would come of it, instead of asking for a change."""

import re
from collections.abc import Callable

from bot.lessons.orders import commands
from bot.lessons.phrases import NUMBER, clause, depends

_TOLD = re.compile(
    r"\s*(?:보다|[:：]\s*(?:OOM|OK|실패|성공|fail|안정|발산|정상)|에서|에선|일\s*때|인\s*(?:경우|상태)|였|이었|이라|라서|때문|은\s|는\s|/|번|회|개|배|%|분\b)|\s+(?:was|caused|led)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"했|하였|하니|해서(?![^,;.\n]*(?:주세요|하세요|할\s*것))|[해여려춰꿔혀]도(?=[\s,]|$)|하면|할\s*때|하던|한\s*결과|해\s*보니|더니|췄|(?:[추꾸우]|[줄높]이)었|였|렸|됐|되었|돌렸|썼|니까"
    r"|(?:학습|설정|사용|적용|변경|진행|실행)(?:\s*(?:시|중|결과|후)(?=[\s,에]|$)|한\s)"
    r"|\bled to\b|\bcaused\b"
)
_TOLD_AHEAD = re.compile(r"\b(?:used|ran|trained|had|was|were|tried|previously)\b[^,;.\n]*$", re.IGNORECASE)
_SOLVED = re.compile(
    r"(?:발산|OOM|부족|과적합|정체|NaN)\S{0,2}\s*(?:재?발생?\S?\s*)?(?:없|해결|해소|사라|안\s*됨|하지\s*않)"
    r"|\b(?:no|without|no more|fixed)\s+(?:the\s+)?(?:OOM|out of memory|NaN|overfit|plateau|diverg)"
    r"|\b(?:OOM|NaN|overfitting|plateau|divergence)\S*\s+"
    r"(?:disappeared|(?:is|was|has been)\s+(?:gone|fixed|solved|resolved))",
    re.IGNORECASE,
)
_DONE = r"(?:적용|제외|스킵|변경|축소|확대|설정|추가|사용|도입|저장|[낮줄늘올내바높][춘인린꾼]|쓴|뺀)"
_TRIED = re.compile(
    r"(?:[추리꾸하쓰우두키]|[줄높]이|\d\s*(?:epochs?|에폭|에포크)?이)면(?=[\s,])(?<!가능하면)"
    rf"|{_DONE}(?:한|했|된|됨|함|돼서|되어)?\s*(?:후|뒤|이후|시|결과|덕분|덕택)(?=[\s,에엔])"
    rf"|{_DONE}(?:한|했던|된)?\s*(?:cycle|사이클|run|실험|것|게|편|경우)"
    r"|(?:적용|제외|스킵|변경|축소|추가|설정|사용|도입)(?:했|됨|함(?=[\s,.]|$))|더니|덕분|덕택"
    r"|^\s*(?:the\s+|an?\s+)?(?:increase|decrease|reduction|change)\s+(?:of|in)\b|[는운]\s*(?:것|게|편|경우)(?:이|은|도|에)?(?=\s)"
    r"|\b(?:we|i|they|it|run|cycle\s*\d+|which|that)\s+(?:have\s+|had\s+|has\s+)?(?:\w+ed|set|cut|ran|had|made|gave|went|kept)\b"
    r"|(?:^|[(:]\s*|\b(?:by|after|when|since|with|of|but|and)\s+)(?:lower|reduc|rais|increas|decreas|chang|sett|us|skipp"
    r"|dropp|exclud|remov|doubl|halv|switch|add|enabl|train|cutt|extend|go|runn|weight|trimm)ing\b"
    r"|\b(?:help(?:s|ed)|improve[sd]|stabili[sz]e[sd]|work(?:s|ed)|gives?|gave|makes?|made|converge[sd]|fixe[sd]|solve[sd]"
    r"|result(?:s|ed)\s+in|lead(?:s)?\s+to|led|cause[sd]?|prevent(?:s|ed)|hurts?|reach(?:es|ed)|would|was|were|seem(?:s|ed)"
    r"|is\s+(?:risky|too|enough|sufficient|stable|unstable|fine|better|worse|best|dangerous))\b"
    r"|\bare\s+(?:enough|sufficient|too)\b",
    re.IGNORECASE,
)
_ONCE = re.compile(
    r"(?:지난|이전|저번|직전)\s*(?:번|cycle|사이클|run|학습|실험)(?:에서|에는|에|은|는|엔)?(?=\s)"
    r"|\blast\s+(?:cycle|run|time)\b|\bprevious(?:ly)?\b",
    re.IGNORECASE,
)
_BADLY = re.compile(
    r"위험|피하|피할|피해|악화|나빠|나쁘|나쁨|저하|떨어|하락|불안정|발산|OOM|메모리\s*(?:부족|초과)|실패|느려|느림|역효과|과적합|NaN"
    r"|폭발|안\s*좋|(?:효과|차이|변화|의미)\S?\s*없|무의미"
    r"|\b(?:risky|dangerous|worse|unstable|diverg\w*|fail\w*|hurts?|degrad\w*|explod\w*|OOM|out\s+of\s+memory|NaN|overfit\w*"
    r"|too\s+\w+|slow\w*|(?:did|does)\s+not|didn't|doesn't|nothing|no\s+(?:difference|effect|gain))",
    re.IGNORECASE,
)
_KEPT = re.compile(
    rf"(?:원래|기존|이전)대로|{NUMBER}\S{{0,2}}\s*(?:그대로\s*)?유지"
    rf"|\bkeep\b[^,;.\n]*\bat\s+{NUMBER}",
    re.IGNORECASE,
)
_AVOIDED = re.compile(
    r"\b(?:avoid(?:ing)?|instead\s+of|rather\s+than)\s+(?:(?:\w{1,9}ing|an?|the|any)\s+)*$", re.IGNORECASE
)


def tells(tail: str) -> bool:
    """Do the words behind a value tell of a run that was, instead of asking for one?

    >>> tells("에서 GPU 메모리 부족"), tells("로 설정했더니 발산"), tells(" 사용 시 느림")
    (True, True, True)
    >>> tells("로 낮춰 주세요")
    False
    """
    return bool(_TOLD.match(tail) or _PAST.search(clause(tail)))


def tells_ahead(head: str) -> bool:
    """Do the words before a value tell of a run that was?

    >>> tells_ahead("the previous run used "), tells_ahead("it was slow, so use ")
    (True, False)
    """
    return bool(_TOLD_AHEAD.search(head))


def steers_clear(head: str) -> bool:
    """Is what comes next what is not to be done?

    >>> steers_clear("avoid setting "), steers_clear("to avoid OOM, use ")
    (True, False)
    """
    return bool(_AVOIDED.search(head))


def tried(words: str) -> bool:
    """Do they say what came of it, or would come? Then it may be what is wanted, but nobody ordered it.

    >>> tried("lr을 5e-5로 낮추면 안정"), tried("32로 줄인 뒤 OOM이 사라짐"), tried("seed=7 worked well")
    (True, True, True)
    >>> tried("lr을 5e-5로 낮춤"), tried("use lr 5e-5"), tried("적용 후 개선된 5e-5로 낮춰 주세요")
    (False, False, False)
    """
    told = _TRIED.search(words) or _ONCE.search(words)
    return bool(told) and not commands(words) and not depends(words)


def in_vain(words: str) -> bool:
    """Was it tried, or would it be, and nothing good came of it?

    >>> in_vain("lr을 1e-3으로 올리면 발산함"), in_vain("batch_size를 32로 줄인 뒤 OOM이 사라짐")
    (True, False)
    >>> in_vain("지난 cycle의 OOM으로 batch_size를 32로 축소")
    False
    """
    return bool(_TRIED.search(words)) and tried(words) and bool(_BADLY.search(_SOLVED.sub("", words)))


def without(told: Callable[[str], bool], words: str) -> str:
    """The words without the clauses, and what stands in brackets, that are told so.

    >>> without(in_vain, "lr을 1e-3으로 올리면 발산함, batch_size=32. seed=7")
    ', batch_size=32. seed=7'
    """
    outside = re.sub(r"\([^()]*\)", lambda inside: "" if told(inside[0]) else inside[0], words)
    return "".join(part for part in re.split(r"([,;\n—]|\.(?!\d))", outside) if not told(part))


def kept(words: str) -> bool:
    """Is a value to stay as it was?

    >>> kept("두 배로 올리니 발산, 원래대로 1e-4 유지"), kept("keep lr at 1e-4"), kept("lr을 5e-5로")
    (True, True, False)
    """
    return bool(_KEPT.search(words))


def solved(words: str) -> bool:
    """Is a trouble named only to say that it is gone?

    >>> solved("발산 없이 수렴"), solved("no OOM since then"), solved("OOM 2회 발생")
    (True, True, False)
    """
    return bool(_SOLVED.search(words))

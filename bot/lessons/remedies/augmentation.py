"""Pictures varied while the policy learns."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Satisfied, Unclear
from bot.lessons.phrases import clause, denies, doubts, praises
from protocol.training import IMAGE_TRANSFORMS, ImageTransform

FIELD = "dataset.image_transforms"
_AUGMENT = re.compile(
    r"증강|augment\w*|color\s*jitter|random\s*(?:crop|affine)|(?:좌우|상하)\s*반전|뒤집|(?:horizontal|vertical)\s*flip",
    re.IGNORECASE,
)
_WANTED = re.compile(
    r"적용|추가|사용|도입|필요|부족|강화|늘리|늘려|켜|활성|넣|하세요|하자|하십|\b(?:add|apply|use|enable|more|need|try|turn\s+on)",
    re.IGNORECASE,
)
_UNWANTED = re.compile(
    r"끄|꺼|끈|제거|빼|해제|비활성|중단|제외|\b(?:disable|remove|drop|without|stop|turn\s+off)", re.IGNORECASE
)
_MIRRORED = re.compile(r"반전|뒤집|flip|mirror", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"crop|크롭|자르기|cut\s*out|cut\s*mix|mix\s*up|noise|노이즈|blur|흐림|erase", re.IGNORECASE
)
_STRENGTH = re.compile(r"\d\s*(?:%|도\b|도(?=[\s,.)])|°|deg)|±", re.IGNORECASE)
_COLOURS: tuple[ImageTransform, ...] = ("brightness", "contrast", "saturation", "hue")
_NAMED: dict[str, tuple[ImageTransform, ...]] = {
    r"color\s*jitter|컬러\s*지터|색상\s*변[환화]": _COLOURS,
    r"brightness|밝기": ("brightness",),
    r"contrast|(?:밝기|채도|색조)\s*[·,/와과]\s*대비|대비(?=\s*(?:변[환화]|증강|조절|jitter|[·,/와과]))": (
        "contrast",
    ),
    r"saturation|채도": ("saturation",),
    r"\bhue\b|색조": ("hue",),
    r"sharpness|선명도": ("sharpness",),
    r"affine|회전|이동|rotat|translat": ("affine",),
}
_EXAMPLE = "→ 적용: image_transforms=[brightness, contrast]"


def augmented(words: str, ground: Ground) -> Judgement | None:
    """LeRobot's image transforms in LeRobot's ranges: those that are named, else all, which nobody said.

    >>> augmented("이미지 증강 적용", Ground()).summary
    '이미지 증강 (brightness, contrast, saturation, hue, sharpness, affine)'
    >>> augmented("add color jitter augmentation", Ground()).summary
    '이미지 증강 (brightness, contrast, saturation, hue)'
    >>> augmented("밝기와 채도 증강을 추가", Ground()).exact
    True
    >>> augmented("use more image augmentation", Ground()).exact
    False
    >>> varied = Ground(Ground().config.with_changes({"dataset.image_transforms": ("hue",)}))
    >>> augmented("turn off augmentation", varied).summary
    '이미지 증강 없음'
    >>> augmented("좌우 반전 증강 적용", Ground()).why
    '좌우·상하 반전은 영상만 뒤집고 액션은 그대로 두므로 쓸 수 없음'
    """
    found = _AUGMENT.search(words)
    if found is None or praises(words) or tells(words[found.end() :]):
        return None
    if (forbidden := denies(words)) or _UNWANTED.search(
        f"{words[: found.start()]} {clause(words[found.end() :])}"
    ):
        return None if forbidden and _UNWANTED.search(words) else _without(words, ground)
    if _MIRRORED.search(words):
        return Unclear("좌우·상하 반전은 영상만 뒤집고 액션은 그대로 두므로 쓸 수 없음", _EXAMPLE)
    if other := _UNKNOWN.search(words):
        return Unclear(f"'{other[0]}' 증강이 없음 (있는 것: {', '.join(IMAGE_TRANSFORMS)})", _EXAMPLE)
    if _STRENGTH.search(words):
        return Unclear("증강의 세기는 LeRobot의 기본 범위뿐임", _EXAMPLE)
    return _chosen(words, ground)


def _without(words: str, ground: Ground) -> Judgement:
    if not ground.config.dataset.image_transforms:
        return Satisfied("이미 이미지 증강 없음")
    return changing(ground.config, {FIELD: ()}, exact=not doubts(words), summary="이미지 증강 없음")


def _chosen(words: str, ground: Ground) -> Judgement:
    named = tuple(
        name for form, names in _NAMED.items() if re.search(form, words, re.IGNORECASE) for name in names
    )
    if not named and not _WANTED.search(words):
        return Unclear("이미지 증강을 어떻게 할지 없음", _EXAMPLE)
    chosen = tuple(name for name in IMAGE_TRANSFORMS if name in named) or IMAGE_TRANSFORMS
    spelled_out = bool(named) and bool(_WANTED.search(words))
    return changing(
        ground.config,
        {FIELD: chosen},
        exact=spelled_out and not doubts(words),
        summary=f"이미지 증강 ({', '.join(chosen)})",
    )

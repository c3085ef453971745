"""What the policy sees: cameras and the size of their pictures."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Satisfied, Unclear
from bot.lessons.phrases import denies, number, praises

_SIZE = re.compile(
    r"(?:이미지|영상|image|picture|입력)\S*\s*(?:크기|해상도|size|resolution)?\S*\s*(?:to\s+|of\s+)?"
    r"(?:[^\d\n]{0,12}\d+\s*[x×*]\s*\d+\s*(?:에서|→|->)\s*)?(?<!\d)(?P<left>\d+)\s*[x×*]\s*(?P<right>\d+)",
    re.IGNORECASE,
)
_CAMERA = r"(?P<camera>[A-Za-z][A-Za-z0-9_]*)\s*(?:카메라|camera)"
_MORE = re.compile(
    rf"{_CAMERA}\S{{0,2}}\s*(?:도\s*)?(?:추가|포함)|\badd(?:ing)?\s+(?:the\s+|a\s+)?(?P<added>[A-Za-z]\w*)\s+camera",
    re.IGNORECASE,
)
_FEWER = re.compile(
    rf"{_CAMERA}\S{{0,2}}\s*(?:제외|빼|없|누락|결측|고장|사용하지)"
    r"|\b(?:drop|remove|exclude)\s+(?:the\s+)?(?P<dropped>[A-Za-z]\w*)\s+camera"
    r"|(?:\bthe\s+)?(?P<missing>[A-Za-z]\w*)\s+camera\s+is\s+missing",
    re.IGNORECASE,
)
_NO_NAME = {"the", "a", "an", "new", "extra", "second", "another", "this", "that"}


def image_size(words: str, ground: Ground) -> Judgement | None:
    """`image_size` is height, width; whether 320x240 was meant so is not said, so it is asked.

    >>> image_size("이미지 크기를 256x256으로 변경", Ground()).summary
    'image_size [256, 256]'
    >>> image_size("image size 320x240 for small legos", Ground()).why
    '320x240의 가로·세로 순서가 불분명'
    """
    found = _SIZE.search(words)
    if found is None or tells(words[found.end() :]) or denies(words) or praises(words):
        return None
    left, right = round(number(found["left"])), round(number(found["right"]))
    if left != right:
        order = f"→ 적용: image_size=[{min(left, right)}, {max(left, right)}]"
        return Unclear(f"{left}x{right}의 가로·세로 순서가 불분명", f"{order} (세로, 가로)")
    return changing(ground.config, {"dataset.image_size": (left, right)}, exact=True)


def more_cameras(words: str, ground: Ground) -> Judgement | None:
    """Another camera's pictures are seen, too.

    >>> more_cameras("wrist 카메라 추가", Ground()).summary
    'camera_names [ego, wrist]'
    >>> more_cameras("add the wrist camera", Ground()).exact
    True
    """
    found = _MORE.search(words)
    name = _named(found, "camera", "added")
    if name is None or denies(words):
        return None
    cameras = ground.config.dataset.camera_names
    if name in cameras:
        return Satisfied(f"이미 {name} 카메라 사용")
    return changing(ground.config, {"dataset.camera_names": (*cameras, name)}, exact=True)


def fewer_cameras(words: str, ground: Ground) -> Judgement | None:
    """A camera's pictures are left out.

    >>> two = Ground(Ground().config.with_changes({"dataset.camera_names": ("ego", "wrist")}))
    >>> fewer_cameras("wrist 카메라 제외", two).summary
    'camera_names [ego]'
    >>> fewer_cameras("the wrist camera is missing", Ground()).why
    '이미 wrist 카메라 없이 학습 (ego)'
    """
    found = _FEWER.search(words)
    name = _named(found, "camera", "dropped", "missing")
    if name is None or denies(words):
        return None
    cameras = ground.config.dataset.camera_names
    if name not in cameras:
        return Satisfied(f"이미 {name} 카메라 없이 학습 ({', '.join(cameras)})")
    if len(cameras) == 1:
        return Unclear(f"{name} 카메라를 빼면 남는 카메라가 없음", "→ 적용: camera_names=[…]")
    return changing(
        ground.config, {"dataset.camera_names": tuple(c for c in cameras if c != name)}, exact=False
    )


def _named(found: re.Match[str] | None, *groups: str) -> str | None:
    if found is None:
        return None
    name = next(said for group in groups if (said := found[group]))
    return None if name.lower() in _NO_NAME else name

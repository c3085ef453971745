"""What holds for every message and every text, not only for the examples.

Tried 20 times each by default; `LAWS=longer` tries 500 times, `LAWS=long` 2000.
"""

import contextlib
import os
import time
import types
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel

from protocol import Voice, allowed_user_ids, check, join, parse, recipients_of, reference, render, wire
from protocol.errors import NotUnderstood
from protocol.gate import outside_code
from protocol.lessons import read_lessons
from protocol.messages import Alert, Answer, Said
from protocol.parts import HARD_LIMIT, width
from protocol.plan import PlanBroken, read_plan
from protocol.roster import CARD_IDS, Peer, mentioned_ids
from protocol.wording import LAYOUTS

OPERATOR = 200000000000000001
PEERS = [CARD_IDS[peer] for peer in Peer if peer is not Peer.TRAINING]
VOICES = st.sampled_from(
    [
        Voice(operators=(OPERATOR,), timezone=zone)
        for zone in ("Asia/Seoul", "UTC", "America/New_York", "Asia/Kathmandu")
    ]
)
KINDS = [layout.kind for layout in LAYOUTS]

MISCHIEF = [
    *(
        "<@1477205631927717900>",
        "<@!1477168971718332516>",
        "<@&1477205631927717900>",
        "@everyone",
        "@here",
        "<@",
        "@",
    ),
    *("```", "``", "`", "~~~", "```yaml\n", "\n```\n", "\\`", "**", "> ", "\n> ", "# ", "- ", "1. ", "    "),
    *(
        "[HANDOFF]",
        "[APPROVE] 3f2a9c81b2d4",
        "[report]",
        "[ DONE ]",
        "［ＳＴＯＰ］",
        "[승인]",
        "[",
        "]",
        "!status",
        "[ANSWER]",
    ),
    *(
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "⏎",
        "\u2028",
        "\x0b",
        "\t",
        " ",
        "\u3000",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u202e",
    ),
    *(
        "-# c7.1",
        "\n-# c7.1",
        "\n-# c7.1 · 1/2 ↩",
        " · 1/2",
        "(계속)",
        "Watcher, ",
        "\nDeveloper: ",
        "@Evaluation",
        "training-claw!",
        "\n1. **Developer**: ",
        "\nDomain Expert, ",
        "\\",
    ),
    *(
        "없음",
        "계산 중",
        "CPU",
        "늦은 보고: 놓친 시각 02:30",
        " — ",
        "—",
        " → ",
        "→",
        "✅ ",
        "⛔",
        "\\u2192",
        '"',
        "\\",
        ": ",
        ", ",
    ),
    *(
        "문제:",
        "\n요청: x",
        "레슨런:",
        "[학습] ",
        "Cycle: 7",
        "데이터: gs://b/dataset/",
        "에피소드 수: 85개",
        "→ 적용: ",
    ),
    *(
        "\n| Cycle | 7 |",
        "\n| 학습 | 데이터 | 적용 |",
        "|",
        "~~",
        '{"cycle": 7, ',
        "\nCycle\n",
        "총 ",
        "0~9",
        "７",
    ),
    *("1번 승인 2번 ", "결론: ", "반려: ", "안 ", "없", "training：\n", "\u00a0"),
    *(
        "승인합니다",
        "진행하지 마",
        "?",
        "가\u0301",
        "\u0301",
        "가",
        "👩‍💻",
        "\U0001f600",
        "\u0338",
        "null",
        "NaN",
        "1e-4",
    ),
]
TEXT = st.lists(st.one_of(st.sampled_from(MISCHIEF), st.text(max_size=12)), max_size=8).map("".join)
LONG = (
    st.tuples(TEXT, st.integers(1, 400)).map(lambda drawn: drawn[0] * drawn[1]).map(lambda text: text[:6000])
)
WORDS = st.one_of(TEXT, TEXT, TEXT, TEXT, LONG)
MOMENTS = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=2)),
    max_leaves=5,
)


def values(annotation: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Every value a field may have, told by its type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return JSON
    if origin in (Union, types.UnionType):
        return st.one_of(*(values(one, name) for one in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        fewest = 1 if name in {"changes", "insights", "lines", "problems", "understood"} else 0
        return st.lists(values(arguments[0]), min_size=fewest, max_size=4).map(tuple)
    if origin is dict:
        return st.dictionaries(WORDS, WORDS, max_size=3)
    if annotation is type(None):
        return st.none()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return models(annotation)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: WORDS,
        int: st.integers(-(10**9), 10**9),
        float: st.floats(allow_nan=False),
        bool: st.booleans(),
        AwareDatetime: MOMENTS,
    }
    return simple[annotation]


@cache
def models(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    to = st.sampled_from([*PEERS, OPERATOR] if model in (Answer, Alert) else PEERS)
    gigabytes = st.floats(min_value=0, allow_infinity=False, allow_nan=False)
    own: dict[str, st.SearchStrategy[Any]] = {
        "used_gb": gigabytes,
        "total_gb": gigabytes,
        "ref": st.from_regex(r"([A-Za-z0-9][A-Za-z0-9._:/#+-]{0,63})?", fullmatch=True),
        "hash": st.from_regex(r"[0-9A-Za-z._-]{1,64}", fullmatch=True),
        "to": st.lists(to, min_size=1, max_size=5).map(tuple),
    }
    fields = {
        name: own.get(name, values(field.annotation, name))
        for name, field in model.model_fields.items()
        if name != "kind"
    }
    return st.builds(model, **fields)


SAID = st.sampled_from(KINDS).flatmap(models)
TEXTS = st.lists(
    st.one_of(st.sampled_from(MISCHIEF), st.text(st.characters(codec=None, categories=None), max_size=20)),
    max_size=30,
).map("".join)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data(), voice=VOICES)
def test_what_is_said_is_read_back(kind: type[Said], data: st.DataObject, voice: Voice) -> None:
    message = data.draw(models(kind))
    parts = render(message, voice=voice)
    assert parse(join(parts), voice=voice) == wire(message, voice=voice)
    assert {one.ref for part in parts if (one := reference(part))} <= {message.ref}


@given(SAID, VOICES)
def test_the_wire_takes_nothing_more_the_second_time(message: Said, voice: Voice) -> None:
    once = wire(message, voice=voice)
    assert wire(once, voice=voice) == once
    assert render(once, voice=voice) == render(message, voice=voice)


@given(SAID, VOICES)
def test_what_is_rendered_passes_the_gate(message: Said, voice: Voice) -> None:
    parts = render(message, voice=voice)
    check(parts, recipients_of(message, voice), voice)
    assert all(width(part) <= HARD_LIMIT for part in parts)


@given(SAID, VOICES)
def test_no_text_in_any_field_changes_who_is_pinged(message: Said, voice: Voice) -> None:
    wanted = set(message.recipients(voice.roster))
    for part in render(message, voice=voice):
        assert set(mentioned_ids(part)) == set(mentioned_ids(outside_code(part))) == wanted
    assert set(allowed_user_ids(message, voice)) == wanted


@given(TEXTS)
def test_reading_raises_nothing_but_its_own_error(text: str) -> None:
    for given_text in (text, f"<@1477243247956066414> {text}", f"[HANDOFF] {text}", f"[APPROVE] {text}"):
        with contextlib.suppress(NotUnderstood):
            parse(given_text)


@given(TEXTS)
def test_files_are_read_or_refused_by_their_own_error(text: str) -> None:
    read_lessons(text)
    with contextlib.suppress(PlanBroken):
        read_plan(f"```yaml\ntraining:\n  {text}\n```\n{text}")


@given(st.lists(TEXTS, max_size=5))
def test_joining_takes_any_parts(parts: Sequence[str]) -> None:
    joined = join(parts)
    assert (len(parts) != 1) or joined == parts[0] or reference(parts[0]) is not None


HURT_ONCE = [
    "# ",
    ": ",
    "CPU",
    "1번 ",
    "1. ",
    "- a\n",
    "[학습] a\n",
    "?",
    "`",
    "[",
    "a: ",
    "9",
    '"',
    "→ 적용: ",
    "\n",
    "가",
    "| a ",
    "~~a",
    "cycle (",
    "“",
    "a 「",
]
NASTY = HURT_ONCE if os.environ.get("LAWS", "fast") == "fast" else list(dict.fromkeys(HURT_ONCE + MISCHIEF))
HEADS = ["", "[HANDOFF] ", "[LESSON]\n", "[APPROVE] ", "<@1477205631927717900> [ANSWER] "]


def cost_s(text: str) -> float:
    began = time.process_time()
    with contextlib.suppress(NotUnderstood):
        parse(text)
    return time.process_time() - began


@pytest.mark.parametrize("piece", NASTY, ids=repr)
def test_reading_costs_in_proportion_to_length(piece: str) -> None:
    for head in HEADS:
        short, long = ((head + piece * size)[:size] for size in (2_000, 20_000))
        tries = (cost_s(long) <= 15 * max(cost_s(short), 0.0005) for _ in range(5))
        assert any(tries), f"{head!r} and then nothing but {piece!r}"

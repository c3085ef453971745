"""A message in several parts, ours and theirs."""

from protocol import Voice, join, read_said, reference, render, wire
from protocol.layout import FENCE
from protocol.messages import Answer
from protocol.parts import CONTINUED, HARD_LIMIT, ROOM, Reference, width

OPERATOR = 200000000000000001
VOICE = Voice(operators=(OPERATOR,))


def answer(body: str, block: str = "", ref: str = "c7.1") -> Answer:
    return Answer(to=(OPERATOR,), body=body, block=block, ref=ref)


def read_back(message: Answer) -> list[str]:
    parts = render(message, voice=VOICE)
    assert read_said(join(parts), VOICE) == wire(message, voice=VOICE)
    return parts


def test_a_message_up_to_the_limit_is_one_part() -> None:
    head = width("<@200000000000000001> [ANSWER] \n-# c7.1")
    assert len(read_back(answer("가" * (HARD_LIMIT - head)))) == 1
    assert len(read_back(answer("가" * (HARD_LIMIT - head + 1)))) == 2


def test_every_part_has_mention_tag_reference_and_number() -> None:
    parts = read_back(answer("\n".join(f"line {n} {'x' * 90}" for n in range(50))))
    assert len(parts) == 3
    for number, part in enumerate(parts, start=1):
        assert part.startswith("<@200000000000000001> [ANSWER] ")
        assert (CONTINUED in part.split("\n")[0]) == (number > 1)
        assert reference(part) == Reference("c7.1", number, 3)
        assert width(part) <= ROOM


def test_lines_stay_whole_where_they_fit() -> None:
    lines = [f"{n} " + "x" * 700 for n in range(8)]
    shown = [line for part in read_back(answer("\n".join(lines))) for line in part.split("\n")]
    assert all(line in shown for line in lines[1:])


def test_a_line_too_long_for_a_part_is_cut_at_a_blank_if_there_is_one() -> None:
    parts = read_back(answer("word " * 1000))
    assert all(part.split("\n")[-2].endswith("word") for part in parts[:-1])
    assert all(" ↩" in part for part in parts[:-1])
    assert all(width(part) <= ROOM for part in read_back(answer("😀" * 5000)))


def test_a_fence_is_closed_and_opened_again() -> None:
    for lines in (10, 40, 200):
        for part in read_back(answer("table", "\n".join(f"{n:3d} {'.' * 60}" for n in range(lines)))):
            assert part.split("\n").count(FENCE) % 2 == 0
    assert len(read_back(answer("table", "x" * 9000))) > 4


def test_words_that_look_like_the_seams_are_only_words() -> None:
    for words in (CONTINUED, "@everyone" * 500, f"{CONTINUED}\n-# c7.1 · 1/2 ↩\n```\n"):
        read_back(answer(words, "x\n" * 900, ref=""))
        read_back(answer(words + "\n" + "y\n" * 900))


def test_a_message_without_reference_is_split_and_read_back_too() -> None:
    parts = read_back(answer("word " * 1000, ref=""))
    assert reference(parts[0]) == Reference("", 1, len(parts))
    assert reference("no reference") is None


def test_nothing_and_one_part_join_to_themselves() -> None:
    assert join([]) == ""
    assert join(["x"]) == "x"


def test_a_peer_s_parts_meet_at_a_line_s_end_unless_cut_by_length() -> None:
    assert join(["a", "b"]) == "a\nb"
    assert join(["a" * HARD_LIMIT, "b", "c"]) == "a" * HARD_LIMIT + "b\nc"

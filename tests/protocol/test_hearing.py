"""What peers and operators write, and what it is taken for."""

import unicodedata

import pytest

from protocol import NotUnderstood, join, parse
from protocol.messages import (
    Acknowledgement,
    Approval,
    Command,
    Handoff,
    Heard,
    Lesson,
    Lessons,
    Order,
    Rejection,
    Talk,
)

US = "<@1477243247956066414>"
OOM = "batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생"
SWING = "에피소드 첫 50프레임은 카메라 스윙으로 무효"
DATA = "gs://ralphton-handoff/dataset/"


def meaning(text: str) -> Heard:
    """What was understood, without the original words."""
    heard = parse(text)
    assert isinstance(heard, Heard)
    assert heard.text == text
    return heard.model_copy(update={"text": "", "message_id": None})


PLAIN = f"{US} [HANDOFF] 데이터 생성 완료.\nCycle: 7\n데이터: {DATA}\n에피소드 수: 85개"
SAME_IN_OTHER_DRESS = {
    "english": f"{US} [HANDOFF] Data ready.\nCycle: 7\nDataset: {DATA}\nEpisodes: 85",
    "legacy mention": PLAIN.replace("<@", "<@!"),
    "mention at the end": f"[HANDOFF] 데이터 생성 완료.\nCycle: 7\n데이터: {DATA}\n에피소드 수: 85개\n{US}",
    "two mentions": PLAIN.replace(US, f"<@1477205631927717900> {US}"),
    "any case": PLAIN.replace("HANDOFF", "Handoff").replace("Cycle", "CYCLE"),
    "full width": PLAIN.replace("[HANDOFF]", "［ＨＡＮＤＯＦＦ］").replace(": ", "：").replace("85", "８５"),
    "zero width": PLAIN.replace("HANDOFF", "HAND\u200bOFF").replace("데이터:", "데\ufeff이터\u200b:"),
    "decomposed hangul": unicodedata.normalize("NFD", PLAIN),
    "crlf": PLAIN.replace("\n", "\r\n"),
    "bullets": PLAIN.replace("\n", "\n- "),
    "other bullets": PLAIN.replace("\n", "\n   • "),
    "numbered": PLAIN.replace("\nCycle", "\n1. Cycle").replace("\n데이터", "\n2) 데이터"),
    "bold labels": PLAIN.replace("데이터:", "**데이터:**").replace("Cycle:", "**Cycle**:"),
    "bold tag": PLAIN.replace("[HANDOFF]", "**[HANDOFF]**"),
    "emoji": PLAIN.replace("[HANDOFF]", "📦 [HANDOFF]").replace("에피소드 수:", "✅ 에피소드 수:"),
    "heading": PLAIN.replace(f"{US} [HANDOFF]", f"{US}\n## [HANDOFF]"),
    "in a fence": f"{US}\n```\n{PLAIN.removeprefix(US).strip()}\n```",
    "fields in a fence": PLAIN.replace("\nCycle", "\n```yaml\nCycle") + "\n```",
    "code path": PLAIN.replace(DATA, f"`{DATA}`"),
    "quoted path": PLAIN.replace(DATA, f'"{DATA}"'),
    "on one line": PLAIN.replace("\n", " "),
    "on one line with commas": PLAIN.replace("\n", ", "),
    "with separators": PLAIN.replace("\n", " | "),
    "equals signs": PLAIN.replace(": ", " = "),
    "padded cycle": PLAIN.replace("Cycle: 7", "사이클: 07"),
    "cycle in prose": PLAIN.replace("\nCycle: 7", "").replace("데이터 생성", "Cycle 7 데이터 생성"),
    "count in prose": PLAIN.replace("\n에피소드 수: 85개", " 에피소드 85개입니다."),
    "path in prose": PLAIN.replace(f"\n데이터: {DATA}", f"\n데이터를 {DATA}에 올렸습니다."),
    "other labels": PLAIN.replace("데이터:", "데이터 경로 (GCS):").replace("에피소드 수", "총 에피소드"),
    "greeting first": PLAIN.replace("[HANDOFF]", "안녕하세요.\n[HANDOFF]"),
    "greeting before the tag": PLAIN.replace("[HANDOFF]", "안녕하세요! [HANDOFF]"),
    "no brackets": PLAIN.replace("[HANDOFF]", "HANDOFF:"),
    "korean tag": PLAIN.replace("[HANDOFF]", "[핸드오프]"),
    "part numbers": f"{PLAIN}\n(1/1)",
    "table": f"{US} [HANDOFF]\n| 항목 | 값 |\n|---|---|\n"
    f"| **Cycle** | 7 |\n| 데이터 경로 | `{DATA}` |\n| 에피소드 수 | 85개 |",
    "table under a head": f"{US} [HANDOFF]\n| Cycle | 데이터 | 에피소드 |\n|:--|--|--|\n| 7 | {DATA} | 85 |",
    "json": f'{US} [HANDOFF]\n```json\n{{\n "cycle": 7,\n "data_path": "{DATA}",\n "num_episodes": 85\n}}',
    "json on one line": f'{US} [HANDOFF] {{"cycle": 7, "dataset": "{DATA}", "episode_count": 85}}',
    "labels above values": f"{US} [HANDOFF]\n**Cycle**\n7\n**데이터 경로:**\n`{DATA}`\n에피소드 수\n85개",
    "arrows": f"{US} [HANDOFF]\nCycle → 7\n데이터 → {DATA}\n에피소드 → 85개",
    "spoilers": PLAIN.replace(f"데이터: {DATA}", f"||데이터: {DATA}||"),
    "full-width letters": PLAIN.replace("Cycle: 7", "Ｃｙｃｌｅ：７"),
    "a struck mistake": PLAIN.replace("Cycle: 7", "~~Cycle: 6~~\nCycle: ~~6~~ 7"),
    "a markdown link": PLAIN.replace(DATA, f"[{DATA}]({DATA})"),
    "numbers beside the count": PLAIN.replace("85개", "000~084 (85개)"),
    "parts beside the count": PLAIN.replace("85개", "성공 80개, 실패 5개, 총 85개"),
    "count with a particle": PLAIN.replace("\n에피소드 수: 85개", " 85개 에피소드를 만들었습니다."),
    "said twice alike": f"{PLAIN}\nCycle: 7",
}


@pytest.mark.parametrize("dress", SAME_IN_OTHER_DRESS)
def test_a_handoff_is_understood_in_any_dress(dress: str) -> None:
    heard = meaning(SAME_IN_OTHER_DRESS[dress])
    assert heard == Handoff(cycle=7, data=DATA, episodes=85)


def test_what_is_said_of_the_data_is_not_where_it_lies() -> None:
    heard = meaning(PLAIN.replace("\nCycle", "\n데이터: 생성 완료\nCycle"))
    assert heard == Handoff(cycle=7, data=DATA, episodes=85, extra={"데이터": "생성 완료"})


def test_a_table_s_other_rows_are_kept() -> None:
    heard = meaning(
        f"[HANDOFF]\n| 항목 | 값 |\n|---|---|\n| 데이터 | {DATA} |\n| fps | 30 | |\n| | 5 |\n\n| Cycle | 7 |"
    )
    assert heard == Handoff(cycle=7, data=DATA, extra={"fps": "30"})


def test_a_range_of_episodes_is_not_their_number() -> None:
    heard = meaning("[HANDOFF] Cycle 7\n에피소드: 000~084")
    assert heard == Handoff(cycle=7, extra={"에피소드": "000~084"})


def test_a_label_alone_waits_for_its_own_value_only() -> None:
    heard = meaning("[HANDOFF]\nCycle:\n다음 줄에 적겠습니다\n7\n데이터\n확인 중")
    assert heard == Handoff()


def test_a_handoff_keeps_its_words_and_its_id() -> None:
    heard = parse(PLAIN, message_id=42)
    assert isinstance(heard, Handoff)
    assert (heard.text, heard.message_id) == (PLAIN, 42)


def test_unknown_fields_are_kept_as_they_stand() -> None:
    heard = meaning(f"{PLAIN}\nfps: 30\n생성 도구: sim v2.1\nfps: 60\nhttps://example.org/x\n> note: quoted")
    assert isinstance(heard, Handoff)
    assert heard.extra == {"fps": "30\n60", "생성 도구": "sim v2.1"}


def test_watcher_s_handoff_brings_the_card_s_lessons() -> None:
    heard = meaning(
        f"{US} [HANDOFF] Cycle 8 시작.\nSSOT: gs://ralphton-handoff/ssot/PLAN.md\n레슨런:\n- [학습] {OOM}\n"
        f"- [데이터] {SWING}\n  → 적용: 각 에피소드 첫 50프레임 스킵\n\n확인 후 학습을 시작해 주세요."
    )
    assert heard == Handoff(
        cycle=8,
        lessons=(
            Lesson(category="학습", text=OOM),
            Lesson(category="데이터", text=SWING, remedy="각 에피소드 첫 50프레임 스킵"),
        ),
        extra={"SSOT": "gs://ralphton-handoff/ssot/PLAN.md"},
    )


@pytest.mark.parametrize(
    "text",
    [
        "[HANDOFF] 데이터를 gs://ralphton-handoff/dataset/에 올려 달라고 요청했습니다.",
        "[HANDOFF] checkpoint: gs://ralphton-handoff/checkpoints/act_best/",
        "[HANDOFF] 참고 gs://ralphton-handoff/ssot/PLAN.md",
        "[HANDOFF] Cycle 6의 결과로 Cycle 7을 시작합니다.",
        "[HANDOFF] 데이터: 생성 중",
    ],
)
def test_a_handoff_does_not_say_more_than_it_says(text: str) -> None:
    heard = meaning(text)
    assert isinstance(heard, Handoff)
    assert (heard.cycle, heard.data) == (None, None)


def test_a_path_that_is_none_is_shown_as_it_was_written() -> None:
    heard = meaning("[HANDOFF] 데이터: 생성 중")
    assert isinstance(heard, Handoff)
    assert heard.extra == {"데이터": "생성 중"}


@pytest.mark.parametrize("path", ["dataset/cycle07/", "file:///tmp/bucket/dataset/", "./dataset/"])
def test_other_paths_are_taken_as_written(path: str) -> None:
    heard = meaning(f"[HANDOFF] 데이터: {path}")
    assert isinstance(heard, Handoff)
    assert heard.data == path


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("", "내용이 없는", "1행"),
        (US, "내용이 없는", "1행"),
        (f"{US} [HANDOFF]\nCycle: seven", "seven", "2행"),
        (f"{US} [HANDOFF]\n\n에피소드 수: 많음", "많음", "3행"),
        (f"{US} [HANDOFF]\nCycle: 123456789", "123456789", "2행"),
        (f"{US} [HANDOFF]\nCycle: -7", "-7", "2행"),
        (f"{US} [HANDOFF]\n에피소드 수: 85.5", "85.5", "2행"),
        (f"{US} [HANDOFF]\nCycle: 7\nCycle: 8", "7 / 8", "3행"),
        (f"{US} [LESSON]", "레슨런이 없습니다", "1행"),
        (f"{US} [STOP] 하지 마세요", "그 뒤의 말이 다릅니다", "1행"),
        (f"{US} [RESUME] 할까요?", "그 뒤의 말이 다릅니다", "1행"),
        (f"{US}\n[RETRY] please don't", "그 뒤의 말이 다릅니다", "2행"),
        (f"{US} [LESSON]\n\nCycle: 7", "레슨런이 없습니다", "3행"),
    ],
)
def test_what_is_not_understood_is_named_with_its_place(text: str, what: str, where: str) -> None:
    with pytest.raises(NotUnderstood, match=where) as raised:
        parse(text)
    assert what in raised.value.what
    assert raised.value.where == where


@pytest.mark.parametrize(
    ("text", "lessons"),
    [
        (f"{US} [학습] {OOM}", (Lesson(category="학습", text=OOM),)),
        (f'{US} Watcher 레슨런: "[학습] {OOM}"', (Lesson(category="학습", text=OOM),)),
        (
            (
                f'{US} Watcher 레슨런: "[학습] {OOM}"\n→ 적용: batch_size를 64 → 32로 축소\n'
                "→ Watcher에게 사전 보고 후 학습 시작"
            ),
            (Lesson(category="학습", text=OOM, remedy="batch_size를 64 → 32로 축소"),),
        ),
        (f"{US} [LESSON] lr을 낮추기", (Lesson(category="", text="lr을 낮추기"),)),
        (
            f"{US} [레슨런]\n- [평가] 느림\n- [x] [모델] 작음",
            (Lesson(category="평가", text="느림"), Lesson(category="모델", text="작음")),
        ),
        (
            f"{US} 참고하세요.\n[학습] {OOM} → 적용: batch_size=32",
            (Lesson(category="학습", text=OOM, remedy="batch_size=32"),),
        ),
    ],
)
def test_lessons_alone_are_understood(text: str, lessons: tuple[Lesson, ...]) -> None:
    assert meaning(text) == Lessons(lessons=lessons)


def test_lessons_may_name_their_cycle() -> None:
    heard = meaning(f"{US} [LESSON] Cycle: 8\n[학습] {OOM}")
    assert heard == Lessons(cycle=8, lessons=(Lesson(category="학습", text=OOM),))


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("[APPROVE] 3f2a9c81b2d4", Approval(proposal="3f2a9c81b2d4")),
        ("`[APPROVE] 3f2a9c81b2d4`", Approval(proposal="3f2a9c81b2d4")),
        ("[approved] 제안 3f2a9c81b2d4. 학습을 시작하세요.", Approval(proposal="3f2a9c81b2d4")),
        ("[승인]", Approval()),
        ("[APPROVE] c7.proposal.1", Approval(proposal="c7.proposal.1")),
        ("[APPROVE] 1, 3", Approval(items=(1, 3))),
        ("[APPROVE] 3f2a9c81b2d4 (1, 2)", Approval(proposal="3f2a9c81b2d4", items=(1, 2))),
        ("[APPROVE] 3f2a9c81b2d4 1번만", Approval(proposal="3f2a9c81b2d4", items=(1,))),
        (
            "[APPROVE] 3f2a9c81b2d4 1\n[REJECT] 2번 위험",
            Approval(proposal="3f2a9c81b2d4", items=(1,), rejected=(2,)),
        ),
        ("[APPROVE]\n3f2a9c81b2d4\n> [REJECT] x", Approval(proposal="3f2a9c81b2d4")),
        ("[ANSWER] 네, 승인합니다", Approval()),
        (
            "[REJECT] 3f2a9c81b2d4 loss가 아직 감소 중",
            Rejection(proposal="3f2a9c81b2d4", reason="loss가 아직 감소 중"),
        ),
        ("[반려] 2번 — 위험", Rejection(items=(2,), reason="위험")),
        ("[APPROVE] 3f2a9c81b2d4 단, lr은 유지", Acknowledgement()),
        ("[APPROVE] 3f2a9c81b2d4\n[REJECT] 3f2a9c81b2d4", Acknowledgement()),
        ("[APPROVE] 3f2a9c81b2d4 / [REJECT] 3f2a9c81b2d4 사유", Acknowledgement()),
        ("[ACK] c7.1", Acknowledgement()),
        ("[STOP]", Order(verb="stop")),
        ("[재개] 부탁합니다", Order(verb="resume")),
        ("[RETRY] data fixed", Order(verb="retry")),
        ("학습을 중단해 주세요.", Order(verb="stop")),
        ("지금 바로 멈춰 주세요. 데이터에 문제가 있습니다.", Order(verb="stop")),
        ("stop training please", Order(verb="stop")),
        ("학습 재개해 주세요", Order(verb="resume")),
        ("다시 시도해 주세요", Order(verb="retry")),
        ("retry", Order(verb="retry")),
        ("!status", Command(name="status")),
        ("! Bucket verify 7", Command(name="bucket", arguments=("verify", "7"))),
        ("！help", Command(name="help")),
    ],
)
def test_decisions_orders_and_commands_are_understood(text: str, heard: Heard) -> None:
    assert meaning(f"{US} {text}") == heard


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("지금 상태가 어떤가요?", "status"),
        ("언제 끝나나요?", "status"),
        ("학습이 중단됐나요?", "other"),
        ("학습을 중단하지 마세요", "other"),
        ("stop or resume? stop, resume", "other"),
        ("stop, resume", "other"),
        ("레슨런은 반영했나요?", "lessons"),
        ("레슨런: 적용했나요?", "lessons"),
        ("어떤 config로 학습하나요?", "config"),
        ("최신 checkpoint 경로는?", "checkpoints"),
        ("act_best 체크포인트가 안 열려요", "complaint"),
        ("[QUESTION] 몇 epoch 남았나요?", "status"),
        ("[BLOCKED] 평가 실패.\n문제: checkpoint 로드 실패", "complaint"),
        ("[REPORT] 평가 진행 중. epoch 3", "other"),
        ("[DONE] 승인합니다", "other"),
        ("왜 [HANDOFF] 답이 없나요?", "other"),
        ("> [HANDOFF] 데이터: gs://b/dataset/", "other"),
        ("> 참고\n좋은 아침입니다", "other"),
        ("[공지] 오늘 점검", "other"),
        ("!", "other"),
        ("레슨런", "lessons"),
    ],
)
def test_everything_else_is_talk(text: str, about: str) -> None:
    assert meaning(f"{US} {text}") == Talk(about=about)  # pyright: ignore[reportArgumentType]


def test_our_own_words_said_by_a_peer_to_us_are_the_peer_s() -> None:
    assert isinstance(parse(f"{US} [ANSWER] 좋은 아침입니다"), Talk)
    assert isinstance(parse(f"{US} [QUESTION] 확인 요청.\n질문: 상태?\n답하는 법: x"), Talk)


def test_a_message_cut_in_two_is_one_handoff() -> None:
    first = f"{US} [HANDOFF] Cycle: 7\n레슨런:\n" + "\n".join(
        f"- [학습] 레슨 {n} {'가' * 60}" for n in range(20)
    )
    second = f"- [데이터] {SWING}\n\n데이터: {DATA}"
    heard = parse(join([first, second]))
    assert isinstance(heard, Handoff)
    assert len(heard.lessons) == 21
    assert heard.data == DATA


def test_a_part_of_full_length_was_cut_within_a_word() -> None:
    text = f"{US} [HANDOFF] Cycle: 7\n" + "x" * 3000 + f"\n데이터: {DATA}"
    heard = parse(join([text[:2000], text[2000:]]))
    assert isinstance(heard, Handoff)
    assert (heard.cycle, heard.data) == (7, DATA)

"""Watchers of every temper say what they are meant to; the judge knows what must come of it."""

import asyncio

import pytest

from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.judging.judge import ACTS, Act, Play, judge
from bot.rehearsal.judging.outcomes import acts_with
from bot.rehearsal.players import peers, script, tempers
from bot.rehearsal.players.tempers import NOD, REASON, RIDDLE, SLOW, STAYS, Temper
from protocol.roster import Peer, Roster, mention

ROSTER = Roster()
WATCHER, TRAINING = ROSTER.mention(Peer.WATCHER), ROSTER.mention(Peer.TRAINING)
FACTS = script.Facts(bucket_url="file:///stage/bucket", episodes=56, batch_size=64, lead_in_frames=5)
NAMED = "0a1b2c3d4e5f"
PROPOSAL = f"{WATCHER} [REPORT] 설정 변경 승인 요청.\n제안: {NAMED}\n답하는 법: [APPROVE] {NAMED}"
QUESTION = f"{WATCHER} [QUESTION] 확인 요청.\n질문: 제안 {NAMED}을 승인합니까, 반려합니까?"
OOM = "batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생"


def watchers(server: DiscordServer) -> list[str]:
    return [one.content for one in server.record.entries if one.author_id == ROSTER.watcher]


async def said_by(temper: Temper, *training: str) -> list[str]:
    """What a Watcher of this temper says, first and last, to what Training says."""
    server = DiscordServer(Guild(cast_of(ROSTER)))
    player = peers.player_of(server, ROSTER, Peer.WATCHER)
    playing = asyncio.create_task(tempers.watcher(player, FACTS, temper))
    for number, text in enumerate(training, start=1):
        await server.record.until(lambda _, n=number: len(watchers(server)) >= n)
        await server.say(ROSTER.training, text)
    answers = len(training) + (temper is not Temper.SILENT)
    await server.record.until(lambda _: len(watchers(server)) >= answers)
    playing.cancel()
    await asyncio.wait([playing])
    return watchers(server)


async def test_one_rejects_with_a_reason_after_a_lesson_nobody_understands() -> None:
    opening, answer = await said_by(Temper.REJECTING, PROPOSAL)
    assert opening.endswith(f"\n- [학습] {RIDDLE}")
    assert answer == f"{TRAINING} [REJECT] {NAMED} {REASON}"


async def test_one_nods_and_says_yes_only_when_asked() -> None:
    _, nod, yes = await said_by(Temper.ACKNOWLEDGING, PROPOSAL, QUESTION)
    assert (nod, yes) == (f"{TRAINING} {NOD}", f"{TRAINING} 네, 승인합니다.")


async def test_one_approves_in_part() -> None:
    opening, answer = await said_by(Temper.PARTIAL, PROPOSAL)
    assert SLOW in opening
    assert answer == f"{TRAINING} 1번은 승인, 2번은 보류"


async def test_one_approves_a_line_and_rejects_the_other_when_it_comes_again() -> None:
    both = PROPOSAL.replace("답하는", "1. 레슨런: …\n2. 레슨런: …\n답하는")
    rest = PROPOSAL.replace("답하는", "2. 레슨런: …\n답하는")
    opening, in_part, rejection = await said_by(Temper.CHOOSY, both, rest)
    assert SLOW in opening
    assert RIDDLE in opening
    assert in_part == f"{TRAINING} 1번만 승인합니다."
    assert rejection == f"{TRAINING} [REJECT] {NAMED} {STAYS}"


async def test_one_never_answers() -> None:
    assert len(await said_by(Temper.SILENT, PROPOSAL)) == 1


def test_the_usual_play_is_judged_as_ever() -> None:
    assert acts_with(Temper.APPROVING) == ACTS


async def judged(temper: Temper, *lines: tuple[int, str]) -> dict[str, Act]:
    """The temper's own acts in a channel in which this was said."""
    server = DiscordServer(Guild(cast_of(ROSTER)))
    for author, text in lines:
        await server.say(author, text)
    own = {name: look for name, look in acts_with(temper).items() if name not in ACTS}
    return {act.name: act for act in judge(Play(server.record.entries, ROSTER, (OPERATOR_ID,)), own)}


def done(*lessons: str) -> tuple[int, str]:
    lines = "\n".join(f"- {lesson}" for lesson in lessons)
    return ROSTER.training, f"{WATCHER} [DONE] Cycle 1 학습 완료.\n레슨런 적용:\n{lines}\n최종 loss: 0.2"


START = (ROSTER.training, f"{WATCHER} [REPORT] 학습 시작.\n에피소드 수: 56개")
ASKED = (ROSTER.training, PROPOSAL)
WAITING = (ROSTER.training, f"{WATCHER} [REPORT] 승인 대기.\n답: [APPROVE] {NAMED}")
DEAF = (ROSTER.training, f"{WATCHER} [REPORT] 데이터 검증.\n다음 단계: HDF5 변환")
ALERT = (ROSTER.training, f"{mention(OPERATOR_ID)} [ALERT] 제안 {NAMED}이 기다립니다.")
PUZZLED = (ROSTER.training, f"{WATCHER} [QUESTION] 확인 요청.\n질문: {RIDDLE}")
ASKED_BACK = (ROSTER.training, QUESTION)
SMALLER = f"1. 레슨런: {OOM}\n   변경: training.batch_size: 64 → 32\n"
QUICKER = f"2. 레슨런: {SLOW}\n   변경: training.lr: 2e-4 → 4e-4\n"
FIRST = (ROSTER.training, PROPOSAL.replace("답하는", f"{SMALLER}{QUICKER}답하는"))
AGAIN = (ROSTER.training, PROPOSAL.replace("답하는", f"{QUICKER}답하는"))
OTHER = (ROSTER.training, PROPOSAL.replace("답하는", f"2. 레슨런: {OOM}\n답하는"))
BEGUN = (
    ROSTER.training,
    f"{START[1]}\n설정 변경:\n- training.lr: 1e-4 → 2e-4\n- training.batch_size: 64 → 32",
)
FASTER = (ROSTER.training, BEGUN[1].replace("2e-4", "4e-4"))
LARGER = (ROSTER.training, BEGUN[1].replace("→ 32", "→ 48"))
CHOSEN = ("✅ batch_size 32로 축소", f"⛔ {SLOW} — {STAYS}", f"❔ {RIDDLE} — 무엇")
NODDED = (ROSTER.watcher, f"{TRAINING} {NOD}")


@pytest.mark.parametrize(
    ("temper", "lines"),
    [
        (Temper.REJECTING, (PUZZLED, done(f"⛔ {OOM} — {REASON}", f"❔ {RIDDLE} — 무엇"))),
        (Temper.ACKNOWLEDGING, (NODDED, ASKED_BACK, START, done("✅ batch_size 32로 축소"))),
        (Temper.PARTIAL, (done("✅ batch_size 32로 축소", f"⛔ {SLOW} — Watcher 반려"),)),
        (Temper.SILENT, (ASKED, WAITING, WAITING, WAITING, ALERT)),
        (Temper.CHOOSY, (FIRST, PUZZLED, AGAIN, BEGUN, done(*CHOSEN))),
    ],
)
async def test_the_right_ending_passes(temper: Temper, lines: tuple[tuple[int, str], ...]) -> None:
    acts = await judged(temper, *lines)
    assert acts
    assert [act for act in acts.values() if not act.passed] == []


@pytest.mark.parametrize(
    ("temper", "lines", "why"),
    [
        (Temper.REJECTING, (PUZZLED, done(f"✅ {OOM}", f"❔ {RIDDLE}")), "in DONE a line with ⛔"),
        (Temper.ACKNOWLEDGING, (NODDED, ASKED_BACK, ASKED_BACK, START), "asked back 2 times"),
        (Temper.ACKNOWLEDGING, (NODDED, START, ASKED_BACK), "training started on a nod"),
        (Temper.CHOOSY, (FIRST, PUZZLED, BEGUN, done(*CHOSEN)), "was not proposed again"),
        (Temper.CHOOSY, (FIRST, PUZZLED, OTHER, BEGUN, done(*CHOSEN)), "is about something else"),
        (Temper.CHOOSY, (FIRST, PUZZLED, AGAIN, FASTER, done(*CHOSEN)), "with what was rejected"),
        (Temper.CHOOSY, (FIRST, PUZZLED, AGAIN, LARGER, done(*CHOSEN)), "without what was approved"),
        (Temper.SILENT, (ASKED, WAITING, DEAF, WAITING, ALERT), "does not say what is waited for"),
        (Temper.SILENT, (ASKED, WAITING, ALERT), "1 reports while waiting"),
        (Temper.SILENT, (ASKED, WAITING, START, WAITING, ALERT), "without Watcher's word"),
        (Temper.SILENT, (ASKED, WAITING, WAITING, WAITING, ALERT, ALERT), "told 2 times"),
    ],
)
async def test_a_wrong_ending_does_not(temper: Temper, lines: tuple[tuple[int, str], ...], why: str) -> None:
    acts = await judged(temper, *lines)
    assert any(why in act.evidence for act in acts.values() if not act.passed)

"""The players play with a Training that is played, too; the judge tells a whole play from a broken one."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.judging.etiquette import mention_faults
from bot.rehearsal.judging.judge import ACTS, Play, judge, passed
from bot.rehearsal.judging.outcomes import acts_with
from bot.rehearsal.players import peers, script
from bot.rehearsal.players.numbers import Numbers, read_numbers, worded
from bot.rehearsal.players.tempers import Temper
from protocol.roster import Peer, Roster, mention

ROSTER = Roster()
WATCHER, EVALUATION = ROSTER.mention(Peer.WATCHER), ROSTER.mention(Peer.EVALUATION)
BUCKET = "file:///stage/bucket"
FACTS = script.Facts(bucket_url=BUCKET, episodes=56, batch_size=64, lead_in_frames=5)
GOOD = Numbers(first_l1=0.9, last_l1=0.25, better_than_mean=0.87, better_than_blank=0.86)

PROPOSAL = f"""{WATCHER} [REPORT] 설정 변경 승인 요청.
Cycle: 1
제안: 0a1b2c3d4e5f
1. 레슨런: batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생
   변경: training.batch_size: 64 → 32
답하는 법: 이 메시지에 ✅/❌, 또는 저를 멘션하거나 [APPROVE] 0a1b2c3d4e5f / [REJECT] 0a1b2c3d4e5f 사유"""

CHANGES = f"{WATCHER} [REPORT] 설정 변경 사전 보고.\n- dataset.skip_first_frames: 0 → 5"
START = f"{WATCHER} [REPORT] 학습 시작.\n에피소드 수: 56개"
PROGRESS = f"""{WATCHER} [REPORT] ACT 학습 진행.
Epoch: 5/20
Loss: 0.4 (초기 1.2 → 현재 0.4)
최근 checkpoint: {BUCKET}/checkpoints/act_epoch_005/"""
DONE = f"""{WATCHER} [DONE] Cycle 1 학습 완료.
레슨런 적용:
- ✅ batch_size 32로 축소, gradient accumulation 2 적용 — OOM 없이 완료
- ✅ 첫 5프레임 스킵 — 데이터 품질 향상
최종 loss: 0.2
Best checkpoint: {BUCKET}/checkpoints/cycle01/act_best/"""
HANDOFF = f"""{EVALUATION} [HANDOFF] ACT 학습 완료.
최종 loss: 0.2
Best checkpoint: {BUCKET}/checkpoints/act_best/
전체 checkpoints: {BUCKET}/checkpoints/
학습 곡선: {BUCKET}/checkpoints/loss_curve.png
에피소드 수: 56개
Epoch: 20
L1: 첫 epoch 0.9 → 마지막 epoch 0.25"""


def all_there(text: str) -> Mapping[str, bool]:
    return {word: True for word in text.split() if word.startswith(BUCKET)}


async def training(server: DiscordServer) -> None:
    """A Training that does everything right."""

    async def hear(author_id: int, words: str, since: int = 0) -> Entry:
        return await server.record.until(
            lambda one: one.author_id == author_id and words in one.content, since
        )

    async def say(*lines: str) -> None:
        for line in lines:
            await server.say(ROSTER.training, line)

    opening = await hear(ROSTER.watcher, "[HANDOFF]")
    await server.say(ROSTER.training, f"{WATCHER} [RECEIPT] 수신 확인.\n- Cycle 1, 레슨런 2개", opening.id)
    await hear(ROSTER.developer, "[HANDOFF]")
    await say(f"{ROSTER.mention(Peer.DEVELOPER)} [RECEIPT] 수신 확인.\n- 데이터", CHANGES, PROPOSAL)
    await hear(ROSTER.watcher, "[APPROVE] 0a1b2c3d4e5f")
    await say(START, PROGRESS)
    await hear(OPERATOR_ID, "!status")
    await say(f"{mention(OPERATOR_ID)} [ANSWER] 학습 중: epoch 6/20", DONE, HANDOFF)
    await hear(OPERATOR_ID, "!status", since=len(server.record.entries))
    await say(f"{mention(OPERATOR_ID)} [ANSWER] 대기 중")


async def measured(handoff: str) -> str:
    assert f"Best checkpoint: {BUCKET}/checkpoints/act_best/" in handoff
    return worded(GOOD)


async def performed(evaluate: peers.Evaluate = measured) -> DiscordServer:
    """The whole play with everybody on the stage, up to the operator's last answer."""
    server = DiscordServer(Guild(cast_of(ROSTER)), witness=all_there)
    parts = (
        training(server),
        peers.watcher(peers.player_of(server, ROSTER, Peer.WATCHER), FACTS),
        peers.developer(peers.player_of(server, ROSTER, Peer.DEVELOPER), FACTS),
        peers.evaluation(peers.player_of(server, ROSTER, Peer.EVALUATION), evaluate),
    )
    tasks = [asyncio.create_task(part) for part in parts]
    refused = asyncio.create_task(
        server.record.until(lambda one: one.author_id == ROSTER.evaluation and "[BLOCKED]" in one.content)
    )
    curtain = asyncio.create_task(peers.operator(peers.Player(server, OPERATOR_ID, ROSTER)))
    await asyncio.wait({refused, curtain}, return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, refused, curtain):
        task.cancel()
    await asyncio.wait({*tasks, refused, curtain})
    return server


@pytest.fixture
async def log() -> list[Entry]:
    return (await performed()).record.entries


def verdicts(entries: list[Entry]) -> set[str]:
    """Names of the acts that failed."""
    acts = judge(Play(entries, ROSTER, (OPERATOR_ID,)))
    return {act.name for act in acts if not act.passed}


class TestThePlayers:
    async def test_a_whole_play_passes(self, log: list[Entry]) -> None:
        assert verdicts(log) == set()

    async def test_an_alert_may_name_where_something_did_not_get_to(self, log: list[Entry]) -> None:
        place = "gs://ralphton-handoff/checkpoints/cycle01/act_epoch_005/"
        told = {"content": f"[ALERT] 도움이 필요함\n위치: /x → {place}", "paths": {place: False}}
        alert = log[3].model_copy(update={**told, "author_id": ROSTER.training})
        assert "Every path named was there" not in verdicts([*log[:3], alert, *log[3:]])
        report = alert.model_copy(update={"content": f"[REPORT] 학습 진행.\nCheckpoint: {place}"})
        assert "Every path named was there" in verdicts([*log[:3], report, *log[3:]])

    async def test_watcher_approves_each_proposal_once_in_the_words_it_asks_for(self) -> None:
        server = DiscordServer(Guild(cast_of(ROSTER)))
        watching = asyncio.create_task(peers.watcher(peers.player_of(server, ROSTER, Peer.WATCHER), FACTS))
        for text in (PROPOSAL, PROPOSAL, PROPOSAL.replace("0a1b2c3d4e5f", "ffffffffffff")):
            await server.say(ROSTER.training, text)
        await server.record.until(
            lambda one: "[APPROVE] ffffffffffff" in one.content and "제안" not in one.content
        )
        watching.cancel()
        said = [one.content for one in server.record.entries if one.author_id == ROSTER.watcher]
        assert said[1:] == [
            f"{ROSTER.mention(Peer.TRAINING)} [APPROVE] 0a1b2c3d4e5f",
            f"{ROSTER.mention(Peer.TRAINING)} [APPROVE] ffffffffffff",
        ]

    async def test_an_evaluation_that_fails_says_so(self) -> None:
        async def broken(handoff: str) -> str:
            raise peers.EvaluationFailed("act_best에 model.safetensors 없음")

        last = (await performed(broken)).record.entries[-1]
        assert last.author_id == ROSTER.evaluation
        assert "model.safetensors" in last.content
        assert last.mentions == (ROSTER.watcher,)


class TestAGuestsLessons:
    """A Watcher who is somebody else's program may have none, or lessons that change nothing."""

    def verdicts(self, entries: list[Entry]) -> set[str]:
        play = Play(entries, ROSTER, (OPERATOR_ID,), lesson_words=())
        acts = judge(play, acts_with(Temper.APPROVING, guest_watcher=True))
        return {act.name for act in acts if not act.passed}

    async def test_need_neither_a_change_nor_a_proposal(self, log: list[Entry]) -> None:
        quiet = [one for one in log if one.content not in (CHANGES, PROPOSAL)]
        assert self.verdicts(quiet) == set()

    async def test_whose_proposal_nobody_approved_must_not_start(self, log: list[Entry]) -> None:
        approval = f"{ROSTER.mention(Peer.TRAINING)} [APPROVE]"
        assert self.verdicts(without(approval)(log)) == {"What was inferred was proposed and approved"}


def without(words: str) -> Callable[[list[Entry]], list[Entry]]:
    return lambda log: [one for one in log if words not in one.content]


def twice(words: str) -> Callable[[list[Entry]], list[Entry]]:
    def again(log: list[Entry]) -> list[Entry]:
        [one] = [one for one in log if words in one.content]
        return [*log, one.model_copy(update={"id": log[-1].id + 1})]

    return again


def with_words(old: str, new: str) -> Callable[[list[Entry]], list[Entry]]:
    return lambda log: [one.model_copy(update={"content": one.content.replace(old, new)}) for one in log]


def last_to_front(words: str) -> Callable[[list[Entry]], list[Entry]]:
    return lambda log: [one.model_copy(update={"id": 1}) if words in one.content else one for one in log]


def gone(path: str) -> Callable[[list[Entry]], list[Entry]]:
    def forget(log: list[Entry]) -> list[Entry]:
        return [
            one.model_copy(
                update={"paths": {name: there and path not in name for name, there in one.paths.items()}}
            )
            for one in log
        ]

    return forget


BROKEN_PLAYS = {
    "nobody receipts Watcher": (without("레슨런 2개"), "Watcher's HANDOFF was heard"),
    "nobody receipts Developer": (without("- 데이터"), "Developer's HANDOFF was heard"),
    "changes go unreported": (without("사전 보고"), "Changes were reported before the start"),
    "it starts unapproved": (last_to_front("학습 시작."), "What was inferred was proposed and approved"),
    "the start is silent": (without("[REPORT] 학습 시작."), "The start was reported"),
    "no progress is reported": (without("학습 진행."), "Progress was reported"),
    "the operator is ignored": (without("[ANSWER]"), "The operator was answered"),
    "a named checkpoint is not there": (gone("act_epoch"), "Every path named was there"),
    "the curve is nowhere": (
        lambda log: [one.model_copy(update={"paths": {}}) for one in log],
        "The loss curve was shown",
    ),
    "DONE forgets a lesson": (
        with_words("- ✅ 첫 5프레임 스킵 — 데이터 품질 향상\n", ""),
        "DONE accounts for every lesson, once",
    ),
    "DONE without lessons": (with_words("레슨런 적용:", ""), "DONE accounts for every lesson, once"),
    "DONE twice": (twice("[DONE]"), "DONE accounts for every lesson, once"),
    "HANDOFF twice": (twice("[HANDOFF] ACT"), "Evaluation got the HANDOFF, alone and once"),
    "it did not learn": (with_words("마지막 epoch 0.25", "마지막 epoch 0.6"), "It learned"),
    "it knows the mean alone": (
        with_words("평균 행동 대비: 87.0%", "평균 행동 대비: 59.0%"),
        "It beats the mean action",
    ),
    "it does not look": (
        with_words("가린 화면 대비: 86.0%", "가린 화면 대비: 12.0%"),
        "It looks at the picture",
    ),
    "Evaluation is silent": (without("ACT 평가 완료"), "It learned"),
}


class TestTheJudge:
    @pytest.mark.parametrize("how", BROKEN_PLAYS)
    async def test_a_broken_play_fails_in_the_act_that_broke(self, log: list[Entry], how: str) -> None:
        breaking, act = BROKEN_PLAYS[how]
        assert act in ACTS
        assert act in verdicts(breaking(log))

    async def test_every_act_fails_on_an_empty_stage(self) -> None:
        assert verdicts([]) == set(ACTS)
        assert not passed(judge(Play([], ROSTER, ())))

    @pytest.mark.parametrize(
        "text",
        [
            "@Watcher [REPORT] ACT 학습 진행.",
            "Watcher-Claw, 학습 진행중이야.",
            "[REPORT] ACT 학습 진행.",
            f"`{WATCHER}` [REPORT] ACT 학습 진행.",
            f"{WATCHER} {EVALUATION} [REPORT] ACT 학습 진행.",
            f"{WATCHER} @everyone [REPORT] ACT 학습 진행.",
            f"{WATCHER} [HANDOFF] ACT 학습 완료.",
            f"{WATCHER} <@1477000000000000000> 안녕하세요",
        ],
    )
    async def test_a_wrong_mention_is_a_fault(self, log: list[Entry], text: str) -> None:
        server = DiscordServer(Guild(cast_of(ROSTER)))
        await server.say(ROSTER.training, text)
        assert mention_faults(server.record.entries[0], ROSTER, (OPERATOR_ID,))
        assert "Every message reaches whom it must" in verdicts([*log, server.record.entries[0]])

    async def test_a_right_mention_is_none(self) -> None:
        server = DiscordServer(Guild(cast_of(ROSTER)))
        await server.say(ROSTER.training, f"{WATCHER} [REPORT] ACT 학습 진행. Epoch: 150/500, Loss: 0.0234")
        assert mention_faults(server.record.entries[0], ROSTER, ()) == []


class TestWhatIsKept:
    async def test_a_transcript_can_be_judged_again(
        self, tmp_path: Path, read_transcript: Callable[[Path], list[Entry]]
    ) -> None:
        server = await performed()
        server.record.save(tmp_path / "talk.jsonl")
        assert read_transcript(tmp_path / "talk.jsonl") == server.record.entries

    def test_the_numbers_survive_being_said(self) -> None:
        assert read_numbers(worded(GOOD)) == GOOD

"""Lessons against each other: what contradicts is asked, an order stands above what we made of a lesson."""

import pytest

from bot.core.events import LessonsFile
from bot.core.moves import now
from protocol.messages import Approval, Lesson, Lessons, Rejection
from protocol.text import parse

RIDDLES = tuple(Lesson(category="학습", text=text) for text in ("지난번처럼 하면 안 됨", "무언가 이상함"))
OOM = Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생")


def order(remedy: str, text: str = "수렴이 느림") -> Lesson:
    return Lesson(category="학습", text=text, remedy=remedy)


@pytest.fixture
def judged(play):
    """A cycle whose terms were read, without lessons so far."""
    play.watcher_hands_over()
    play.terms_are_read()
    return play


def hears(play, *lessons: Lesson) -> None:
    play.says(play.watcher, Lessons(lessons=lessons))


def hints(play, *lessons: Lesson) -> None:
    play.watcher_hands_over()
    play.terms_are_read(None, LessonsFile(name="lessons/cycle00.md", lessons=lessons))


def statuses(play) -> list[str]:
    return [entry.status for entry in play.cycle.terms.ledger]


def training(play):
    return play.cycle.terms.config.training


class TestOrders:
    def test_one_that_leans_on_an_open_proposal_waits_with_it(self, play) -> None:
        hints(play, order("chunk_size=40", "멀리 보기"))
        hears(play, order("n_action_steps=40", "오래 따르기"))
        assert statuses(play) == ["proposed", "proposed"]
        play.says(play.watcher, Approval())
        policy = play.cycle.terms.config.policy
        assert (policy.chunk_size, policy.n_action_steps) == (40, 40)

    def test_the_same_trouble_with_another_remedy_is_another_order(self, judged) -> None:
        hears(judged, order("lr=5e-5"))
        hears(judged, order("lr=2e-5"))
        assert training(judged).lr == 2e-5
        hears(judged, order("lr=2e-5"))
        assert len(statuses(judged)) == 2, "said again"

    def test_two_in_one_breath_that_contradict_are_both_asked_about(self, judged) -> None:
        hears(judged, order("lr=5e-5", "느림"), order("lr=1e-5", "튐"))
        assert statuses(judged) == ["unclear", "unclear"]
        assert training(judged).lr == 1e-4
        first, second = judged.posted("question")
        assert "lr 5e-5 ↔ 1e-5 (튐)" in first.question
        assert "lr 1e-5 ↔ 5e-5 (느림)" in second.question

    def test_a_later_one_stands_above_an_earlier_one(self, judged) -> None:
        hears(judged, order("lr=5e-5", "느림"))
        hears(judged, order("lr=1e-5", "튐"))
        assert statuses(judged) == ["rejected", "applied"]
        assert judged.cycle.terms.ledger[0].note == "Watcher 지시로 대체: lr 1e-5"
        assert training(judged).lr == 1e-5

    def test_of_an_earlier_one_what_is_not_contradicted_stays(self, judged) -> None:
        hears(judged, order("batch_size=32, gradient_accumulation=2", "메모리"))
        hears(judged, order("batch_size=16", "아직도"))
        assert statuses(judged) == ["applied", "applied"]
        assert judged.cycle.terms.ledger[0].note == "gradient_accumulation 2 (그 밖은 이후 지시로 대체)"
        assert (training(judged).batch_size, training(judged).gradient_accumulation) == (16, 2)

    def test_what_we_inferred_gives_way(self, judged) -> None:
        hears(judged, OOM)
        assert judged.cycle.proposal
        hears(judged, order("batch_size=16", "메모리"))
        assert judged.cycle.proposal is None
        assert statuses(judged) == ["rejected", "applied"]
        assert (training(judged).batch_size, training(judged).gradient_accumulation) == (16, 1)

    def test_the_same_value_said_exactly_need_not_be_approved(self, judged) -> None:
        hears(judged, OOM)
        hears(judged, order("batch_size=32, gradient_accumulation=2", "메모리"))
        assert judged.cycle.proposal is None
        assert statuses(judged) == ["satisfied", "applied"]

    def test_other_lines_stay_open(self, judged) -> None:
        hears(judged, OOM)
        hears(judged, order("seed=7", "우연"))
        assert statuses(judged) == ["proposed", "applied"]


class TestWhatWasAskedBack:
    def test_is_answered_by_the_remedy_that_the_question_asks_for(self, judged) -> None:
        hears(judged, RIDDLES[0])
        (asked,) = judged.posted("question")
        judged.says(judged.watcher, parse("→ 적용: seed=7"))
        assert "→ 적용: " in asked.how_to_answer
        assert statuses(judged) == ["satisfied", "applied"]
        assert judged.cycle.terms.ledger[0].note == "Watcher 지시로 반영: seed 7"

    def test_or_by_the_lesson_said_again_with_one(self, judged) -> None:
        hears(
            judged,
            *(Lesson(category="학습", text=text) for text in ("지난번처럼 하면 안 됨", "무언가 이상함")),
        )
        hears(judged, order("seed=7", "무언가 이상함"))
        assert statuses(judged) == ["unclear", "satisfied", "applied"]

    def test_stays_open_where_it_is_not_said_which_of_two_is_meant(self, judged) -> None:
        hears(
            judged,
            *(Lesson(category="학습", text=text) for text in ("지난번처럼 하면 안 됨", "무언가 이상함")),
        )
        judged.says(judged.watcher, parse("→ 적용: seed=7"))
        assert statuses(judged) == ["unclear", "unclear", "applied"]


class TestHints:
    def test_two_that_contradict_are_asked_about(self, play) -> None:
        hints(play, order("lr=5e-5", "느림"), order("lr=1e-5", "튐"))
        assert statuses(play) == ["unclear", "unclear"]
        assert play.cycle.proposal is None

    def test_one_against_an_order_is_asked_about(self, judged) -> None:
        hears(judged, order("lr=5e-5", "느림"))
        hears(judged, Lesson(category="학습", text="lr을 10배 낮춰 주세요"))
        assert statuses(judged) == ["applied", "unclear"]
        assert judged.cycle.terms.ledger[1].note == "다른 레슨런과 충돌: lr 1e-5 ↔ 5e-5 (느림)"

    def test_one_that_an_order_took_care_of_is_satisfied(self, judged) -> None:
        hears(judged, order("lr=5e-5", "느림"))
        hears(judged, Lesson(category="학습", text="loss가 발산함"))
        assert statuses(judged) == ["applied", "satisfied"]

    def test_those_of_one_mind_are_one_line_that_names_them_all(self, play) -> None:
        hints(play, OOM, order("lr=5e-5", "튐"), Lesson(category="학습", text="GPU OOM"))
        assert statuses(play) == ["proposed"] * 3
        first, second = play.posted("proposal")[-1].lines
        assert first.lesson == f"{OOM.text} / GPU OOM"
        assert second.lesson == "튐"

    def test_a_yes_to_it_is_said_of_each(self, play) -> None:
        hints(play, OOM, Lesson(category="학습", text="GPU OOM"))
        play.says(play.watcher, Approval())
        assert statuses(play) == ["applied", "satisfied"]
        assert play.cycle.terms.ledger[1].note.startswith("함께 반영: batch_size 32로 축소")
        assert training(play).batch_size == 32

    def test_a_no_to_it_is_a_no_to_each(self, judged) -> None:
        hears(judged, OOM)
        hears(judged, Lesson(category="학습", text="GPU OOM"))
        judged.says(judged.watcher, Rejection(items=(1,), reason="메모리는 충분함"))
        assert statuses(judged) == ["rejected", "rejected"]
        assert [entry.note for entry in judged.cycle.terms.ledger] == ["메모리는 충분함"] * 2
        assert judged.cycle.proposal is None

    def test_of_a_proposal_that_still_has_a_line_for_each_the_first_decides(self, judged) -> None:
        """As an earlier version saved it."""
        hears(judged, OOM)
        hears(judged, Lesson(category="학습", text="GPU OOM"))
        proposal = judged.cycle.proposal
        lines = (*proposal.lines, now(proposal.lines[0], number=2, entry=1))
        judged.state = now(judged.state, cycle=now(judged.cycle, proposal=now(proposal, lines=lines)))
        judged.says(judged.watcher, Approval(items=(1,), rejected=(2,)))
        assert statuses(judged) == ["applied", "satisfied"]

    def test_episodes_of_several_lessons_gather_and_a_rejected_one_stays_in(self, play) -> None:
        out = [Lesson(category="데이터", text=f"episode_{n:03} 제외") for n in (17, 20)]
        hints(play, *out)
        play.says(play.watcher, Approval(items=(2,), rejected=(1,)))
        assert play.cycle.terms.config.dataset.exclude_episodes == ("episode_020",)

    def test_a_line_that_leans_on_a_rejected_one_is_asked_about(self, play) -> None:
        hints(play, order("chunk_size=40", "멀리"), order("n_action_steps=40", "오래"))
        play.says(play.watcher, Approval(items=(2,), rejected=(1,)))
        assert statuses(play) == ["rejected", "unclear"]
        assert play.cycle.terms.config.policy.n_action_steps == 20
        assert "n_action_steps 40" in play.posted("question")[-1].question

    def test_nor_does_it_stay_open_alone(self, play) -> None:
        hints(play, order("chunk_size=40", "멀리"), order("n_action_steps=40", "오래"))
        play.says(play.watcher, Rejection(items=(1,)))
        assert statuses(play) == ["rejected", "unclear"]
        assert play.cycle.proposal is None


class TestWhatItMeans:
    def test_a_proposal_says_what_it_comes_to(self, judged) -> None:
        hears(judged, OOM)
        notes = judged.posted("proposal")[-1].notes
        assert notes[0] == "step당 샘플: 64 → 64 (batch 32 × accumulation 2)"
        assert "계산 중" in notes[1]

    def test_steps_are_counted_once_the_data_is_known(self, judged) -> None:
        hears(judged, OOM)
        judged.developer_hands_over()
        judged.data_is_admitted()
        hears(judged, Lesson(category="학습", text="gradient_accumulation을 두 배로"))
        hears(judged, Lesson(category="학습", text="epochs를 두 배로"))
        assert judged.posted("proposal")[-1].notes[1] == "epoch당 step: 399 → 399 (전체 399,000)"


class TestALineKeepsItsNumber:
    def test_when_another_one_is_decided(self, play) -> None:
        hints(play, OOM, order("lr=5e-5", "느림"))
        play.says(play.watcher, Approval(items=(1,)))
        assert play.posted("receipt")[-1].understood == ("제안에 대한 답 접수: 1번 승인",)
        assert [line.number for line in play.posted("proposal")[-1].lines] == [2]

    def test_so_the_same_word_said_again_approves_nothing_else(self, play) -> None:
        hints(play, OOM, order("lr=5e-5", "느림"))
        play.says(play.watcher, Approval(items=(1,)))
        play.says(play.watcher, Approval(items=(1,)))
        assert statuses(play) == ["applied", "proposed"]
        assert "기다리는 것은 2번입니다" in play.posted("question")[-1].question

    def test_and_what_is_proposed_later_has_one_of_its_own(self, play) -> None:
        hints(play, OOM, order("lr=5e-5", "느림"))
        play.says(play.watcher, Approval(items=(1,)))
        hears(play, Lesson(category="학습", text="다른 seed로 재학습"))
        assert [line.number for line in play.cycle.proposal.lines] == [2, 3]

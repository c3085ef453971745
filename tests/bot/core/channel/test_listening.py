"""A message is acted on once its author has fallen quiet; what comes later is asked about."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.channel import listening
from bot.core.events import DaemonWoke, Edited, Spoke, Ticked
from bot.core.policy import Policy
from bot.core.rhythm.ticks import wake_at
from bot.core.state import State
from protocol import render
from protocol.messages import Question

OPERATOR = 300000000000000001
LESSON = "[LESSON]\n- [학습] 수렴이 느림"


class Channel:
    """Somebody speaks to a play's core. Messages get rising ids and are said when they are heard."""

    def __init__(self, play) -> None:
        self.play = play
        self.last = 0

    def hears(
        self, text: str, author: int | None = None, *, addressed: bool = True, after_s: float = 0.5
    ) -> int:
        self.last += 1
        at = self.play.later(after_s)
        self.play.happened(
            Spoke(
                at=at,
                author=author or self.play.watcher,
                message_id=self.last,
                text=text,
                said_at=at,
                addressed=addressed,
            )
        )
        return self.last

    def sees_edited(self, message_id: int, text: str, after_s: float = 0.5) -> None:
        author = self.play.watcher
        self.play.happened(
            Edited(at=self.play.later(after_s), author=author, message_id=message_id, text=text)
        )

    def falls_quiet(self, seconds: float = 3) -> None:
        self.play.happened(Ticked(at=self.play.later(seconds)))


@pytest.fixture
def channel(play) -> Channel:
    return Channel(play)


class TestAMessage:
    def test_waits_for_its_author_to_fall_quiet(self, play, channel) -> None:
        channel.hears(LESSON)
        channel.falls_quiet(1)
        assert play.kinds() == []
        assert wake_at(play.state, play.policy) == play.state.open_messages[0].due_at
        channel.falls_quiet()
        assert play.kinds() == ["receipt"]
        assert wake_at(play.state, play.policy) is None

    def test_goes_on_in_what_the_same_author_says_to_nobody(self, play, channel) -> None:
        channel.hears("[LESSON]\n- [학습] 첫째")
        channel.hears("- [학습] 둘째", addressed=False)
        channel.hears("- [학습] 셋째", play.developer, addressed=False)
        channel.falls_quiet()
        (receipt,) = play.posted("receipt")
        assert [line.removeprefix("레슨런: ") for line in receipt.understood] == ["첫째", "둘째"]

    def test_cut_anywhere_at_full_length_is_one_text_and_waited_for_longer(self, play, channel) -> None:
        text = "[LESSON]\n- [학습] " + "가" * 2500
        channel.hears(text[:2000])
        channel.hears(text[2000:], addressed=False, after_s=5)
        channel.falls_quiet()
        (receipt,) = play.posted("receipt")
        assert receipt.understood == ("레슨런: " + "가" * 2500,)

    def test_counts_as_it_reads_when_its_author_falls_quiet(self, play, channel) -> None:
        number = channel.hears("[LESSON]\n- [학습] 수렴")
        channel.sees_edited(number, LESSON)
        due_at = play.state.open_messages[0].due_at
        channel.sees_edited(number, LESSON)
        assert play.state.open_messages[0].due_at == due_at, "nothing was edited"
        channel.falls_quiet()
        assert play.posted("receipt")[0].understood == ("레슨런: 수렴이 느림",)

    def test_edited_for_ever_is_acted_on_all_the_same(self, play, channel) -> None:
        number = channel.hears(LESSON)
        for n in range(60):
            channel.sees_edited(number, f"{LESSON} {n}")
        channel.falls_quiet(0)
        assert "receipt" in play.kinds()

    def test_heard_a_second_time_changes_nothing(self, play, channel) -> None:
        channel.hears(LESSON)
        state = play.state
        channel.last -= 1
        channel.hears(LESSON)
        assert play.state == state

    def test_ends_where_the_next_one_begins(self, play, channel) -> None:
        channel.hears(LESSON)
        channel.hears("[HANDOFF] Cycle 3")
        assert play.kinds() == ["receipt"]
        channel.falls_quiet()
        assert play.state.cycle.number == 3

    def test_of_two_authors_is_acted_on_in_the_order_of_falling_quiet(self, play, channel) -> None:
        channel.hears("[LESSON]\n- [학습] 하나")
        channel.hears("상태 알려 주세요", play.developer)
        channel.hears("- [학습] 둘", addressed=False)
        channel.falls_quiet()
        assert [message.to for message in play.posted()] == [(play.developer,), (play.watcher,)]

    def test_of_a_person_is_answered_at_once(self, play, channel) -> None:
        channel.hears("!status", OPERATOR)
        assert play.kinds() == ["answer"]

    def test_survives_a_restart_and_waits_for_what_was_said_meanwhile(self, play, channel) -> None:
        channel.hears("[LESSON]\n- [학습] 첫째")
        play.state = State.model_validate_json(play.state.model_dump_json())
        play.happened(DaemonWoke(at=play.later(1), house="h1"))
        channel.falls_quiet(3)
        assert play.kinds() == []
        channel.hears("- [학습] 둘째", addressed=False, after_s=-3)
        channel.falls_quiet(listening.CATCH_UP_S)
        assert len(play.posted("receipt")[0].understood) == 2

    def test_is_acted_on_though_we_are_restarted_every_few_seconds(self, play, channel) -> None:
        channel.hears(LESSON)
        for _ in range(listening.MOST_RESTARTS):
            play.happened(DaemonWoke(at=play.later(3), house="h1"))
            channel.falls_quiet(1)
            assert play.kinds() == []
        play.happened(DaemonWoke(at=play.later(3), house="h1"))
        channel.falls_quiet(1)
        assert play.kinds() == ["receipt"]

    def test_not_understood_is_asked_about(self, play, channel) -> None:
        channel.hears("[LESSON]")
        channel.falls_quiet()
        assert play.kinds() == ["question"]

    def test_of_our_own_words_is_not_answered(self, play, channel) -> None:
        (ours,) = render(Question(to=(play.developer,), question="왜?", how_to_answer="이렇게", ref="ab-1"))
        channel.hears(ours, play.developer)
        channel.hears("!status", OPERATOR)
        channel.falls_quiet()
        assert play.kinds() == ["answer"]


class TestTooLate:
    def test_an_edit_that_changes_the_meaning_is_asked_about_once(self, play, channel) -> None:
        number = channel.hears(LESSON)
        channel.falls_quiet()
        for _ in range(2):
            channel.sees_edited(number, "[LESSON]\n- [학습] 다른 것", after_s=60)
        assert play.kinds() == ["receipt", "question"]

    def test_an_edit_that_means_the_same_is_not(self, play, channel) -> None:
        number = channel.hears(LESSON)
        channel.falls_quiet()
        channel.sees_edited(number, LESSON)
        channel.sees_edited(number, f"{LESSON}  ")
        assert play.kinds() == ["receipt"]

    def test_an_edit_of_a_part_is(self, play, channel) -> None:
        channel.hears(LESSON)
        second = channel.hears("- [학습] 둘째", addressed=False)
        channel.falls_quiet()
        channel.sees_edited(second, "- [학습] 셋째")
        assert play.kinds() == ["receipt", "question"]

    def test_an_edit_of_what_we_never_heard_means_nothing(self, play, channel) -> None:
        channel.hears(LESSON, play.developer)
        channel.sees_edited(1, "of another author")
        channel.sees_edited(99, LESSON)
        channel.falls_quiet()
        channel.sees_edited(1, "of another author")
        assert len(play.posted()) == 1

    def test_a_continuation_is_asked_about(self, play, channel) -> None:
        channel.hears(LESSON)
        channel.falls_quiet(3)
        assert listening.goes_on(play.state, play.watcher, play.at - timedelta(seconds=2), play.policy)
        assert not listening.goes_on(play.state, play.developer, play.at - timedelta(seconds=2), play.policy)
        channel.hears("- [학습] 둘째", addressed=False, after_s=-1)
        assert play.kinds() == ["receipt", "question"]

    def test_a_continuation_that_never_ends_is_not_remembered_for_ever(self, play, channel) -> None:
        channel.hears(LESSON)
        channel.falls_quiet(3)
        last = channel.hears("to somebody else", addressed=False, after_s=-1)
        for _ in range(3 * listening.MOST_PRINTS):
            last = channel.hears("to somebody else", addressed=False, after_s=1)
        (acted,) = play.state.acted_on
        assert acted.last.id == last
        assert len(acted.prints) == listening.MOST_PRINTS
        assert 1 in acted.prints, "an edit of what we acted on is noticed still"

    def test_words_to_nobody_after_a_pause_mean_nothing(self, play, channel) -> None:
        channel.hears(LESSON)
        channel.hears("- [학습] 둘째", addressed=False, after_s=20)
        channel.falls_quiet()
        channel.hears("- [학습] 셋째", addressed=False, after_s=20)
        assert play.kinds() == ["receipt"]
        assert len(play.posted("receipt")[0].understood) == 1


moves = st.lists(
    st.one_of(
        st.tuples(st.just("says"), st.integers(0, 9), st.floats(0, 4)),
        st.tuples(st.just("goes on"), st.integers(0, 9), st.floats(0, 4)),
        st.tuples(st.just("edits"), st.integers(1, 9), st.floats(0, 4)),
        st.tuples(st.just("quiet"), st.integers(0, 9), st.floats(0, 9)),
        st.tuples(st.just("restart"), st.integers(0, 9), st.floats(0, 4)),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(script=moves)
def test_every_message_is_acted_on_once_and_never_before_its_quiet_time(stage_class, script) -> None:
    play = stage_class(Policy(answers_a_minute=1000))
    channel = Channel(play)
    addressed: list[int] = []
    for name, value, after_s in script:
        match name:
            case "says":
                addressed.append(channel.hears(f"[LESSON]\n- [학습] 표시 {value}", after_s=after_s))
            case "goes on":
                channel.hears(f"- [학습] 더 {value}", addressed=False, after_s=after_s)
            case "edits":
                channel.sees_edited(value, f"[LESSON]\n- [학습] 다시 {value}", after_s=after_s)
            case "quiet":
                channel.falls_quiet(after_s)
            case _:
                play.state = State.model_validate_json(play.state.model_dump_json())
                play.happened(DaemonWoke(at=play.later(after_s), house="h1"))
        assert all(one.due_at >= one.since for one in play.state.open_messages)
        assert len(play.state.acted_on) <= listening.REMEMBERED
        wanted = wake_at(play.state, play.policy)
        assert (wanted is None) == (not play.state.open_messages)
    channel.falls_quiet(60)
    assert play.state.open_messages == ()
    assert len(play.posted("receipt")) == len(addressed)

"""Somebody is not who the roster says: told once, shown, and never put right by ourselves."""

from typing import Literal

import pytest

from bot.core.channel import sightings
from bot.core.channel.sightings import Seen
from bot.core.events import DaemonWoke, Sighted
from bot.core.policy import Policy
from bot.core.showing import people
from bot.core.state import Sighting
from protocol.roster import Peer, Roster

ROSTER = Roster()
OPERATOR = 300000000000000001
STRANGER = 1499999999999999999
POLICY = Policy(operators=(OPERATOR,))


def said(author: int, text: str, *names: str) -> list[tuple[str, Peer | None, int]]:
    seen = Seen(author=author, names=frozenset(names), text=text, message_id=5)
    return [(one.why, one.peer, one.user_id) for one in sightings.contradictions(seen, POLICY)]


def by_developer(text: str) -> list[tuple[str, Peer | None, int]]:
    return said(ROSTER.developer, text, "Developer-Claw")


class TestAName:
    @pytest.mark.parametrize(
        "name",
        [
            "Watcher",
            "Watcher-Claw",
            "watcher_claw",
            "WATCHER CLAW",
            "Ｗａｔｃｈｅｒ",
            "Wat\u200bcher",
            "W\u0430tcher",
            "Watcher Bot",
            "Watcher봇",
        ],
    )
    def test_that_speaks_from_another_id_is_told(self, name: str) -> None:
        assert said(STRANGER, "hi", name) == [("name", Peer.WATCHER, STRANGER)]

    def test_is_looked_for_among_all_that_an_account_goes_by(self) -> None:
        assert said(STRANGER, "hi", "bob", "Tra1ning-Claw") == [("name", Peer.TRAINING, STRANGER)]

    def test_of_one_peer_from_the_id_of_another_is_told(self) -> None:
        found = said(ROSTER.developer, "hi", "Domain Expert")
        assert found == [("name", Peer.DOMAIN_EXPERT, ROSTER.developer)]

    @pytest.mark.parametrize("name", ["", "Bob", "Watchers", "Watcher fan", "night-watcher", "Train", "claw"])
    def test_that_is_no_peer_s_is_nothing(self, name: str) -> None:
        assert said(STRANGER, "hi", name) == []

    def test_of_its_own_is_nothing(self) -> None:
        assert said(ROSTER.watcher, "hi", "Watcher-Claw") == []

    def test_of_an_operator_is_his_own_affair(self) -> None:
        assert said(OPERATOR, "hi", "Developer") == []


class TestAnIdForARole:
    @pytest.mark.parametrize(
        "text",
        [
            f"@Evaluation <@{STRANGER}> checkpoint 확인해 주세요",
            f"@Evaluation-Claw <@!{STRANGER}>",
            f"Evaluation: <@{STRANGER}>",
            f"- **Evaluation**: `<@{STRANGER}>`",
            f"명부: Watcher: <@{ROSTER.watcher}>, Evaluation: <@{STRANGER}>",
            f"담당은 Evaluation(<@{STRANGER}>)입니다",
            f"| Evaluation | <@{STRANGER}> |",
        ],
    )
    def test_another_than_ours_is_told(self, text: str) -> None:
        assert by_developer(text) == [("use", Peer.EVALUATION, STRANGER)]

    def test_of_another_peer_is_told_where_nothing_else_can_be_meant(self) -> None:
        swapped = [("use", Peer.EVALUATION, ROSTER.watcher)]
        assert by_developer(f"Evaluation: <@{ROSTER.watcher}>") == swapped
        assert by_developer(f"Evaluation (<@{ROSTER.watcher}>)") == swapped

    @pytest.mark.parametrize(
        ("text", "whose"),
        [
            (f"<@{STRANGER}> [HANDOFF] Cycle 7 데이터", None),
            (f"<@{STRANGER}> <@{STRANGER + 1}> [HANDOFF] Cycle 7", None),
            (f"<@{STRANGER}> [REPORT] 시뮬레이션 진행", Peer.WATCHER),
            (f"<@{STRANGER}>\n**[BLOCKED]** 데이터 없음", Peer.WATCHER),
        ],
    )
    def test_what_only_peers_are_sent_tells_by_itself(self, text: str, whose: Peer | None) -> None:
        assert by_developer(text)[0] == ("use", whose, STRANGER)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "점심 먹었나요?",
            f"<@{STRANGER}> 안녕하세요",
            f"<@{STRANGER}> [질문] 언제 끝나나요?",
            f"<@{OPERATOR}> [REPORT] 진행 중",
            f"<@{ROSTER.watcher}> <@{STRANGER}> [REPORT] 진행 중",
            f"[REPORT] 진행 중 <@{STRANGER}>",
            f"Evaluation: <@{ROSTER.evaluation}>",
            f"Evaluation: <@{OPERATOR}>",
            f"Evaluation은 <@{STRANGER}> 님이 씁니다",
            f"@Developer <@{ROSTER.watcher}> 데이터 완료",
            f"| Developer | <@{ROSTER.watcher}> |",
            f"Developer: <@{ROSTER.watcher}>, 데이터 다 됐습니다",
            f"Developer: <@{STRANGER}> 데이터 다 됐습니다",
            f"> Evaluation: <@{STRANGER}>",
            f"Reevaluation: <@{STRANGER}>",
            "Evaluation: <@123>",
        ],
    )
    def test_all_else_is_talk(self, text: str) -> None:
        assert by_developer(text) == []

    def test_counts_only_where_a_peer_uses_it(self) -> None:
        text = f"<@{STRANGER}> [HANDOFF]\nEvaluation: <@{STRANGER}>"
        assert [said(author, text) for author in (STRANGER, OPERATOR, ROSTER.training)] == [[], [], []]

    def test_watcher_itself_reports_to_whom_it_will(self) -> None:
        assert said(ROSTER.watcher, f"<@{STRANGER}> [REPORT] Cycle 7") == []


IMPOSTOR = Sighting(why="name", peer=Peer.WATCHER, user_id=STRANGER, message_id=5)


class TestAFinding:
    def test_is_told_once_to_watcher_and_operators(self, play) -> None:
        again = IMPOSTOR.model_copy(update={"message_id": 6})
        for one in (IMPOSTOR, IMPOSTOR, again):
            play.happened(Sighted(at=play.later(), sightings=(one,)))
        (alert,) = play.posted()
        assert (alert.kind, alert.to) == ("alert", (play.watcher, *play.policy.operators))
        assert str(STRANGER) in alert.body
        assert "명부는 그대로" in alert.body

    @pytest.mark.parametrize(
        ("why", "peer", "words"),
        [
            ("name", Peer.WATCHER, f"Watcher의 이름으로 다른 계정 {STRANGER}이 말함"),
            ("use", Peer.EVALUATION, f"다른 계정 {STRANGER}을 Evaluation 역할로 씀"),
            ("use", None, f"명부에 없는 계정 {STRANGER}에게 HANDOFF를 보냄"),
        ],
    )
    def test_is_told_in_words(self, why: Literal["name", "use"], peer: Peer | None, words: str) -> None:
        assert words in people.sighted(Sighting(why=why, peer=peer, user_id=STRANGER, message_id=5))

    def test_is_shown_by_status_with_and_without_a_cycle(self, play) -> None:
        play.happened(Sighted(at=play.later(), sightings=(IMPOSTOR,)))
        play.operator_asks("status")
        assert str(STRANGER) in play.posted()[-1].body
        play.watcher_hands_over()
        play.operator_asks("status")
        assert str(STRANGER) in play.posted()[-1].body

    def test_of_many_the_newest_are_shown_and_the_others_counted(self, play) -> None:
        many = tuple(IMPOSTOR.model_copy(update={"user_id": STRANGER - n}) for n in range(70))
        play.happened(Sighted(at=play.later(), sightings=many))
        play.operator_asks("status")
        assert len(play.state.sightings) == sightings.REMEMBERED
        assert "그 밖에 59건" in play.posted()[-1].body

    def test_stands_until_the_roster_is_put_right_by_hand(self, play) -> None:
        other = IMPOSTOR.model_copy(update={"peer": None, "why": "use", "user_id": STRANGER - 1})
        play.happened(Sighted(at=play.later(), sightings=(IMPOSTOR, other)))
        play.happened(DaemonWoke(at=play.later(), house="h1"))
        assert play.state.sightings == (IMPOSTOR, other)
        play.policy = play.policy.model_copy(update={"roster": Roster(watcher=STRANGER)})
        play.happened(DaemonWoke(at=play.later(), house="h1"))
        assert play.state.sightings == (other,)

"""What an operator orders behind a `!`."""

from bot.core.effects import Post
from protocol.job import Failed
from protocol.messages import Lesson

LEFT = (50, 100)


def says(play, *words: str) -> str:
    return play.operator_asks(*words)[0].message.body


class TestGivingUpACheckpoint:
    """Its files here are gone, so it can never be uploaded, and its cycle would never come to its DONE."""

    def test_lets_its_cycle_come_to_its_end(self, training, trained) -> None:
        for epoch in LEFT:
            training.checkpoint_is_saved(epoch)
        training.checkpoint_is_published(100)
        training.trainer_says(training.saved("best", 100))
        training.job_ends(trained)
        training.best_is_published(100)
        assert "한 번 더" in says(training, "abandon", "50")
        assert training.ordered("hand_on") == []
        training.is_lost(50)
        assert len(training.ordered("hand_on")) == 1
        training.is_handed_on()
        assert training.posted("done")

    def test_is_told_to_watcher_with_what_is_damaged(self, training) -> None:
        training.checkpoint_is_saved(50)
        says(training, "abandon", "50")
        training.is_lost(50)
        told = training.posted("receipt")[-1]
        assert told.to == (training.watcher,)
        assert "epoch 50" in told.understood[0]
        assert "epoch_050/manifest.json" in told.understood[1]

    def test_that_turns_out_whole_is_safe_all_the_same(self, training) -> None:
        training.checkpoint_is_saved(50)
        says(training, "abandon", "50")
        assert "한 번 더 시도하는 중" in says(training, "checkpoints")
        training.checkpoint_is_published(50)
        assert "업로드됨" in says(training, "checkpoints")

    def test_leaves_it_in_the_list(self, training) -> None:
        training.checkpoint_is_saved(50)
        says(training, "abandon", "50")
        training.is_lost(50)
        assert "epoch 50: 포기함" in says(training, "checkpoints")
        assert "업로드 대기" not in says(training, "status")

    def test_needs_one_that_waits(self, training) -> None:
        assert "포기할 것이 없습니다" in says(training, "abandon", "50")
        for epoch in LEFT:
            training.checkpoint_is_saved(epoch)
        for words in ((), ("all",), ("150",)):
            assert "업로드를 기다리는 것: 50, 100. 예: `!abandon 50`" in says(training, "abandon", *words)
        training.checkpoint_is_published(50)
        assert "기다리는 것: 100." in says(training, "abandon", "50")

    def test_needs_a_cycle(self, play) -> None:
        effects = play.operator_asks("abandon", "50")
        assert all(isinstance(one, Post) for one in effects)
        assert play.state.cycle is None

    def test_that_is_announced_once_more_stays_given_up(self, training) -> None:
        training.checkpoint_is_saved(50)
        says(training, "abandon", "50")
        training.is_lost(50)
        assert training.checkpoint_is_saved(50) == ()


class TestGivingUpTheBest:
    """The one that the bucket has is the best then."""

    @staticmethod
    def with_one_in_the_bucket(training) -> None:
        training.trainer_says(training.saved("best", 90))
        training.checkpoint_is_saved(100)
        training.checkpoint_is_published(100)
        training.best_is_published(90)
        training.trainer_says(training.saved("best", 498))

    def test_hands_on_the_one_in_the_bucket_and_says_so(self, training, trained) -> None:
        self.with_one_in_the_bucket(training)
        training.job_ends(trained)
        assert "best를 한 번 더" in says(training, "abandon", "best")
        assert "best: epoch 498, 포기함 (한 번 더" in says(training, "checkpoints")
        assert training.ordered("hand_on") == []
        training.best_is_lost(498)
        assert "epoch 90의 best로" in training.posted("receipt")[-1].next_step
        assert "best: epoch 90, 업로드됨" in says(training, "checkpoints")
        assert len(training.ordered("hand_on")) == 1
        training.is_handed_on()
        notes = training.posted("final_handoff")[-1].notes
        assert "Best epoch: 90 (epoch 498의 best는 손상되어 포기)" in notes

    def test_that_turns_out_whole_is_the_best_all_the_same(self, training, trained) -> None:
        self.with_one_in_the_bucket(training)
        training.job_ends(trained)
        says(training, "abandon", "best")
        training.best_is_published(498)
        training.is_handed_on()
        assert "Best epoch: 498" in training.posted("final_handoff")[-1].notes

    def test_gives_way_to_a_better_one(self, training) -> None:
        self.with_one_in_the_bucket(training)
        says(training, "abandon", "best")
        training.trainer_says(training.saved("best", 499))
        training.best_is_lost(498)
        assert training.cycle.shelf.best.epoch == 499
        assert not training.cycle.shelf.best.given_up

    def test_needs_another_in_the_bucket(self, training) -> None:
        training.trainer_says(training.saved("best", 90))
        assert "best: epoch 90, 업로드 대기" in says(training, "checkpoints")
        assert "다른 best가 없어" in says(training, "abandon", "best")
        assert not training.cycle.shelf.best.given_up


class TestEndingACycle:
    """Nobody goes on with it, and others wait behind it."""

    SLOWER = Lesson(category="학습", text="수렴이 느림", remedy="lr=5e-5")

    def test_that_was_stopped_lets_the_next_one_begin(self, training) -> None:
        training.checkpoint_is_saved(50)
        training.checkpoint_is_published(50)
        training.operator_asks("stop")
        training.job_ends(Failed(failure="stopped", message="stopped"))
        training.developer_hands_over(cycle=2)
        told = training.posted("receipt")[-1].next_step
        assert told.startswith("대기열 1번째, Cycle 1이 끝나면 시작 (지금은 중지됨")
        assert "`!abandon cycle`" in told
        assert "대기열의 다음 cycle을 시작합니다" in says(training, "abandon", "cycle")
        (ended,) = training.posted("cycle_stopped")[1:]
        assert (ended.cycle, ended.epoch) == (1, 50)
        assert ended.checkpoint == "gs://ralphton-handoff/checkpoints/act_epoch_050/"
        assert training.cycle.number == 2
        assert training.posted("done") == []

    def test_that_never_trained_leaves_what_it_was_told_to_the_next(self, play) -> None:
        play.watcher_hands_over(self.SLOWER)
        assert "다음 HANDOFF를 기다립니다" in says(play, "abandon", "cycle")
        play.watcher_hands_over(cycle=2)
        play.terms_are_read()
        assert play.cycle.terms.config.training.lr == 5e-5
        play.developer_hands_over(cycle=3)
        assert "지금은 데이터 HANDOFF 대기 중" in play.posted("receipt")[-1].next_step
        says(play, "abandon", "cycle")
        assert play.cycle.number == 3
        play.terms_are_read()
        assert play.cycle.terms.config.training.lr == 5e-5, "judged, and still nobody's"

    def test_needs_one_that_stands_still(self, training) -> None:
        assert "아직 진행 중" in says(training, "abandon", "cycle")
        assert training.cycle.run.phase == "training"

    def test_needs_all_that_is_on_its_way_to_be_there_or_given_up(self, training) -> None:
        training.trainer_says(training.saved("best", 40))
        training.checkpoint_is_saved(50)
        training.operator_asks("stop")
        training.job_ends(Failed(failure="stopped", message="stopped"))
        assert "업로드를 기다리는 것: 50, best" in says(training, "abandon", "cycle")
        training.checkpoint_is_published(50)
        training.best_is_published(40)
        training.trainer_says(training.saved("best", 60))
        says(training, "abandon", "cycle")
        assert training.state.cycle is None, "a best that was never sent is missed by nobody"

    def test_needs_a_cycle(self, play) -> None:
        assert "열린 cycle이 없습니다" in says(play, "abandon", "cycle")

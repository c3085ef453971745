"""What an operator orders behind a `!`."""

from bot.core.effects import Post

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

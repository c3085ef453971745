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
            assert "epoch 50, 100입니다. 예: `!abandon 50`" in says(training, "abandon", *words)
        training.checkpoint_is_published(50)
        assert "epoch 100입니다" in says(training, "abandon", "50")

    def test_needs_a_cycle(self, play) -> None:
        effects = play.operator_asks("abandon", "50")
        assert all(isinstance(one, Post) for one in effects)
        assert play.state.cycle is None

    def test_that_is_announced_once_more_stays_given_up(self, training) -> None:
        training.checkpoint_is_saved(50)
        says(training, "abandon", "50")
        training.is_lost(50)
        assert training.checkpoint_is_saved(50) == ()

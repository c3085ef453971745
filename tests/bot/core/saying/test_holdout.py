"""Nothing is kept from training unless Watcher says so; in the first cycle it is told that it could be."""

from protocol.messages import Lesson

HOLD_OUT = Lesson(text="과적합이 의심됨\n→ 적용: holdout=0.1", category="학습")


def notes(play) -> str:
    return "\n".join(play.posted("start_report")[-1].notes)


def test_the_first_cycle_offers_to_hold_episodes_out_and_starts_all_the_same(training) -> None:
    assert "→ 적용: holdout=0.1" in notes(training)
    assert training.cycle.run.phase == "training"
    assert training.cycle.run.config.dataset.holdout == 0
    assert "proposal" not in training.kinds()


def test_it_is_offered_once(training, trained) -> None:
    training.job_ends(trained)
    training.is_handed_on()
    training.watcher_hands_over(cycle=2)
    training.developer_hands_over(episodes=85)
    training.terms_are_read()
    training.data_is_admitted()
    training.training_starts()
    assert len(training.posted("start_report")) == 2
    assert "holdout" not in notes(training)


def test_what_is_held_out_is_said_at_the_start(play) -> None:
    play.watcher_hands_over(HOLD_OUT)
    play.developer_hands_over(episodes=85)
    play.terms_are_read()
    play.data_is_admitted()
    play.training_starts(episodes=76, frames=22800)
    assert play.cycle.run.config.dataset.holdout == 0.1
    assert "학습에서 제외: 에피소드 9개" in notes(play)


def test_evaluation_hears_what_the_best_was_chosen_by(training, trained) -> None:
    training.trainer_says(training.saved("best", 50))
    training.checkpoint_is_saved(50)
    training.checkpoint_is_published(50)
    training.best_is_published(50)
    training.job_ends(trained.model_copy(update={"best_held_out_l1": 0.03125}))
    training.is_handed_on()
    (handoff,) = training.posted("final_handoff")
    assert "Best epoch: 498 (held-out L1 0.03125)" in handoff.notes

"""What a training says of itself while it runs: lines for `events.jsonl`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from protocol.progress import Counted, Found, Line, Memory, Started, Stepped
from trainer.learning import device as devices
from trainer.learning.feed import Waits
from trainer.learning.history import TrainerState
from trainer.learning.learner import Learner
from trainer.learning.pace import Pace
from trainer.process.attempt import now
from trainer.watching.lookout import News

TRIED_WITHIN_S = 1800.0
"""A compilation for two cores takes a good part of it."""


@dataclass(frozen=True)
class Voice:
    """Every line promises when the next one comes, from what steps and saves have taken so far."""

    say: Callable[[Line], None]
    pace: Pace
    device: torch.device
    waits: Waits

    def trying(self, done: int, total: int) -> None:
        """Which of the recipes is on trial: on a slow device each takes minutes."""
        self.say(Counted(at=now(), next_within_s=TRIED_WITHIN_S, done=done, total=total, unit="recipe"))

    def started(
        self, learner: Learner, state: TrainerState, came_from: Path | None, memory: Memory | None
    ) -> None:
        training = state.config.training
        self.say(
            Started(
                at=now(),
                next_within_s=self.pace.first_promise_s,
                device=devices.name(self.device),
                precision=learner.recipe.precision,
                parameters=sum(weight.numel() for weight in learner.policy.parameters()),
                episodes=state.episodes,
                frames=state.frames,
                steps_per_epoch=-(-state.frames // training.samples_per_step),
                epoch=state.epoch,
                epochs=training.epochs,
                resumed_from=came_from.name if came_from else None,
                recipe=learner.recipe.choices,
                memory=memory,
                versions=state.versions,
            )
        )

    def stepped(self, state: TrainerState) -> None:
        """In mid-epoch the means so far; right after an epoch's end, that epoch's."""
        history, training = state.history, state.config.training
        means = state.running.mean() if state.running.steps else history[-1]
        self.say(
            Stepped(
                at=now(),
                next_within_s=self.pace.promise_s,
                epoch=state.epoch,
                epochs=training.epochs,
                step=state.step,
                samples=state.samples,
                loss=means.loss,
                l1=means.l1,
                kl=means.kl,
                last_loss=history[-1].loss if history else None,
                first_loss=history[0].loss if history else None,
                best_loss=state.best.loss if state.best else None,
                best_epoch=state.best.epoch if state.best else None,
                l1_by_action=dict(zip(state.config.action_names, means.l1_by_action, strict=True)),
                held_out_l1=next((one.held_out_l1 for one in reversed(history) if one.held_out_l1), None),
                lr=training.lr,
                grad_norm=means.grad_norm,
                samples_per_s=self.pace.samples_per_s,
                waiting_share=self.pace.share(self.waits.total_s),
                gpu=devices.gauge(self.device),
                eta_s=self.pace.eta_s(state.samples_left),
            )
        )
        self.pace.said()

    def found(self, news: Mapping[str, News]) -> None:
        for fact, told in news.items():
            self.say(
                Found(
                    at=now(),
                    next_within_s=self.pace.promise_s,
                    fact=fact,
                    figures=told.figures,
                    picture=told.picture,
                )
            )

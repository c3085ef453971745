"""How the steps will be taken, settled before the first one: by which recipe, and whether they fit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from pydantic import ValidationError
from torch import Tensor

from protocol.folders import RunFolder
from protocol.job import TrainJob
from protocol.progress import Memory
from protocol.training import OptimisationConfig
from trainer.learning import device as devices
from trainer.learning import learn
from trainer.learning.feed import Feed
from trainer.learning.history import TrainerState
from trainer.learning.learn import StepMeans
from trainer.learning.learner import Learner
from trainer.learning.passes import pass_by
from trainer.learning.probing import probed
from trainer.learning.ranks import Ranks, TogetherStep
from trainer.learning.recipe import STOCK, Recipe
from trainer.learning.reference import Reference
from trainer.learning.tuning import NOBODY, Onlookers, tuned, usual
from trainer.process.attempt import JobError
from trainer.process.whole import replace_whole
from trainer.saving import folder, room
from trainer.saving.snapshot import bytes_of

type TakeStep = Callable[[Learner, Feed, Tensor, OptimisationConfig, int], StepMeans]


@dataclass(frozen=True)
class Settled:
    """What learns, by `learner.recipe`; how it takes a step; what a step takes, where that was tried."""

    learner: Learner
    take_step: TakeStep
    memory: Memory | None = None


def settle(
    learner: Learner,
    feed: Feed,
    state: TrainerState,
    job: TrainJob,
    ranks: Ranks,
    onlookers: Onlookers = NOBODY,
) -> Settled:
    """Settle it for a training that stands at `state`.

    Raises:
        JobError: out_of_memory, with the largest batch that fits; no_space; bad_job; what `onlookers` raise.
    """
    if ranks.leads and not state.is_done:
        run = RunFolder(job.run)
        needed = room.least_bytes(bytes_of(learner.policy.state_dict()))
        room.require(run.checkpoints, needed - folder.size_bytes(run.checkpoints), "training")
    if job.reference and ranks.world > 1:
        raise JobError("bad_job", "--reference: takes one process; start it without torchrun")
    if job.reference or state.is_done:
        as_lerobot = STOCK.but(device=devices.name(feed.device), precision=devices.precision(feed.device))
        return Settled(replace(learner, recipe=as_lerobot), Reference(state.step))
    if ranks.world > 1:  # all must go by the same one, and none may try what the others do not
        learner = learner.by(known(state, job, feed) or usual(feed.device))
        return Settled(learner, TogetherStep(learner, ranks))
    recipe = known(state, job, feed)
    learner = learner.by(recipe or usual(feed.device))
    memory = probed(learner, feed, job.config.training.batch_size, pass_by(learner.recipe))
    learner = learner.by(recipe or found(learner, feed, state, job, onlookers))
    return Settled(learner, partial(learn.step, one_pass=pass_by(learner.recipe)), memory)


def known(state: TrainerState, job: TrainJob, feed: Feed) -> Recipe | None:
    """The saved state's recipe, else the run's, if it was found on such a device."""
    try:
        kept = Recipe.model_validate_json(RunFolder(job.run).recipe.read_bytes())
    except (OSError, ValidationError):
        kept = STOCK
    device = devices.name(feed.device)
    return next((recipe for recipe in (state.recipe, kept) if recipe.device == device), None)


def found(learner: Learner, feed: Feed, state: TrainerState, job: TrainJob, onlookers: Onlookers) -> Recipe:
    """A recipe for the run, kept beside its saves: killed before its first one, it must begin anew alike."""
    passes_left = -(-state.samples_left // job.config.training.batch_size)
    recipe = tuned(learner, feed, job.config.training.batch_size, passes_left, onlookers)
    replace_whole(RunFolder(job.run).recipe, recipe.model_dump_json(indent=1).encode() + b"\n")
    return recipe

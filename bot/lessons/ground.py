"""What a lesson is weighed against."""

from dataclasses import dataclass

from protocol.training import TrainingConfig

CARD = TrainingConfig()


@dataclass(frozen=True, slots=True)
class Ground:
    """`config` as it would be without the lesson; `last` is the config of the cycle before, if there was one,
    `best` where its best checkpoint lies in the bucket.

    A lesson that names no number ("half the batch") tells of the run that was.
    """

    config: TrainingConfig = CARD
    last: TrainingConfig | None = None
    best: str = ""

    @property
    def told_of(self) -> TrainingConfig:
        return self.last or self.config

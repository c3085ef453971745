"""What is going on, in one line."""

from bot.core.events import Gauges
from bot.core.policy import Policy
from bot.core.showing import phases
from bot.core.showing.halted import halted
from bot.core.state import Cycle, State, Training


def headline(state: State, gauges: Gauges) -> str:
    """The same for all who look: the journal, systemd, the window."""
    cycle = state.cycle
    match cycle:
        case None:
            return "대기 중"
        case Cycle(run=Training() as training):
            epoch = gauges.stepped.epoch if gauges.stepped else training.epoch
            return f"학습 중, epoch {epoch}/{training.config.training.epochs}"
        case Cycle() if stands := halted(cycle):
            return stands
        case _:
            _, waiting_for, _, next_step = phases.waiting(cycle)
            return f"{waiting_for} → {next_step}"


def first_line(cycle: Cycle, state: State, gauges: Gauges, policy: Policy) -> str:
    """What waits for somebody comes before everything else."""
    stands = halted(cycle, policy.zone())
    return (
        f"{stands} (Cycle {cycle.number})" if stands else f"Cycle {cycle.number}: {headline(state, gauges)}"
    )

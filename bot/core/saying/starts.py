"""The data is admitted, the training has begun: what it learns from, with which config, on whose word."""

from bot.core.policy import Policy
from bot.core.saying.blocked import grouped
from bot.core.state import Admitted, Cycle, Judged, Settled
from protocol.messages import Receipt, StartReport
from protocol.progress import Started
from protocol.training import TrainingConfig, diff

UNWATCHED = "held-out 에피소드 없음: 과적합과 검증 정체는 감지할 수 없음"
HOLDOUT_OFFER = (
    "제안: 에피소드 10%를 검증용으로 남겨 best를 held-out L1로 선정 "
    "(원하시면 `→ 적용: holdout=0.1`, 학습은 그대로 진행)"
)
"""It changes what is trained on, so it is offered once, and never switched on by itself."""


def admitted(data: Admitted, policy: Policy) -> Receipt:
    warnings = grouped(data.warnings)
    return Receipt(
        to=(policy.roster.developer,),
        understood=(
            f"데이터 검증 통과: 에피소드 {data.episodes}개, {data.frames}프레임",
            f"데이터 인증: {data.certificate[:12]}",
            *(f"주의: {warning}" for warning in warnings),
        ),
        next_step="설정이 확정되는 대로 학습 시작",
    )


def started(cycle: Cycle, line: Started) -> StartReport:
    assert isinstance(cycle.data, Admitted), "nothing trains on unchecked data"
    terms = cycle.terms
    assert terms.phase != "unread", "nothing trains without terms"
    looked = f"확인: {', '.join(('HANDOFF', *terms.looked_at))}"
    return StartReport(
        cycle=cycle.number,
        episodes=cycle.data.episodes,
        frames=cycle.data.frames,
        changes=diff(TrainingConfig(), terms.config),
        versions={"장치": line.device, "정밀도": line.precision, **line.versions},
        now=line.at,
        eta=None,
        notes=(
            *_whose_word(terms),
            *(f"데이터 인증: {cycle.data.certificate[:12]}", f"config: {terms.config.hash}", looked),
            *_held_out(cycle, terms.config, cycle.data.episodes - line.episodes),
        ),
    )


def _whose_word(terms: Judged | Settled) -> tuple[str, ...]:
    """On whose word the config differs from the usual one."""
    different = [change.field for change in diff(TrainingConfig(), terms.config)]
    said = {change.field for entry in terms.ledger if entry.status == "applied" for change in entry.changes}
    planned = {*terms.from_plan} - said
    sources = {
        "PLAN.md": [field for field in different if field in planned],
        "레슨런·승인": [field for field in different if field in said],
        "봇 설정": [field for field in different if field not in said | planned],
    }
    told = "; ".join(f"{source} {', '.join(fields)}" for source, fields in sources.items() if fields)
    return (f"변경 근거: {told}",) if told else ()


def _held_out(cycle: Cycle, config: TrainingConfig, episodes: int) -> tuple[str, ...]:
    """How many episodes are kept from training; without any, what nobody can see, and at first the offer."""
    if config.dataset.holdout:
        return (f"검증용으로 학습에서 제외: 에피소드 {episodes}개 (best는 held-out L1 기준)",)
    return (UNWATCHED, HOLDOUT_OFFER) if cycle.last is None else (UNWATCHED,)

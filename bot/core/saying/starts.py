"""The data is admitted, the training has begun: what it learns from, with which config, on whose word."""

from bot.core.policy import Policy
from bot.core.saying.blocked import grouped
from bot.core.state import Admitted, Cycle, Judged, Settled
from protocol.messages import Question, Receipt, StartReport
from protocol.progress import Started
from protocol.training import TrainingConfig, diff

UNWATCHED = "held-out 에피소드 없음: 과적합과 검증 정체는 감지할 수 없음"
HOLDOUT_OFFER = (
    "제안: 에피소드 10%를 검증용으로 남겨 best를 held-out L1로 선정 "
    "(원하시면 `→ 적용: holdout=0.1`, 학습은 그대로 진행)"
)
"""It changes what is trained on, so it is offered once, and never switched on by itself."""


ASKED = 3
"""So many forms that nobody knows are shown: each episode may have its own, and all are in the receipt."""


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


def criteria_unknown(data: Admitted, policy: Policy) -> tuple[Question, ...]:
    """Whether an episode has reached what it was for cannot be told: it is trained on, and asked about."""
    unknown = grouped(tuple(one for one in data.warnings if one.check == "success_criteria"))
    if not unknown:
        return ()
    more = f" (외 {len(unknown) - ASKED}건)" if len(unknown) > ASKED else ""
    return (
        Question(
            to=(policy.roster.developer,),
            question=f"success_criteria를 충족한 에피소드입니까? {', '.join(unknown[:ASKED])}{more}",
            how_to_answer=(
                "충족했으면 그대로 학습하니 답하지 않아도 됩니다. 미충족 에피소드가 있으면 Watcher가 "
                "`[데이터] episode_023 제외`처럼 알려 주세요. 다음 데이터에는 metadata.json에 "
                '`"success_criteria": {"met": true}`처럼 적어 주세요.'
            ),
        ),
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

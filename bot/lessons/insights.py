"""What a fact of the run may teach: a table from the trainer's fact to the card's five lines."""

from collections.abc import Callable

from protocol.messages import LessonFound
from protocol.progress import Found

Figures = dict[str, float | int | str]
Insight = Callable[[Figures], LessonFound]


def insight(found: Found) -> LessonFound | None:
    """What Watcher is told about this fact; None for one there are no words for.

    A fact may name what it is about behind a colon: `channel_l1_high:steering`.
    """
    words = INSIGHTS.get(found.fact.partition(":")[0])
    return words(found.figures) if words else None


def channel_l1_high(figures: Figures) -> LessonFound:
    channel = figures["channel"]
    extremes = float(figures["extreme_share"])
    return LessonFound(
        category="학습",
        problem=f"{channel} 채널의 L1이 다른 채널 대비 {float(figures['ratio']):.1f}배 높음",
        cause=(
            f"{channel} 값 분포: 표준편차 {float(figures['std']):.3g}, "
            f"범위 {float(figures['min']):.2g}~{float(figures['max']):.2g}, 극단값 비율 {extremes:.1%}"
        ),
        remedy=f"{channel} 데이터의 다양성 보강 또는 해당 채널 가중치 상향 검토",
        scope="DomainExpert(시나리오 다양성), Developer(Expert Agent 행동 패턴)",
    )


def gradient_clipped(figures: Figures) -> LessonFound:
    return LessonFound(
        category="학습",
        problem=f"최근 epoch의 step {float(figures['clipped_share']):.0%}에서 gradient clipping 발생",
        cause=f"gradient norm {float(figures['grad_norm']):.3g}, 학습률이 높거나 이상치가 있음",
        remedy="lr 하향 또는 데이터 이상치 확인",
        scope="Training(lr), Developer(데이터)",
    )


def plateau(figures: Figures) -> LessonFound:
    return LessonFound(
        category="학습",
        problem=f"최근 {figures['epochs']} epoch 동안 loss 개선 없음",
        cause=f"최저 loss {float(figures['best_before']):.4g} → {float(figures['best_since']):.4g}",
        remedy="lr 조정, epoch 축소 또는 데이터 보강 검토",
        scope="Training(lr, epochs), DomainExpert(시나리오 다양성)",
    )


def diverging(figures: Figures) -> LessonFound:
    loss, best = float(figures["loss"]), float(figures["best"])
    return LessonFound(
        category="학습",
        problem=f"loss가 최저값의 {loss / max(best, 1e-12):.1f}배로 상승",
        cause=f"epoch {figures['best_epoch']}의 {best:.4g} 이후 발산 추세, 학습률이 높거나 이상치가 있음",
        remedy="lr 하향 또는 데이터 이상치 확인",
        scope="Training(lr), Developer(데이터)",
    )


def best_long_past(figures: Figures) -> LessonFound:
    past = int(figures["epoch"]) - int(figures["best_epoch"])
    return LessonFound(
        category="학습",
        problem=f"Best checkpoint가 {past} epoch 전 (epoch {figures['best_epoch']})",
        cause=f"최저 loss {float(figures['best']):.4g}, 최근 loss {float(figures['loss']):.4g}",
        remedy="epochs 축소 또는 lr 하향 검토",
        scope="Training(epochs, lr)",
    )


def loss_jump_after_resume(figures: Figures) -> LessonFound:
    return LessonFound(
        category="학습",
        problem=f"재개 후 loss 급등 (epoch {figures['epoch']}에서 재개)",
        cause=f"재개 전 {float(figures['before']):.4g} → 재개 후 {float(figures['after']):.4g}",
        remedy="이전 checkpoint에서 다시 재개하거나 저장 지점 검증",
        scope="Training(checkpoint)",
    )


INSIGHTS: dict[str, Insight] = {
    "channel_l1_high": channel_l1_high,
    "gradient_clipped": gradient_clipped,
    "plateau": plateau,
    "diverging": diverging,
    "best_long_past": best_long_past,
    "loss_jump_after_resume": loss_jump_after_resume,
}

"""What a fact of the run may teach: a table from the trainer's fact to the card's five lines."""

from collections.abc import Callable

from protocol.messages import Insight
from protocol.progress import Found

GIB = 2**30

Figures = dict[str, float | int | str]
InWords = Callable[[Figures], Insight]


def insight(found: Found) -> Insight | None:
    """What Watcher is told about this fact; None for one there are no words for.

    A fact may name what it is about behind a colon: `channel_l1_high:steering`.
    """
    words = INSIGHTS.get(found.fact.partition(":")[0])
    return words(found.figures) if words else None


def channel_l1_high(figures: Figures) -> Insight:
    channel = figures["channel"]
    extremes = float(figures["extreme_share"])
    return Insight(
        category="학습",
        problem=f"{channel} 채널의 L1이 다른 채널 대비 {float(figures['ratio']):.1f}배 높음",
        cause=(
            f"{channel} 값 분포: 표준편차 {float(figures['std']):.3g}, "
            f"범위 {float(figures['min']):.2g}~{float(figures['max']):.2g}, 극단값 비율 {extremes:.1%}"
        ),
        remedy=f"{channel} 데이터의 다양성 보강 또는 해당 채널 가중치 상향 검토",
        scope="DomainExpert(시나리오 다양성), Developer(Expert Agent 행동 패턴)",
    )


def gradient_clipped(figures: Figures) -> Insight:
    return Insight(
        category="학습",
        problem=f"최근 epoch의 step {float(figures['clipped_share']):.0%}에서 gradient clipping 발생",
        cause=f"gradient norm {float(figures['grad_norm']):.3g}, 학습률이 높거나 이상치가 있음",
        remedy="lr 하향 또는 데이터 이상치 확인",
        scope="Training(lr), Developer(데이터)",
    )


def plateau(figures: Figures) -> Insight:
    return Insight(
        category="학습",
        problem=f"최근 {figures['epochs']} epoch 동안 loss 개선 없음",
        cause=f"최저 loss {float(figures['best_before']):.4g} → {float(figures['best_since']):.4g}",
        remedy="lr 조정, epoch 축소 또는 데이터 보강 검토",
        scope="Training(lr, epochs), DomainExpert(시나리오 다양성)",
    )


def diverging(figures: Figures) -> Insight:
    loss, best = float(figures["loss"]), float(figures["best"])
    return Insight(
        category="학습",
        problem=f"loss가 최저값의 {loss / max(best, 1e-12):.1f}배로 상승",
        cause=f"epoch {figures['best_epoch']}의 {best:.4g} 이후 발산 추세, 학습률이 높거나 이상치가 있음",
        remedy="lr 하향 또는 데이터 이상치 확인",
        scope="Training(lr), Developer(데이터)",
    )


def best_long_past(figures: Figures) -> Insight:
    past = int(figures["epoch"]) - int(figures["best_epoch"])
    return Insight(
        category="학습",
        problem=f"Best checkpoint가 {past} epoch 전 (epoch {figures['best_epoch']})",
        cause=f"최저 loss {float(figures['best']):.4g}, 최근 loss {float(figures['loss']):.4g}",
        remedy="epochs 축소 또는 lr 하향 검토",
        scope="Training(epochs, lr)",
    )


def loss_jump_after_resume(figures: Figures) -> Insight:
    return Insight(
        category="학습",
        problem=f"재개 후 {figures.get('what', 'loss')} 급등 (epoch {figures['epoch']}에서 재개)",
        cause=f"재개 전 {float(figures['before']):.4g} → 재개 후 {float(figures['after']):.4g}",
        remedy="이전 checkpoint에서 다시 재개하거나 저장 지점 검증",
        scope="Training(checkpoint)",
    )


def thin_extremes(figures: Figures) -> Insight:
    channel = figures["channel"]
    return Insight(
        category="데이터",
        problem=f"{channel} 극단값 데이터가 {float(figures['rare_share']):.2%}뿐임",
        cause=(
            f"{channel} 값의 80%가 전체 범위({float(figures['min']):.2g}~{float(figures['max']):.2g})의 "
            f"{float(figures['support']):.0%} 구간에 집중"
        ),
        remedy=f"{channel} 극단 시나리오 보강 또는 해당 채널 가중치 상향 검토",
        scope="DomainExpert(시나리오 다양성), Developer(Expert Agent 행동 패턴)",
    )


def episode_l1_high(figures: Figures) -> Insight:
    episode = figures["episode"]
    return Insight(
        category="데이터",
        problem=f"{episode}의 L1이 다른 에피소드 대비 {float(figures['ratio']):.1f}배 높음",
        cause=(
            f"최근 {figures['epochs']} epoch 내내 {float(figures['l1']):.3g} "
            f"(중앙값 {float(figures['median']):.3g}), {_apart(figures)}"
        ),
        remedy=f"{episode} 확인 후 재생성 또는 제외 (→ 적용: exclude_episodes=[{episode}])",
        scope="Developer(데이터), Training(exclude_episodes)",
    )


def _apart(figures: Figures) -> str:
    """An older trainer, whose run goes on, does not compare pictures."""
    if "disagreement" not in figures:
        return "액션 라벨이나 영상이 다른 에피소드와 다를 수 있음"
    return f"비슷한 화면에서 다른 에피소드들의 액션과 평균 {float(figures['disagreement']):.1f} 표준편차 차이"


def overfitting(figures: Figures) -> Insight:
    return Insight(
        category="학습",
        problem=f"과적합: held-out L1 {float(figures['best']):.3g} → {float(figures['held_out']):.3g} 상승",
        cause=(
            f"epoch {figures['best_epoch']} 이후 학습 L1은 {float(figures['l1_then']):.3g} → "
            f"{float(figures['l1_now']):.3g}로 감소"
        ),
        remedy="epochs 축소, dropout 상향 또는 데이터 보강 검토",
        scope="Training(epochs, dropout), DomainExpert(시나리오 다양성)",
    )


def validation_frozen(figures: Figures) -> Insight:
    return Insight(
        category="학습",
        problem=f"held-out L1이 {figures['evaluations']}회 연속 {float(figures['held_out']):.4g}로 같음",
        cause="학습률이 지나치게 낮거나 held-out 평가가 학습 중인 가중치를 보지 않음",
        remedy="lr 확인, 다음 재개 시 held-out 평가 확인",
        scope="Training(lr, holdout)",
    )


def memory_growing(figures: Figures) -> Insight:
    hours = float(figures["full_in_s"]) / 3600
    used, total = float(figures["used_bytes"]) / GIB, float(figures["total_bytes"]) / GIB
    return Insight(
        category="학습",
        problem=f"GPU 메모리 증가 추세: 약 {hours:.1f}시간 뒤 OOM 예상",
        cause=f"{used:.1f}/{total:.0f}GB, 시간당 {float(figures['bytes_per_hour']) / GIB:.2f}GB 증가",
        remedy="다음 checkpoint에서 멈추고 재개하거나 batch_size 축소 (→ 적용: batch_size=…)",
        scope="Training(batch_size), 운영자(같은 GPU의 다른 프로세스)",
    )


def device_idle(figures: Figures) -> Insight:
    return Insight(
        category="학습",
        problem=f"GPU 사용률 {float(figures['busy_share']):.0%}",
        cause="step이 GPU가 아니라 다른 곳(CPU, 데이터 읽기)에서 기다림",
        remedy="batch_size 상향 또는 CPU 부하 확인",
        scope="Training(batch_size), 운영자(CPU)",
    )


def feed_starving(figures: Figures) -> Insight:
    return Insight(
        category="학습",
        problem=f"학습 시간의 {float(figures['waiting_share']):.0%}를 프레임을 기다리는 데 씀",
        cause="프레임이 GPU 메모리에 들어가지 않아 매 batch를 주 메모리에서 복사",
        remedy="image_size 축소 또는 GPU 메모리 확보",
        scope="Training(image_size), 운영자(메모리, 디스크)",
    )


INSIGHTS: dict[str, InWords] = {
    "channel_l1_high": channel_l1_high,
    "thin_extremes": thin_extremes,
    "episode_l1_high": episode_l1_high,
    "gradient_clipped": gradient_clipped,
    "plateau": plateau,
    "diverging": diverging,
    "overfitting": overfitting,
    "validation_frozen": validation_frozen,
    "best_long_past": best_long_past,
    "loss_jump_after_resume": loss_jump_after_resume,
    "memory_growing": memory_growing,
    "device_idle": device_idle,
    "feed_starving": feed_starving,
}

SEEN_IN_THE_CURVE = frozenset(
    {"plateau", "diverging", "overfitting", "best_long_past", "loss_jump_after_resume"}
)
"""Facts that the loss curve shows, where the trainer drew nothing of their own."""


def picture_of(found: Found) -> str | None:
    """The file of the run that helps to see it, by a name that `Post.show` knows."""
    if found.picture:
        return found.picture
    return "loss_curve" if found.fact in SEEN_IN_THE_CURVE else None

"""How far the work under way has come."""

from datetime import datetime

from bot.core.events import Gauges
from bot.core.state import Checking, CheckingAhead, Converting, Cycle, Starting, Training
from protocol.progress import Stepped

WAITING_FROM = 0.05


def notes(cycle: Cycle, gauges: Gauges) -> tuple[str, ...]:
    """How far the work under way has come, where it can be counted."""
    known: list[str] = []
    if isinstance(cycle.data, CheckingAhead | Checking | Converting) and gauges.counted:
        done, total, _ = gauges.counted
        known.append(f"진행: 에피소드 {done}/{total}")
    if isinstance(cycle.run, Starting) and gauges.counted:
        done, total, _ = gauges.counted
        known.append(f"준비: 가장 빠른 계산 방식을 찾는 중 ({done}/{total})")
    if gauges.transfer:
        name, done, total = gauges.transfer
        known.append(f"전송: {name} {done / 1e6:.0f}/{total / 1e6:.0f}MB")
    return tuple(known)


def training_lines(cycle: Cycle, gauges: Gauges, at: datetime) -> list[str]:
    stepped = gauges.stepped
    if not isinstance(cycle.run, Training) or stepped is None:
        return []
    loss = stepped.last_loss if stepped.last_loss is not None else stepped.loss
    first = f" (초기 {stepped.first_loss:.4g})" if stepped.first_loss is not None else ""
    best = f", best {stepped.best_loss:.4g} (epoch {stepped.best_epoch})" if stepped.best_loss else ""
    gpu = stepped.gpu
    memory = f"{gpu.used_bytes / 2**30:.1f}/{gpu.total_bytes / 2**30:.0f}GB" if gpu else "CPU"
    busy = f", 사용률 {gpu.busy_share:.0%}" if gpu and gpu.busy_share is not None else ""
    left = length(stepped.eta_s) if stepped.eta_s is not None else "계산 중"
    return [
        f"Loss: {loss:.4g}{first}{best}",
        f"GPU 메모리: {memory}{busy}, {stepped.samples_per_s:.0f} samples/s{_waiting(stepped)}",
        f"남은 시간: {left}",
        age_of(stepped, at),
    ]


def _waiting(stepped: Stepped) -> str:
    """Worth a word once a training is noticeably slower for it."""
    share = stepped.waiting_share or 0.0
    return f", 데이터 대기 {share:.0%}" if share >= WAITING_FROM else ""


def age_of(stepped: Stepped | None, at: datetime) -> str:
    """How old the newest step is: a report must not look more alive than the trainer."""
    if stepped is None:
        return "최근 step: 없음"
    age_s = max(0.0, (at - stepped.at).total_seconds())
    return f"최근 step: {stepped.step} ({length(age_s)} 전)"


def length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}시간 {minutes}분"
    return f"{minutes}분 {rest}초" if minutes else f"{rest}초"

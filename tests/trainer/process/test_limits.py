"""How much memory there is: what the machine has, unless a control group allows less."""

from pathlib import Path

import pytest

from trainer.process import memory

MEBI = 2**20


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with 1000 MiB, of which 600 are to be had; this process is in a service of a slice."""
    (tmp_path / "meminfo").write_text(
        "MemTotal:        1024000 kB\nMemFree:          102400 kB\nMemAvailable:     614400 kB\n"
    )
    (tmp_path / "cgroup").write_text("4:memory:/elsewhere\n0::/system.slice/training.service\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "OWN_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    return tmp_path


def limit(group: Path, most: str, current_mebi: int = 0, inactive_file_mebi: int = 0) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "memory.max").write_text(most + "\n")
    (group / "memory.current").write_text(f"{current_mebi * MEBI}\n")
    (group / "memory.stat").write_text(f"anon 1\ninactive_file {inactive_file_mebi * MEBI}\nactive_file 2\n")


def test_without_limits_it_is_the_machine_s(machine: Path) -> None:
    assert (memory.total_bytes(), memory.free_bytes()) == (1000 * MEBI, 600 * MEBI)
    limit(machine / "groups/system.slice/training.service", "max")
    assert (memory.total_bytes(), memory.free_bytes()) == (1000 * MEBI, 600 * MEBI)


def test_a_service_s_limit_counts_without_the_files_it_could_let_go(machine: Path) -> None:
    limit(machine / "groups/system.slice/training.service", f"{500 * MEBI}", 300, 100)
    assert (memory.total_bytes(), memory.free_bytes()) == (500 * MEBI, 300 * MEBI)


def test_the_tightest_group_decides(machine: Path) -> None:
    limit(machine / "groups/system.slice/training.service", f"{500 * MEBI}", 100)
    limit(machine / "groups/system.slice", f"{700 * MEBI}", 650)
    assert (memory.total_bytes(), memory.free_bytes()) == (500 * MEBI, 50 * MEBI)


def test_a_container_s_root_is_its_own_group(machine: Path) -> None:
    (machine / "cgroup").write_text("0::/\n")
    limit(machine / "groups", f"{400 * MEBI}", 100)
    assert (memory.total_bytes(), memory.free_bytes()) == (400 * MEBI, 300 * MEBI)


def test_a_kernel_without_control_groups_has_no_limits(machine: Path) -> None:
    (machine / "cgroup").unlink()
    assert memory.free_bytes() == 600 * MEBI

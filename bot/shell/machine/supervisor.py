"""What systemd is told: that we are ready, what we are doing, that we are alive.

The protocol is a few lines of NAME=value in one datagram to the socket named by NOTIFY_SOCKET; see
sd_notify(3) and sd_watchdog_enabled(3). Without a supervisor nothing is sent.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

STATUS_S = 30.0
"""How often the status is renewed where no watchdog asks for more."""
BEATS_A_TIMEOUT = 3


@dataclass(frozen=True, slots=True)
class Supervisor:
    """`address` is empty where nobody supervises us; `timeout_s` None where no watchdog waits."""

    address: str = ""
    timeout_s: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Supervisor":
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        timeout_us = environ.get("WATCHDOG_USEC", "")
        return cls(
            address=environ.get("NOTIFY_SOCKET", ""),
            timeout_s=int(timeout_us) / 1e6 if ours and timeout_us.isdigit() else None,
        )

    @property
    def beat_s(self) -> float:
        """How often it wants to hear from us."""
        return STATUS_S if self.timeout_s is None else self.timeout_s / BEATS_A_TIMEOUT

    def tell(self, **facts: str) -> None:
        """One datagram. A supervisor that does not listen is no reason to stop working."""
        if not self.address:
            return
        said = "\n".join(f"{name}={' '.join(value.split())}" for name, value in facts.items())
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.setblocking(False)
            try:
                out.sendto(said.encode(), address)
            except OSError:
                return

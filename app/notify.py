"""Tell systemd how it goes: one datagram to NOTIFY_SOCKET, nothing where there is none. See sd_notify(3)."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Send `READY=1`, `STOPPING=1` or `WATCHDOG=1`; a failure is no reason to stop."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), address)
    except OSError:
        pass


def watchdog_seconds() -> float | None:
    """How often to feed the watchdog (half of what systemd allows); None where it does not watch."""
    period = os.environ.get("WATCHDOG_USEC")
    return int(period) / 2_000_000 if period and period.isdigit() else None

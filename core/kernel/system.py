"""The real clock and the real identifiers; tests inject others."""

import asyncio
import secrets
import time
from pathlib import Path

from core.kernel.ports import Stamp

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """This computer's boot, or a name for this process where the system has none to tell."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return f"process-{secrets.token_hex(8)}"


class SystemClock:
    """Implements `core.kernel.ports.Clock` and `core.contract.SiteClock`."""

    def __init__(self) -> None:
        self._boot_id = boot_id()

    def stamp(self) -> Stamp:
        """The present moment."""
        return Stamp(time.time_ns(), time.monotonic_ns(), self._boot_id)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix time in seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class RandomIds:
    """Identifiers that sort by time: 45 bits of milliseconds and 35 random bits, in Crockford's base 32."""

    def new(self, prefix: str) -> str:
        """A fresh identifier."""
        number = (time.time_ns() // 1_000_000 & (1 << 45) - 1) << 35 | secrets.randbits(35)
        digits = []
        for _ in range(16):
            number, digit = divmod(number, 32)
            digits.append(_ALPHABET[digit])
        return f"{prefix}_{''.join(reversed(digits))}"

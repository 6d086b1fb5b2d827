"""The real time, as adapters want it."""

import asyncio
import time


class RealClock:
    """Monotonic and wall time of this machine."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

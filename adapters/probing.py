"""What the check of a new printer's address says."""

import msgspec


class ProbeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried: `title` names it, `said` tells the result and, where it failed, what to do."""

    title: str
    passed: bool
    said: str


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in order, up to and including the first that failed; `adapter` is the kind found, or ''."""

    steps: tuple[ProbeStep, ...]
    adapter: str = ""
    version: str = ""

    @property
    def passed(self) -> bool:
        """Whether a printer can be added with this address and key."""
        return bool(self.steps) and all(step.passed for step in self.steps)

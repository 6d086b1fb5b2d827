"""What a presentation function needs to know besides the view: signs, time zone and the moment."""

from datetime import tzinfo
from typing import NamedTuple

from kiln_tui.presentation.icons import Icons


class Look(NamedTuple):
    """`now` is wall time of the snapshot, `drift` how many seconds of site time passed since it was made."""

    icons: Icons
    zone: tzinfo | None
    now: float
    drift: float = 0.0

    def age(self, age_s: float | None) -> float | None:
        """An age of the snapshot, carried on to the present."""
        return None if age_s is None else age_s + self.drift

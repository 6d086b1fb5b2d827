"""What a presentation function needs to know besides the view: signs, time zone and the moment."""

from datetime import tzinfo
from typing import NamedTuple

from kiln_tui.presentation.icons import Icons

STALE_S = 30.0
"""A printer that was not seen for this many seconds is stale: its age is shown and its keys say why not."""


class Look(NamedTuple):
    """`now` is the site's wall time, `drift` how many seconds passed since the snapshot was made, `stale_s` from
    which age on a reading is old (longer where a demo's time runs faster)."""

    icons: Icons
    zone: tzinfo | None
    now: float
    drift: float = 0.0
    stale_s: float = STALE_S

    def age(self, age_s: float | None) -> float | None:
        """An age of the snapshot, carried on to the present."""
        return None if age_s is None else age_s + self.drift

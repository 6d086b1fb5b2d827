"""A guess at the unit of a file from its size (a pure function); only ever a proposal, never applied by itself."""

import msgspec


class UnitGuess(msgspec.Struct, frozen=True, kw_only=True):
    """The unit that would make the size plausible, and the factor to millimetres."""

    unit: str
    factor: float


_METRE = UnitGuess(unit="metre", factor=1000.0)
_INCH = UnitGuess(unit="inch", factor=25.4)
_MICRON = UnitGuess(unit="micrometre", factor=0.001)

# printed parts measure about 5 to 1000 mm along their longest side; the bounds leave room on both sides
_METRE_BELOW = 0.5
_INCH_BELOW = 3.0
_MICRON_ABOVE = 5000.0


def guess(size: tuple[float, float, float]) -> UnitGuess | None:
    """The likelier unit of a part whose longest side is implausible in mm, or None.

    Below 0.5: metres (up to 500 mm); below 3: inches (13 to 76 mm); above 5000: micrometres.
    """
    longest = max(size)
    if not longest > 0:
        return None
    if longest < _METRE_BELOW:
        return _METRE
    if longest < _INCH_BELOW:
        return _INCH
    return _MICRON if longest > _MICRON_ABOVE else None

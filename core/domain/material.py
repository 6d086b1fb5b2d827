"""The one table of materials of the whole program (`data/materials.yaml`)."""

import msgspec


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """A material family; density in g/cm³, temperatures in °C, price per kg in the site's currency."""

    name: str
    family: str
    density: float
    hotend: tuple[int, int]
    bed: tuple[int, int]
    needs_enclosure: bool = False
    abrasive: bool = False
    price_per_kg: float | None = None
    source: str = ""
    date: str = ""

"""The whole snapshot of the list screens, from one set of inputs."""

from core.client.views import Shop
from core.views.inputs import Facts, ShopInputs
from core.views.orders import order_rows_of
from core.views.printers import printer_rows_of
from core.views.triage import cards_of, places_of


def shop(
    inputs: ShopInputs,
    *,
    revision: int,
    site: str,
    inbox: str,
    ingesting: tuple[str, ...] = (),
    banner: str = "",
    slicer: str = "",
    demo: str = "",
    time_scale: float = 1.0,
) -> Shop:
    """Triage, printers and Orders of one moment; the look-ups are made once for all three. Pure."""
    facts = Facts(inputs)
    places = places_of(facts)
    return Shop(
        revision=revision,
        wall=inputs.wall,
        site=site,
        inbox=inbox,
        cards=cards_of(facts, places),
        printers=printer_rows_of(facts),
        orders=order_rows_of(facts, places),
        slicing=inputs.slicing,
        ingesting=ingesting,
        banner=banner,
        slicer=slicer,
        slicer_problem=inputs.slicer_problem,
        demo=demo,
        time_scale=time_scale,
    )

"""Plates: nothing overlaps, nothing leaves the bed, the same parts always stand the same way."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.printer_model import PrinterModel
from core.plates.layout import Arrangement, Footprint, arrange, bed_rect, overlap

GAP, MARGIN = 6.0, 5.0


def bed(
    width: float = 220.0,
    depth: float = 220.0,
    origin: tuple[float, float] = (0.0, 0.0),
    excluded: tuple[tuple[float, float, float, float], ...] = (),
) -> PrinterModel:
    return PrinterModel(
        model_id="test",
        name="Test",
        width=width,
        depth=depth,
        height=200.0,
        max_hotend=250,
        max_bed=100,
        origin=origin,
        excluded=excluded,
    )


def part(
    name: str, width: float, depth: float, height: float = 10.0, *, can_rotate: bool = True
) -> Footprint:
    return Footprint(item_id=name, width=width, depth=depth, height=height, can_rotate=can_rotate)


sizes = st.floats(0.5, 260.0, allow_nan=False)
parts = st.lists(st.tuples(sizes, sizes, st.floats(0.5, 240.0)), max_size=25).map(
    lambda rows: [part(f"p{n:02}", w, d, h) for n, (w, d, h) in enumerate(rows)]
)


@st.composite
def beds(draw: st.DrawFn) -> PrinterModel:
    width, depth = draw(st.floats(60.0, 350.0)), draw(st.floats(60.0, 350.0))
    origin = draw(st.sampled_from([(0.0, 0.0), (width / 2, depth / 2)]))
    holes = draw(
        st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(2, 40), st.floats(2, 40)), max_size=3)
    )
    excluded = tuple((fx * width, fy * depth, fx * width + w, fy * depth + d) for fx, fy, w, d in holes)
    return bed(width, depth, origin, excluded)


def check(found: Arrangement, items: list[Footprint], printer: PrinterModel) -> None:
    x0, y0, x1, y1 = bed_rect(printer)
    seen = [p.item_id for plate in found.plates for p in plate.placements] + [
        u.item_id for u in found.unplaced
    ]
    assert sorted(seen) == sorted(i.item_id for i in items)
    by_id = {i.item_id: i for i in items}
    for plate in found.plates:
        assert plate.placements
        for n, placed in enumerate(plate.placements):
            box, item = placed.box, by_id[placed.item_id]
            size = (item.depth, item.width) if placed.rotation == 90 else (item.width, item.depth)
            assert (placed.width, placed.depth) == size
            assert box[0] >= x0 + MARGIN - 0.01
            assert box[1] >= y0 + MARGIN - 0.01
            assert box[2] <= x1 - MARGIN + 0.01
            assert box[3] <= y1 - MARGIN + 0.01
            ox, oy = printer.origin
            for ax0, ay0, ax1, ay1 in printer.excluded:
                assert not overlap(box, (ax0 - ox, ay0 - oy, ax1 - ox, ay1 - oy), GAP - 0.01)
            for other in plate.placements[n + 1 :]:
                assert not overlap(box, other.box, GAP - 0.01)


@given(parts, beds())
def test_every_part_stands_free_and_on_the_bed_or_is_named_as_impossible(
    items: list[Footprint], printer: PrinterModel
) -> None:
    check(arrange(items, printer, GAP, MARGIN), items, printer)


@given(parts, st.randoms(use_true_random=False))
def test_the_order_in_which_parts_come_does_not_matter(items: list[Footprint], rnd: random.Random) -> None:
    shuffled = list(items)
    rnd.shuffle(shuffled)
    assert arrange(shuffled, bed()) == arrange(items, bed())


@given(st.floats(0.5, 209.9), st.floats(0.5, 209.9))
def test_a_part_that_fits_alone_is_never_refused_and_stands_in_the_middle(width: float, depth: float) -> None:
    found = arrange([part("a", width, depth)], bed())
    assert not found.unplaced
    placed = found.plates[0].placements[0]
    assert (placed.x, placed.y) == (110.0, 110.0)


def test_a_machine_with_its_origin_in_the_centre_prints_around_zero() -> None:
    placed = arrange([part("a", 20, 20)], bed(origin=(110.0, 110.0))).plates[0].placements[0]
    assert (placed.x, placed.y) == (0.0, 0.0)


def test_a_long_part_is_turned_when_only_that_fits() -> None:
    narrow = bed(width=80, depth=220)
    assert arrange([part("a", 150, 20)], narrow).plates[0].placements[0].rotation == 90
    fixed = arrange([part("a", 150, 20, can_rotate=False)], narrow)
    assert not fixed.plates
    assert fixed.unplaced[0].item_id == "a"
    assert "150.0 × 20.0 mm" in fixed.unplaced[0].reason


def test_what_does_not_fit_on_the_first_plate_goes_to_the_next() -> None:
    found = arrange([part(f"p{n}", 100, 100) for n in range(6)], bed())
    assert [len(p.placements) for p in found.plates] == [4, 2]


def test_a_small_part_fills_the_gap_that_a_big_one_leaves() -> None:
    found = arrange([part("big", 150, 200), part("big2", 150, 200), part("small", 40, 40)], bed())
    assert [{p.item_id for p in plate.placements} for plate in found.plates] == [{"big", "small"}, {"big2"}]


def test_an_excluded_corner_stays_free() -> None:
    printer = bed(width=256, depth=256, excluded=((0.0, 0.0, 18.0, 28.0),))
    items = [part(f"p{n:02}", 30, 30) for n in range(60)]
    found = arrange(items, printer)
    check(found, items, printer)
    assert len(found.plates[0].placements) >= 40


@pytest.mark.parametrize("size", [float("nan"), float("inf"), 0.0, -3.0])
def test_a_size_that_is_no_size_is_impossible_and_not_placed(size: float) -> None:
    found = arrange([part("odd", size, 10), part("ok", 10, 10)], bed())
    assert [u.item_id for u in found.unplaced] == ["odd"]
    assert [p.item_id for p in found.plates[0].placements] == ["ok"]


def test_too_high_says_how_high_the_printer_is() -> None:
    found = arrange([part("tower", 10, 10, 201)], bed())
    assert "up to 200.0 mm" in found.unplaced[0].reason


def test_two_parts_with_one_name_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="own id"):
        arrange([part("a", 1, 1), part("a", 1, 1)], bed())

"""The fast scan of G-code: runs of ordinary moves as arrays, everything else through the plain interpreter.

An ordinary line is ``G0``/``G1`` with words X Y Z E F, one space before each, digits with at most one dot, or
``G92 E``.
Lines that cannot change how such moves count (comments, fans, accelerations) do not end a run. All others do, and are
executed one by one by `core.gcode.reference.Interpreter` on the same state; so is every run that is short or met in a
state that the arrays do not cover (relative axes, inches, shifted or unknown coordinates). numpy is imported here:
this module belongs into a worker process.
"""

import re
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from core.gcode.line import MAX_LINE, MAX_NUMBER
from core.gcode.numbers import PADDING, Bools, Floats, Ints, parse_numbers
from core.gcode.reference import Interpreter, take_lines
from core.gcode.report import GcodeReport, Rect
from core.gcode.source import Source
from core.gcode.summary import summarise
from core.gcode.tally import FLOW_WINDOW, Tally

_SHORT_RUN = 24
"""Lines below which the interpreter is quicker than the arrays."""
_TINY = 16
"""Bytes below which a block is not worth a look at the beginnings of its lines."""
_NEUTRAL = frozenset((73, 106, 107, 201, 203, 204, 205, 220, 221, 400, 572, 900))
_NEUTRAL_LINE = re.compile(rb"M(\d{1,3})(?: [A-FH-LN-Z][\d.-]{0,12}){0,8} ?(?:;[^\n]{0,80})?")
_DULL = (b"TYPE:", b"WIDTH", b"HEIGH", b"WIPE_")
_MAX_CACHE = 4096

_NEWLINE, _LETTER, _SPACE, _DIGIT, _DOT, _SIGN, _OTHER = range(7)


def _classes() -> bytes:
    table = bytearray([_OTHER]) * 256
    table[10] = _NEWLINE
    for letter in b"XYZEF":
        table[letter] = _LETTER
    table[32] = _SPACE
    for digit in b"0123456789":
        table[digit] = _DIGIT
    table[ord(".")] = _DOT
    table[ord("-")] = _SIGN
    return bytes(table)


def _bad_pairs() -> bytes:
    """Which class may not follow which inside the words of an ordinary line: index is before * 8 + after."""
    bad = bytearray([1]) * 256
    good = [(_SPACE, _LETTER), (_LETTER, _DIGIT), (_LETTER, _DOT), (_LETTER, _SIGN), (_SIGN, _DIGIT), (_SIGN, _DOT),
            (_DOT, _DIGIT), (_DIGIT, _DIGIT), (_DIGIT, _DOT), (_DIGIT, _SPACE), (_DIGIT, _NEWLINE)]  # fmt: skip
    for before, after in good:
        bad[before * 8 + after] = 0
    return bytes(bad)


_CLASS = _classes()
_BAD = _bad_pairs()


def scan(stream: BinaryIO, zones: tuple[Rect, ...] = ()) -> GcodeReport:
    """The facts of the G-code in `stream`, read once to its end in constant memory.

    `zones` are rectangles (machine coordinates) for which the report says whether a printing move enters them.
    """
    source = Source(stream)
    fast = _Fast(Interpreter(zones))
    for block in source.blocks():
        fast.take(block)
    return source.refused() or summarise(fast.interpreter, source)


class _Moves:
    """The ordinary lines of one block as columns; NaN where a line has no such word."""

    __slots__ = ("columns", "first_byte", "is_set", "lines", "ordinary")

    def __init__(self, block: bytes) -> None:
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == 10)
        starts = np.empty_like(ends)
        starts[0] = 0
        starts[1:] = ends[:-1] + 1
        self.lines = len(ends)
        ordinary, is_set, body = _candidates(data, starts)
        classes = np.frombuffer(block.translate(_CLASS), np.uint8)
        pairs = classes[:-1] << 3
        pairs |= classes[1:]
        bad = np.frombuffer(pairs.tobytes().translate(_BAD) + b"\0", np.uint8)
        # Only the words count: from the space before the first of them up to the end of the line.
        spans = np.empty(2 * self.lines, np.int64)
        spans[0::2] = np.minimum(body, ends)
        spans[1::2] = ends
        ordinary &= np.maximum.reduceat(bad, spans)[0::2] == 0
        self.columns: dict[int, Floats] = {}
        self.ordinary = ordinary
        self.is_set = is_set
        self.first_byte = starts
        self._fill(block + PADDING, classes, body, ends)

    def _fill(self, padded: bytes, classes: npt.NDArray[np.uint8], body: Ints, ends: Ints) -> None:
        letters = np.flatnonzero(classes == _LETTER)
        line_of = np.searchsorted(ends, letters)
        keep = self.ordinary[line_of] & (letters > body[line_of])
        if not keep.all():
            letters, line_of = letters[keep], line_of[keep]
        length = np.empty(len(letters), np.int64)
        if len(letters):
            last_of_line = np.empty(len(letters), bool)
            np.not_equal(line_of[1:], line_of[:-1], out=last_of_line[:-1])
            last_of_line[-1] = True
            length[:-1] = letters[1:] - letters[:-1] - 2
            length[last_of_line] = ends[line_of[last_of_line]] - letters[last_of_line] - 1
        values, sound = parse_numbers(padded, letters + 1, length)
        sound &= np.abs(values) <= MAX_NUMBER
        if not sound.all():
            self.ordinary[line_of[~sound]] = False
        kinds = np.frombuffer(padded, np.uint8)[letters]
        for letter in b"XYZEF":
            chosen = kinds == letter
            rows = line_of[chosen]
            if len(rows) > 1:
                self.ordinary[rows[1:][rows[1:] == rows[:-1]]] = False
            column = np.full(self.lines, np.nan)
            column[rows] = values[chosen]
            self.columns[letter] = column
        self.ordinary[self.is_set] &= ~np.isnan(self.columns[69][self.is_set])
        for letter in b"XYZF":
            self.ordinary[self.is_set] &= np.isnan(self.columns[letter][self.is_set])


def _candidates(data: npt.NDArray[np.uint8], starts: Ints) -> tuple[Bools, Bools, Ints]:
    """Which lines begin like an ordinary one, which of them set the position, and where their words begin."""
    padded = np.minimum(starts, max(len(data) - 4, 0))
    g = data[padded] == 71
    second, third, fourth = data[padded + 1], data[padded + 2], data[padded + 3]
    move = g & ((second == 49) | (second == 48)) & (third == 32)
    is_set = g & (second == 57) & (third == 50) & (fourth == 32)
    in_range = padded == starts
    ordinary = (move | is_set) & in_range
    is_set &= in_range
    return ordinary, is_set, np.where(is_set, starts + 3, starts + 2)


class _Fast:
    """Feeds blocks to an interpreter, runs of ordinary moves as arrays."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self._neutral: dict[bytes, None] = {}

    def take(self, block: bytes) -> None:
        """Execute a block of whole lines."""
        it = self.interpreter
        base = it.line
        raw = block.split(b"\n")
        if len(block) < _TINY:
            take_lines(it, raw[:-1])
            return
        moves = _Moves(block)
        run = 0
        for index in np.flatnonzero(~moves.ordinary).tolist():
            line = raw[index]
            if self._passes(line, base + index + 1):
                continue
            self._run(moves, raw, base, run, index)
            it.line = base + index
            it.take(line)
            run = index + 1
        self._run(moves, raw, base, run, moves.lines)
        it.line = base + moves.lines

    def _passes(self, line: bytes, number: int) -> bool:
        """Whether the line cannot change how the moves around it count; it is accounted for then."""
        it = self.interpreter
        if len(line) > MAX_LINE:
            return False
        if line[:1] == b";":
            if line[1:6] in _DULL or line[1:3] == b"Z:":
                return True
            if it.phase == 0:
                return False
            it.line = number
            it.take_comment(line[1:])
            return True
        if line in self._neutral or not line:
            return True
        if (match := _NEUTRAL_LINE.fullmatch(line)) and int(match[1]) in _NEUTRAL:
            if len(self._neutral) < _MAX_CACHE:
                self._neutral[line] = None
            return True
        return False

    def _run(self, moves: _Moves, raw: list[bytes], base: int, start: int, stop: int) -> None:
        """Execute the lines from `start` to `stop`, all ordinary or accounted for already."""
        it = self.interpreter
        count = stop - start
        if count <= 0:
            return
        covered = it.absolute and it.unit == 1.0 and all(it.known) and it.shift == [0.0, 0.0, 0.0]
        if count < _SHORT_RUN or not covered:
            chosen = np.flatnonzero(moves.ordinary[start:stop]) + start
            for index in chosen.tolist():
                it.line = base + index
                take_lines(it, (raw[index],))
            return
        rows = np.flatnonzero(moves.ordinary[start:stop]) + start
        if len(rows):
            _advance(it, moves, rows, base)


def _fill_forward(column: Floats, initial: float) -> Floats:
    """The column with each NaN replaced by the value before it, and `initial` put in front (one longer)."""
    padded = np.empty(len(column) + 1)
    padded[0] = initial
    padded[1:] = column
    index = np.where(np.isnan(padded), 0, np.arange(len(padded)))
    index[0] = 0
    filled: Floats = padded[np.maximum.accumulate(index)]
    return filled


def _advance(it: Interpreter, moves: _Moves, rows: Ints, base: int) -> None:
    """Execute ordinary moves on the interpreter's state; the same sums, in the same order, as it would do."""
    tally = it.tally
    x = _fill_forward(moves.columns[88][rows], it.position[0])
    y = _fill_forward(moves.columns[89][rows], it.position[1])
    z = _fill_forward(moves.columns[90][rows], it.position[2])
    feed_words = moves.columns[70][rows]
    feed_words[feed_words <= 0.0] = np.nan
    feed = _fill_forward(feed_words, np.nan if it.mm_per_min is None else it.mm_per_min)[1:]
    is_move = ~moves.is_set[rows]
    moving = np.flatnonzero(is_move)
    tally.moves += len(moving)
    for axis, values in enumerate((x, y, z)):
        # Lines that only set E repeat the position before them, which a move has reached or which is not counted yet.
        reached = values[1:][moving]
        if len(reached):
            tally.travel.add(axis, float(reached.min()))
            tally.travel.add(axis, float(reached.max()))
    fed = _feed(it, moves.columns[69][rows], is_move)
    extruding = fed > 0.0
    lines = rows + (base + 1)
    if it.heaters.is_cold(it.tool) and extruding.any():
        tally.cold_moves += int(np.count_nonzero(extruding))
        if tally.cold_line is None:
            tally.cold_line = int(lines[np.argmax(extruding)])
    dx, dy, dz = np.diff(x), np.diff(y), np.diff(z)
    printing = np.flatnonzero(extruding & ((dx != 0.0) | (dy != 0.0)))
    if len(printing):
        _print(it, (x, y, z), printing, lines)
        timed = printing[~np.isnan(feed[printing])]
        length = np.sqrt(dx[timed] * dx[timed] + dy[timed] * dy[timed] + dz[timed] * dz[timed])
        _flow(tally, fed[timed], length / (feed[timed] / 60.0), lines[timed])
    it.position = [float(x[-1]), float(y[-1]), float(z[-1])]
    it.mm_per_min = None if np.isnan(feed[-1]) else float(feed[-1])


def _feed(it: Interpreter, e_words: Floats, is_move: Bools) -> Floats:
    """Filament per line in mm; keeps the E position and the filament of the tool."""
    given = ~np.isnan(e_words)
    feeding = given & is_move
    if not it.e_mode_restated and feeding.any():
        it.extruder_mode_unclear = True
    fed = np.zeros(len(e_words))
    if it.relative_e():
        fed[feeding] = e_words[feeding]
        settings = np.flatnonzero(given & ~is_move)
        after = int(settings[-1]) + 1 if len(settings) else 0
        start = float(e_words[after - 1]) if after else it.e
        it.e = float(np.cumsum(np.concatenate(([start], fed[after:])))[-1])
    else:
        at = _fill_forward(e_words, it.e)
        fed[feeding] = at[1:][feeding] - at[:-1][feeding]
        it.e = float(at[-1])
    if feeding.any():
        tally, tool = it.tally, it.tool
        amounts = fed[feeding]
        total = np.cumsum(np.concatenate(([tally.fed.get(tool, 0.0)], amounts)))
        tally.fed[tool] = float(total[-1])
        furthest = float(total.max())
        if furthest > tally.used.get(tool, 0.0):
            tally.used[tool] = furthest
    return fed


def _print(it: Interpreter, path: tuple[Floats, Floats, Floats], printing: Ints, lines: Ints) -> None:
    """Extents, heights and zones of printing moves."""
    phase = it.tally.phases[it.phase]
    phase.moves += len(printing)
    for axis, values in enumerate(path):
        for end in (values[printing], values[printing + 1]):
            phase.extents.add(axis, float(end.min()))
            phase.extents.add(axis, float(end.max()))
    before, after = path[2][printing], path[2][printing + 1]
    flat = after[before == after]
    phase.spiral += len(printing) - len(flat)
    if len(flat):
        low, high = flat.min(), flat.max()
        heights = np.floor((flat[:1] if low == high else np.unique(flat)) * 1000.0 + 0.5)
        for height in heights.astype(np.int64).tolist():
            if not phase.add_height(height):
                it.tally.layers_capped = True
    _zones(it.tally, path, printing, lines)


def _zones(tally: Tally, path: tuple[Floats, Floats, Floats], printing: Ints, lines: Ints) -> None:
    open_zones = [zone for zone in tally.zones if zone not in tally.zone_line]
    if not open_zones:
        return
    x0, x1 = path[0][printing], path[0][printing + 1]
    y0, y1 = path[1][printing], path[1][printing + 1]
    for zone in open_zones:
        near = (
            (np.minimum(x0, x1) < zone[2])
            & (np.maximum(x0, x1) > zone[0])
            & (np.minimum(y0, y1) < zone[3])
            & (np.maximum(y0, y1) > zone[1])
        )
        for row in np.flatnonzero(near).tolist():
            if zone in tally.zone_line:
                break
            tally.touch_zones(
                float(x0[row]), float(y0[row]), float(x1[row]), float(y1[row]), int(lines[printing[row]])
            )


def _flow(tally: Tally, fed: Floats, seconds: Floats, lines: Ints) -> None:
    """The windows of `core.gcode.tally.Flow`, all at once."""
    if not len(fed):
        return
    flow = tally.flow
    clock = np.cumsum(np.concatenate(([flow.clock], seconds)))
    windows = np.floor(clock[:-1] / FLOW_WINDOW)
    edges = np.flatnonzero(np.concatenate(([True], windows[1:] != windows[:-1])))
    lengths = np.add.reduceat(fed, edges)
    times = np.add.reduceat(seconds, edges)
    first_lines = lines[edges]
    if int(windows[0]) == flow.window:
        lengths[0] += flow.length
        times[0] += flow.seconds
        first_lines[0] = flow.first_line
    else:
        flow.close()
    full = times[:-1] >= FLOW_WINDOW / 2.0
    if full.any():
        rates = np.where(full, lengths[:-1] / np.where(full, times[:-1], 1.0), -1.0)
        best = int(np.argmax(rates))
        if flow.best is None or rates[best] > flow.best:
            flow.best, flow.best_line = float(rates[best]), int(first_lines[best])
    flow.clock = float(clock[-1])
    flow.window = int(windows[-1])
    flow.length, flow.seconds = float(lengths[-1]), float(times[-1])
    flow.first_line = int(first_lines[-1])

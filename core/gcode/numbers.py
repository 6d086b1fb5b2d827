"""Many decimal numbers at once, out of a block of text. Imported in worker processes only (numpy).

A number of up to eight characters is loaded as one 64-bit word and taken apart with a handful of operations on whole
arrays; a longer one is read character by character. Either way the digits become one whole number, divided once by a
power of ten: both are exact below 2**53, so the quotient is the correctly rounded one, the same as float() gives.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_Words = npt.NDArray[np.uint64]

PADDING = b"\0" * 24
"""What must stand behind the text that is given to `parse_numbers`."""
MAX_LENGTH = 15
"""Characters of the longest number that is read; its digits stay below 2**53."""

_ONES = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_DOTS = np.uint64(0x2E2E2E2E2E2E2E2E)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_PAIRS = np.uint64(0x00FF00FF00FF00FF)
_QUADS = np.uint64(0x0000FFFF0000FFFF)
_HALF = np.uint64(0x00000000FFFFFFFF)
_KEEP = np.array([(1 << (8 * n)) - 1 for n in range(9)], np.uint64)
_TENS = 10.0 ** np.arange(17)


def parse_numbers(padded: bytes, first: Ints, length: Ints) -> tuple[Floats, Bools]:
    """The numbers of `length` characters that begin at `first`, and which of them are sound.

    Each is known to consist of an optional minus, digits and dots, with a digit after each dot and at least one
    digit. `padded` is the text with PADDING behind it. Unsound are those with two dots, and those that are too long.
    """
    if len(first) == 0:
        return np.empty(0), np.empty(0, bool)
    text: _Words = np.ndarray((len(padded) - 7,), np.dtype("<u8"), padded, strides=(1,))
    short = (length > 0) & (length <= 8)
    if short.all():
        return _short(text[first], length)
    values, sound = np.zeros(len(first)), np.zeros(len(first), bool)
    values[short], sound[short] = _short(text[first[short]], length[short])
    long = (length > 8) & (length <= MAX_LENGTH)
    values[long], sound[long] = _long(np.frombuffer(padded, np.uint8), first[long], length[long])
    return values, sound


def _short(text: _Words, length: Ints) -> tuple[Floats, Bools]:
    text = text & _KEEP[length]
    negative = (text & np.uint64(0xFF)) == np.uint64(45)
    # The top bit of each byte that is a dot.
    differs = text ^ _DOTS
    dots = (differs - _ONES) & ~differs & _TOPS
    has_dot = dots != 0
    before = np.where(has_dot, ((dots & (~dots + np.uint64(1))) - np.uint64(1)) >> np.uint64(7), _ALL)
    sound = (dots & (dots - np.uint64(1))) == 0
    decimals = np.where(has_dot, length - 1 - (np.bitwise_count(before) >> 3), 0)
    # Without the dot, and without the sign (its low nibble would count), the digits end at the highest byte.
    digits = (text & before) | ((text >> np.uint64(8)) & ~before)
    digits >>= np.where(negative, np.uint64(8), np.uint64(0))
    count = length - has_dot - negative
    digits <<= ((8 - count) * 8).astype(np.uint64)
    digits &= _NIBBLES
    digits = (digits * np.uint64(10) + (digits >> np.uint64(8))) & _PAIRS
    digits = (digits * np.uint64(100) + (digits >> np.uint64(16))) & _QUADS
    digits = (digits * np.uint64(10000) + (digits >> np.uint64(32))) & _HALF
    values = digits / _TENS[decimals]
    np.negative(values, out=values, where=negative)
    return values, sound


def _long(data: npt.NDArray[np.uint8], first: Ints, length: Ints) -> tuple[Floats, Bools]:
    whole = np.zeros(len(first), np.int64)
    decimals = np.zeros(len(first), np.int8)
    dots = np.zeros(len(first), np.int8)
    size = length.astype(np.int8)
    negative = data[first] == 45
    for k in range(int(size.max(initial=0))):
        inside = size > k
        at = data[first + k]
        digit = at - np.uint8(48)
        is_digit = inside & (digit < 10)
        whole = np.where(is_digit, whole * 10 + digit, whole)
        decimals += is_digit & (dots > 0)
        dots += inside & (at == 46)
    values = whole / _TENS[decimals]
    return np.where(negative, -values, values), dots <= 1

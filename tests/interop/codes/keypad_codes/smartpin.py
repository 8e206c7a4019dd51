"""SmartPINs (section 6)."""

from dataclasses import dataclass

from .ff1 import Ff1, number, numerals
from .keys import derive
from .wall import HOUR, Zone

HORIZON = 49_673
HOURS, DAYS_FROM, DAY_LENGTHS = 768, 33, 333
BY_HOUR = 24 * HORIZON * HOURS
ALL = (BY_HOUR + HORIZON * DAY_LENGTHS) * 3


@dataclass(frozen=True)
class Window:
    """`first` and `length` in hours or in days, from 1970-01-01 on the wall."""

    by_day: bool
    first: int
    length: int

    def wall_hours(self, daily_from: int, daily_to: int) -> tuple[int, int]:
        if self.by_day:
            last = self.first + self.length - 1
            return self.first * 24 + daily_from, last * 24 + daily_to
        return self.first, self.first + self.length

    def instants(self, zone: Zone, daily_from: int, daily_to: int) -> tuple[int, int] | None:
        start, end = (zone.first_instant(hour * HOUR) for hour in self.wall_hours(daily_from, daily_to))
        return (start, end) if start < end else None


def of_wall(by_day: bool, start: int, end: int, daily_from: int, daily_to: int) -> Window:
    """The window that these two hours of the wall mean."""
    if not by_day:
        return Window(False, start, end - start)
    first, last = (start - daily_from) // 24, (end - daily_to) // 24
    return Window(True, first, last - first + 1)


def _cipher(seed: bytes, generation: int) -> Ff1:
    return Ff1(derive(seed, "smartpin", generation), 10)


def make(seed: bytes, generation: int, lock: bytes, window: Window, variant: int) -> str:
    if window.by_day:
        place = BY_HOUR + window.first * DAY_LENGTHS + window.length - DAYS_FROM
    else:
        place = window.first * HOURS + window.length - 1
    text = numerals(place * 3 + variant, 10, 10)
    return "".join(map(str, _cipher(seed, generation).encrypt(lock, text)))


def read(seed: bytes, generation: int, lock: bytes, entry: str) -> tuple[Window, int] | None:
    plain = number(_cipher(seed, generation).decrypt(lock, [int(digit) for digit in entry]), 10)
    if plain >= ALL:
        return None
    place, variant = divmod(plain, 3)
    if place < BY_HOUR:
        first, more = divmod(place, HOURS)
        window, end = Window(False, first, more + 1), first + more + 1
    else:
        first, more = divmod(place - BY_HOUR, DAY_LENGTHS)
        window, end = Window(True, first, more + DAYS_FROM), (first + more + DAYS_FROM) * 24
    return (window, variant) if end <= HORIZON * 24 else None


def rules(daily_from: int, daily_to: int, highest_variant: int, first_use_within_a_day: bool) -> bytes:
    return bytes([daily_from, daily_to, highest_variant | first_use_within_a_day << 2])

"""The clock on a property's wall (docs/protocol.md, section 4; docs/codes.md, section 1)."""

from dataclasses import dataclass

QUARTER, HOUR, DAY = 900, 3600, 86_400


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


@dataclass(frozen=True)
class Zone:
    """Offset in quarter hours, and the next two changes as (at, offset)."""

    offset: int
    next: tuple[int, int]
    after: tuple[int, int]

    @classmethod
    def decode(cls, data: bytes) -> "Zone":
        change = lambda part: (int.from_bytes(part[:4], "big"), _signed(part[4]))  # noqa: E731
        return cls(_signed(data[0]), change(data[1:6]), change(data[6:11]))

    def offset_at(self, time: int) -> int:
        for at, offset in (self.after, self.next):
            if at != 0 and time >= at:
                return offset
        return self.offset

    def wall(self, time: int) -> int:
        """What the wall shows, in seconds since 1970-01-01 00:00."""
        return time + QUARTER * self.offset_at(time)

    def day(self, time: int) -> int:
        return self.wall(time) // DAY

    def first_instant(self, wall: int) -> int:
        """The earliest time at which the wall shows this reading or a later one."""
        # It is either where some offset makes this very reading, or a change that skips it.
        offsets = {self.offset, self.next[1], self.after[1]}
        candidates = {wall - QUARTER * offset for offset in offsets} | {self.next[0], self.after[0], 0}
        return min(time for time in candidates if time >= 0 and self.wall(time) >= wall)


def schedule_covers(schedule: bytes, wall: int) -> bool:
    """Whether weekdays(1) ‖ from(1) ‖ to(1) hold this reading."""
    weekdays, begin, end = schedule
    day, second = divmod(wall, DAY)
    today, yesterday = ((day + 3) % 7, (day + 2) % 7)
    named = lambda weekday: weekdays >> weekday & 1 == 1  # noqa: E731
    first, last = begin * QUARTER, end * QUARTER
    if begin < end:
        return named(today) and first <= second < last
    return (named(today) and second >= first) or (named(yesterday) and second < last)


def holds(start: int, end: int, now: int, tolerance: int) -> bool:
    """Whether a window, widened, holds the present."""
    return start - tolerance <= now < end + tolerance

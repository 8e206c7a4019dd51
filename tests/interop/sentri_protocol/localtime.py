"""Lock-local time: zones, access hours, schedules (sections 3 and 4)."""

from dataclasses import dataclass

from .codec import Reader, i, require, u

SECONDS_PER_DAY = 86_400
QUARTER = 900
QUARTERS_PER_DAY = 96


@dataclass(frozen=True)
class Zone:
    """Offsets in quarter hours east of UTC, and the next two changes."""

    offset: int
    next_at: int
    next_offset: int
    after_at: int
    after_offset: int

    def encode(self) -> bytes:
        return (
            i(self.offset, 1) + u(self.next_at, 4) + i(self.next_offset, 1)
            + u(self.after_at, 4) + i(self.after_offset, 1)
        )

    @classmethod
    def read(cls, reader: Reader) -> "Zone":
        zone = cls(reader.i(1), reader.u(4), reader.i(1), reader.u(4), reader.i(1))
        for offset in (zone.offset, zone.next_offset, zone.after_offset):
            require(-56 <= offset <= 56, "zone offset")
        return zone

    def offset_at(self, time: int) -> int:
        """The offset in force at `time`, in quarter hours."""
        if self.after_at != 0 and time >= self.after_at:
            return self.after_offset
        if self.next_at != 0 and time >= self.next_at:
            return self.next_offset
        return self.offset

    def local(self, time: int) -> tuple[int, int, int]:
        """Day since 1970-01-01, weekday (Monday 0), seconds since midnight; all local."""
        day, second = divmod(max(0, time + QUARTER * self.offset_at(time)), SECONDS_PER_DAY)
        return day, (day + 3) % 7, second


def span_covers(begin: int, end: int, second: int) -> tuple[bool, bool]:
    """Whether a span in quarter hours covers `second` of the day it is named for, and of the day after."""
    first, last = begin * QUARTER, end * QUARTER
    if begin < end:
        return first <= second < last, False
    return second >= first, second < last


@dataclass(frozen=True)
class Schedule:
    """Weekdays (bit 0 Monday) and one span in quarter hours."""

    weekdays: int
    begin: int
    end: int

    def encode(self) -> bytes:
        return u(self.weekdays, 1) + u(self.begin, 1) + u(self.end, 1)

    @classmethod
    def read(cls, reader: Reader) -> "Schedule":
        schedule = cls(reader.u(1), reader.u(1), reader.u(1))
        require(0 < schedule.weekdays < 0x80, "schedule weekdays")
        check_span(schedule.begin, schedule.end)
        return schedule

    def covers(self, weekday: int, second: int) -> bool:
        today, from_yesterday = span_covers(self.begin, self.end, second)
        named_today = self.weekdays >> weekday & 1 == 1
        named_yesterday = self.weekdays >> ((weekday + 6) % 7) & 1 == 1
        return (today and named_today) or (from_yesterday and named_yesterday)


def check_span(begin: int, end: int) -> None:
    """0 ≤ begin ≤ 95, 1 ≤ end ≤ 96, not equal."""
    require(begin < QUARTERS_PER_DAY, "span start")
    require(1 <= end <= QUARTERS_PER_DAY, "span end")
    require(begin != end, "empty span")


@dataclass(frozen=True)
class AccessHours:
    """Seven spans from Monday on; (0, 0) is closed."""

    days: tuple[tuple[int, int], ...]

    def encode(self) -> bytes:
        return b"".join(u(begin, 1) + u(end, 1) for begin, end in self.days)

    @classmethod
    def read(cls, reader: Reader) -> "AccessHours":
        days = tuple((reader.u(1), reader.u(1)) for _ in range(7))
        for begin, end in days:
            if (begin, end) != (0, 0):
                check_span(begin, end)
        return cls(days)

    def covers(self, weekday: int, second: int) -> bool:
        today, yesterday = self.days[weekday], self.days[(weekday + 6) % 7]
        if today != (0, 0) and span_covers(*today, second)[0]:
            return True
        return yesterday != (0, 0) and span_covers(*yesterday, second)[1]

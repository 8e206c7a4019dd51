"""Counts what passed and what failed, and prints each line."""

from collections.abc import Callable

from sentri_protocol.codec import Malformed, NotAuthentic


class Refused(Exception):
    """The end under test did not take what it was given."""


REFUSALS = (Refused, Malformed, NotAuthentic)


class Report:
    """Every check is one line; only failures and groups are printed unless `verbose`."""

    def __init__(self, verbose: bool = False):
        self.verbose = verbose
        self.passed = self.failed = 0

    def group(self, title: str) -> None:
        print(f"# {title}")

    def check(self, name: str, holds: bool, detail: str = "") -> None:
        if holds:
            self.passed += 1
            if self.verbose:
                print(f"  ok      {name}")
        else:
            self.failed += 1
            print(f"  FAILED  {name}{': ' + detail if detail else ''}")

    def equal(self, name: str, found, expected) -> None:
        self.check(name, found == expected, f"found {show(found)}, expected {show(expected)}")

    def refused(self, name: str, action: Callable[..., object], *arguments) -> None:
        """Passes where `action` refuses; anything else that it raises is a failure, as is success."""
        try:
            action(*arguments)
        except REFUSALS:
            self.check(name, True)
        except Exception as error:  # noqa: BLE001 (a crash is the finding)
            self.check(name, False, f"{type(error).__name__}: {error}")
        else:
            self.check(name, False, "it was taken")

    def run(self, name: str, action: Callable[[], object]):
        """Runs a step whose failure is a finding, not the end of the run."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001
            self.check(name, False, f"{type(error).__name__}: {error}")
            return None

    def finish(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def show(value) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)


def flipped(data: bytes):
    """`data` with one bit of each byte flipped in turn: (index, changed)."""
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1 << (index % 8)
        yield index, bytes(changed)

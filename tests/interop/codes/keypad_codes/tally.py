"""Counts what passed and what failed, and prints each failure."""

import json
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[4] / "protocol" / "vectors"


def cases(name: str) -> list[dict]:
    """The cases of one file of vectors; none at all is a mistake, not a pass."""
    found = json.loads((VECTORS / name).read_text())["cases"]
    if not found:
        raise ValueError(f"{name} holds no cases")
    return found


class Tally:
    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, what: str, found: object, expected: object) -> None:
        if found == expected:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: {found!r}, expected {expected!r}")

    def finish(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0

"""Plays an independent phone and lock against the Rust ones: see README.md beside this file."""

import argparse
import sys

from checks import against_rust, selftest, vectors
from checks.peer import Peer
from checks.report import Report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="print each check that passes too")
    arguments = parser.parse_args()
    report = Report(arguments.verbose)
    selftest.run(report)
    vectors.run(report)
    with Peer() as peer:
        against_rust.run(report, peer)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

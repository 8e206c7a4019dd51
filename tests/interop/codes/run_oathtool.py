"""Has OATH's own oathtool make the SMACs of protocol/vectors, and the table of RFC 6238: see README.md."""

import shutil
import subprocess
import sys

from keypad_codes.tally import Tally, cases

# RFC 6238, appendix B, the rows for SHA-256.
RFC_6238_KEY = b"12345678901234567890123456789012".hex()
RFC_6238 = {
    59: "46119246",
    1_111_111_109: "68084774",
    1_111_111_111: "67062674",
    1_234_567_890: "91819424",
    2_000_000_000: "90698825",
    20_000_000_000: "77737706",
}


def totp(key: str, digits: int, step: int, time: int) -> str:
    """What oathtool makes; the key in hexadecimal goes to its standard input, where no process list shows it."""
    command = ["oathtool", "--totp=sha256", f"--digits={digits}", f"--time-step-size={step}s"]
    made = subprocess.run(
        [*command, f"--now=@{time}", "-"], input=key, capture_output=True, text=True, check=True
    )
    return made.stdout.strip()


def main() -> int:
    if shutil.which("oathtool") is None:
        print("oathtool is missing: apt-get install oathtool")
        return 2
    tally = Tally()
    for time, expected in RFC_6238.items():
        tally.check(f"RFC 6238 at {time}", totp(RFC_6238_KEY, 8, 30, time), expected)
    for case in cases("smacs.json"):
        made = totp(case["day_key"], 6, 300, case["time"])
        tally.check(f"SMAC at {case['time']}", f"{case['slot']:03}{made}", case["code"])
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())

"""Makes and reads every code of protocol/vectors with the Python of docs/codes.md: see README.md."""

import sys

from keypad_codes import delivery, derived, smartpin, stored
from keypad_codes.ff1 import Ff1
from keypad_codes.tally import Tally, cases
from keypad_codes.wall import Zone

SEED = bytes(range(32))

# NIST's samples 1 to 9: bits of the key, radix, tweak, plain text, cipher text.
NIST_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94")
DIGITS, LETTERS = "0123456789", "0123456789abcdefghi"
TWEAK, LONG_TWEAK = "39383736353433323130", "3737373770717273373737"
NIST = [
    (128, 10, "", DIGITS, "2433477484"),
    (128, 10, TWEAK, DIGITS, "6124200773"),
    (128, 36, LONG_TWEAK, LETTERS, "a9tv40mll9kdu509eum"),
    (192, 10, "", DIGITS, "2830668132"),
    (192, 10, TWEAK, DIGITS, "2496655549"),
    (192, 36, LONG_TWEAK, LETTERS, "xbj3kv35jrawxv32ysr"),
    (256, 10, "", DIGITS, "6657667009"),
    (256, 10, TWEAK, DIGITS, "1001623463"),
    (256, 36, LONG_TWEAK, LETTERS, "xs8a0azh2avyalyzuwd"),
]


def nist(tally: Tally) -> None:
    for bits, radix, tweak, plain, sealed in NIST:
        cipher, tweak = Ff1(NIST_KEY[: bits // 8], radix), bytes.fromhex(tweak)
        plain, sealed = ([int(digit, 36) for digit in text] for text in (plain, sealed))
        tally.check(f"NIST {bits} encrypts", cipher.encrypt(tweak, plain), sealed)
        tally.check(f"NIST {bits} decrypts", cipher.decrypt(tweak, sealed), plain)


def derived_codes(tally: Tally) -> None:
    for case in cases("derived_codes.json"):
        if case["kind"] == "contractor":
            code = derived.contractor(SEED, 1, case["slot"], case["slot_generation"])
        else:
            code = derived.one_day(SEED, 1, case["day"], case["index"])
        tally.check(f"{case['kind']} code", code, case["code"])


def one_day_lives(tally: Tally) -> None:
    for case in cases("one_day_lives.json"):
        zone = Zone.decode(bytes.fromhex(case["zone"]))
        tally.check("one day code", derived.one_day(SEED, 1, case["day"], case["index"]), case["code"])
        life = derived.one_day_life(
            zone, case["day"], case["first_used"], case["ends_with_day"], case["now"], case["tolerance"]
        )
        tally.check(f"life of a one day code at {case['now']}", life, (case["works"], case["until"]))


def smacs(tally: Tally) -> None:
    for case in cases("smacs.json"):
        slot, time = case["slot"], case["time"]
        key = derived.day_key(SEED, 1, case["day"], slot)
        tally.check("day", time // 86_400, case["day"])
        tally.check("day key", key.hex(), case["day_key"])
        tally.check("SMAC", derived.smac(key, slot, time // 300), case["code"])
        first = case["taken_from"]
        tally.check("SMAC taken", derived.smac_taken(SEED, 1, case["code"], first), True)
        if first > 0:
            tally.check("SMAC too early", derived.smac_taken(SEED, 1, case["code"], first - 1), False)


def smart_pins(tally: Tally) -> None:
    for case in cases("smart_pins.json"):
        generation, lock = case["generation"], bytes.fromhex(case["lock"])
        daily = case["daily_from"], case["daily_to"]
        window = smartpin.of_wall(case["by"] == "days", case["start_hour"], case["end_hour"], *daily)
        pin = smartpin.make(SEED, generation, lock, window, case["variant"])
        tally.check("SmartPIN", pin, case["pin"])
        read = smartpin.read(SEED, generation, lock, case["pin"])
        tally.check("SmartPIN read", read, (window, case["variant"]))
        instants = window.instants(Zone.decode(bytes.fromhex(case["zone"])), *daily)
        expected = None if case["not_before"] is None else (case["not_before"], case["not_after"])
        tally.check("instants of a SmartPIN", instants, expected)


def smart_pin_entries(tally: Tally) -> None:
    for case in cases("smart_pin_entries.json"):
        read = smartpin.read(SEED, 1, bytes.fromhex(case["lock"]), case["entry"])
        found = (None, None, None) if read is None else (*read[0].wall_hours(8, 20), read[1])
        expected = case["start_hour"], case["end_hour"], case["variant"]
        tally.check(f"entry {case['entry']}", found, expected)


def smart_pin_rules(tally: Tally) -> None:
    for case in cases("smart_pin_rules.json"):
        rules = smartpin.rules(
            case["daily_from"], case["daily_to"], case["highest_variant"], case["first_use_within_a_day"]
        )
        tally.check("rules for SmartPINs", rules.hex(), case["rules"])


def stored_codes(tally: Tally) -> None:
    for case in cases("picked_codes.json"):
        tally.check("picked code", stored.picked_refusal(case["code"], case["lengths"]), case["refusal"])
    for case in cases("stored_codes.json"):
        code = stored.generate(case["digits"], case["random"])
        tally.check("generated code", code, case["code"])
        tally.check("stored code", code and stored.encode(code).hex(), case["stored"])


def validities(tally: Tally) -> None:
    for case in cases("validities.json"):
        validity, zone = bytes.fromhex(case["validity"]), Zone.decode(bytes.fromhex(case["zone"]))
        works = stored.works(validity, zone, case["now"], case["tolerance"])
        tally.check(f"{case['kind']} at {case['now']}", works, case["works"])
        without = stored.works(validity, zone, None, 0)
        tally.check(f"{case['kind']} without a clock", without, case["works_without_clock"])


def deliveries(tally: Tally) -> None:
    for case in cases("code_deliveries.json"):
        orders, generation = [delivery.order(said) for said in case["orders"]], case["generation"]
        sealed = delivery.seal(SEED, generation, case["from"], case["version"], orders)
        tally.check(f"delivery {case['version']}", sealed.hex(), case["sealed"])
        opened = delivery.open_orders(SEED, generation, bytes.fromhex(case["sealed"]))
        tally.check(f"delivery {case['version']} opened", opened, b"".join(orders))
        forged = bytes([sealed[0] ^ 1]) + sealed[1:]
        tally.check("a forged delivery", delivery.open_orders(SEED, generation, forged), None)


def main() -> int:
    tally = Tally()
    kinds = nist, derived_codes, one_day_lives, smacs, smart_pins, smart_pin_entries, smart_pin_rules
    for run in (*kinds, stored_codes, validities, deliveries):
        run(tally)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())

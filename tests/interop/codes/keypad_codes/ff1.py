"""FF1 of NIST SP 800-38G, algorithms 7 and 8, for any radix; numerals are lists of integers."""

from math import ceil, log2

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def number(numerals: list[int], radix: int) -> int:
    """NUM_radix."""
    value = 0
    for numeral in numerals:
        value = value * radix + numeral
    return value


def numerals(value: int, radix: int, length: int) -> list[int]:
    """STR_radix."""
    out = []
    for _ in range(length):
        value, numeral = divmod(value, radix)
        out.append(numeral)
    return out[::-1]


class Ff1:
    """The cipher under one AES key."""

    def __init__(self, key: bytes, radix: int):
        self._aes = Cipher(algorithms.AES(key), modes.ECB())
        self.radix = radix

    def encrypt(self, tweak: bytes, text: list[int]) -> list[int]:
        """Algorithm 7."""
        u = len(text) // 2
        left, right = text[:u], text[u:]
        for i in range(10):
            m = u if i % 2 == 0 else len(text) - u
            y = self._round(tweak, len(text), i, right)
            c = (number(left, self.radix) + y) % self.radix**m
            left, right = right, numerals(c, self.radix, m)
        return left + right

    def decrypt(self, tweak: bytes, text: list[int]) -> list[int]:
        """Algorithm 8."""
        u = len(text) // 2
        left, right = text[:u], text[u:]
        for i in reversed(range(10)):
            m = u if i % 2 == 0 else len(text) - u
            y = self._round(tweak, len(text), i, left)
            c = (number(right, self.radix) - y) % self.radix**m
            left, right = numerals(c, self.radix, m), left
        return left + right

    def _round(self, tweak: bytes, n: int, i: int, half: list[int]) -> int:
        u, t = n // 2, len(tweak)
        b = ceil(ceil((n - u) * log2(self.radix)) / 8)
        d = 4 * ceil(b / 4) + 4
        p = bytes([1, 2, 1]) + self.radix.to_bytes(3, "big") + bytes([10, u % 256])
        p += n.to_bytes(4, "big") + t.to_bytes(4, "big")
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + number(half, self.radix).to_bytes(b, "big")
        r = self._prf(p + q)
        s = r
        for j in range(1, ceil(d / 16)):
            s += self._block((int.from_bytes(r, "big") ^ j).to_bytes(16, "big"))
        return int.from_bytes(s[:d], "big")

    def _prf(self, message: bytes) -> bytes:
        y = bytes(16)
        for at in range(0, len(message), 16):
            block = message[at : at + 16]
            y = self._block(bytes(a ^ c for a, c in zip(y, block, strict=True)))
        return y

    def _block(self, block: bytes) -> bytes:
        encryptor = self._aes.encryptor()
        return encryptor.update(block) + encryptor.finalize()

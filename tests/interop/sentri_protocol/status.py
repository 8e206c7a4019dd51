"""The status that a lock answers with (section 7, M2)."""

from dataclasses import dataclass

from .codec import Reader, check_mac, hmac, require, u
from .keys import LockKeys

OPENED, SERVED, NOT_YET, EXPIRED, OUTSIDE_HOURS, REVOKED = 0, 1, 2, 3, 4, 5
CLOCK_LOST, NO_RIGHT, OPENED_ALREADY, MOTOR_FAILED = 6, 7, 8, 9
UNKNOWN_CAVEAT, FLASH_FAILED = 10, 11

MOTOR_DRIVEN, TOKEN_IGNORED, RECORDS_LOST, FLASH_WORN = 1, 2, 4, 8
STATUS_BYTES = 44


@dataclass(frozen=True)
class Status:
    """36 bytes of facts; the MAC over them is for the backend."""

    result: int
    operation_id: bytes
    clock: int
    quality: int
    epoch: int
    revocation_version: int
    settings_version: int
    log_head: int
    unacknowledged: int
    battery: int
    firmware: int
    retry_after: int
    flags: int

    def body(self) -> bytes:
        return (
            u(self.result, 1) + self.operation_id + u(self.clock, 4) + u(self.quality, 1)
            + u(self.epoch, 2) + u(self.revocation_version, 4) + u(self.settings_version, 4)
            + u(self.log_head, 4) + u(self.unacknowledged, 2) + u(self.battery, 1)
            + u(self.firmware, 2) + u(self.retry_after, 2) + u(self.flags, 1)
        )

    def encode(self, keys: LockKeys) -> bytes:
        body = self.body()
        return body + hmac(keys.of("status"), body)[:8]

    @classmethod
    def decode(cls, data: bytes) -> "Status":
        """As the phone reads it, which cannot check the MAC."""
        reader = Reader(data)
        status = cls(
            reader.u(1), reader.take(8), reader.u(4), reader.u(1), reader.u(2), reader.u(4), reader.u(4),
            reader.u(4), reader.u(2), reader.u(1), reader.u(2), reader.u(2), reader.u(1),
        )
        reader.take(8)
        reader.end()
        require(status.result <= FLASH_FAILED, "status result")
        require(status.flags & ~15 == 0, "status flags")
        return status


def check_status(keys: LockKeys, data: bytes) -> Status:
    """As the backend reads it: the MAC first."""
    check_mac(hmac(keys.of("status"), data[:-8])[:8], data[-8:])
    return Status.decode(data)

"""What a lock decides about a proved request (section 7), as far as it needs no memory of the wake."""

from dataclasses import dataclass, field

from . import status as result
from .localtime import AccessHours, Zone
from .request import OPEN, SERVICE, Request
from .revocation import CREDENTIAL, WORKER, RevocationList
from .ticket import CAVEAT_WORKER, RIGHT_OPEN, RIGHT_SERVICE, Ticket

TOLERANCE_BASE, TOLERANCE_PER_DAY, TOLERANCE_MOST = 300, 6, 1800


@dataclass
class LockState:
    """What the judgement depends on beside the request."""

    now: int
    quality: int
    zone: Zone
    hours: AccessHours
    epoch_floor: int = 0
    revoked: RevocationList = field(default_factory=lambda: RevocationList(0, 0, ()))
    opened_in_this_wake: bool = False
    flash_works: bool = True

    @property
    def tolerance(self) -> int:
        days = self.quality - 1
        return min(TOLERANCE_BASE + TOLERANCE_PER_DAY * days, TOLERANCE_MOST)


def window(request: Request) -> tuple[int, int]:
    """The conjunction of the ticket's window with its caveats'."""
    parts = [Ticket.decode(request.ticket), *request.caveats]
    return max(part.not_before for part in parts), min(part.not_after for part in parts)


def judge(request: Request, lock: LockState) -> int:
    """The first result that fits, in the order that section 7 gives."""
    ticket = Ticket.decode(request.ticket)
    if not lock.flash_works:
        return result.FLASH_FAILED
    needed = {OPEN: RIGHT_OPEN, SERVICE: RIGHT_SERVICE}[request.operation]
    if not ticket.rights & needed:
        return result.NO_RIGHT
    if any(caveat.kind != CAVEAT_WORKER for caveat in request.caveats):
        return result.UNKNOWN_CAVEAT
    if ticket.epoch < lock.epoch_floor or is_revoked(request, ticket, lock.revoked):
        return result.REVOKED
    if request.operation == SERVICE:
        return result.SERVED
    return judge_time(request, ticket, lock)


def is_revoked(request: Request, ticket: Ticket, revoked: RevocationList) -> bool:
    workers = {bytes(5) + caveat.worker for caveat in request.caveats if caveat.kind == CAVEAT_WORKER}
    return any(
        (entry.kind == CREDENTIAL and entry.id == ticket.credential)
        or (entry.kind == WORKER and entry.id in workers)
        for entry in revoked.entries
    )


def judge_time(request: Request, ticket: Ticket, lock: LockState) -> int:
    not_before, not_after = window(request)
    if not_before >= not_after:
        return result.EXPIRED
    if lock.quality == 0:
        return result.EXPIRED if lock.now >= not_after + TOLERANCE_MOST else result.CLOCK_LOST
    if lock.now < not_before - lock.tolerance:
        return result.NOT_YET
    if lock.now >= not_after + lock.tolerance:
        return result.EXPIRED
    _, weekday, second = lock.zone.local(lock.now)
    if not (ticket.schedule.covers(weekday, second) and lock.hours.covers(weekday, second)):
        return result.OUTSIDE_HOURS
    return result.OPENED_ALREADY if lock.opened_in_this_wake else result.OPENED

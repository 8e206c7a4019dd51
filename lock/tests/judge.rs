//! The order in which a lock judges: of all reasons that hold, the first of the document's list is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use sentri_lock::{
    clock::Now,
    judge::{Case, Judgement, judge},
    sim::Backend,
};
use sentri_protocol::{
    Time,
    hours::AccessHours,
    open::{Operation, OperationId, PhoneClock, Request, Verdict},
    revocation::{Entry, RevocationList, Revoked},
    settings::Settings,
    status::ClockQuality,
    ticket::{Caveat, CredentialId, Epoch, Rights},
    time::Window,
};

const NOW: Time = Time(1_790_000_000);

/// A request that everything speaks against.
fn hopeless() -> (Request, Settings, RevocationList) {
    let window = Window::new(NOW.plus(86_400), NOW.plus(90_000)).expect("a window");
    let mut ticket = Backend::new(1).ticket(5, window, NOW);
    ticket.rights = Rights::new(0b010).expect("rights");
    let request = Request {
        ticket,
        operation: Operation::OpenKeyBin,
        operation_id: OperationId([1; 8]),
        clock: PhoneClock { time: NOW, uncertainty: 1 },
        caveats: vec![Caveat {
            kind: 9,
            not_before: NOW.plus(86_400),
            not_after: NOW.plus(90_000),
            worker: [7; 3],
        }],
        lower_bound: None,
    };
    let settings = Settings { access_hours: AccessHours([None; 7]), ..Settings::default() };
    let revoked = |what| Entry { what, until: NOW };
    let entries = vec![
        revoked(Revoked::Credential(CredentialId(5_u64.to_be_bytes()))),
        revoked(Revoked::Worker([0, 0, 0, 0, 0, 7, 7, 7])),
    ];
    (request, settings, RevocationList::new(1, Epoch(3), entries).expect("two entries"))
}

#[test]
fn reasons_are_told_in_the_documents_order() {
    let (mut request, mut settings, mut revocations) = hopeless();
    let mut now = Now { time: NOW, quality: ClockQuality::Lost };
    let (mut flash_worn, mut opened_in_wake) = (true, true);
    let expected = [
        Verdict::FlashFailed,
        Verdict::NoRight,
        Verdict::UnknownCaveat,
        Verdict::Revoked, // Its credential.
        Verdict::Revoked, // Its worker.
        Verdict::Revoked, // Its epoch.
        Verdict::ClockLost,
        Verdict::NotYet,
        Verdict::OutsideHours,
        Verdict::AlreadyOpened,
        Verdict::Opened,
    ];
    for (mended, expected) in expected.into_iter().enumerate() {
        let case = Case {
            request: &request,
            now,
            settings: &settings,
            revocations: &revocations,
            last_open: None,
            opened_in_wake,
            flash_worn,
        };
        assert_eq!(judge(&case).verdict, expected, "with {mended} things mended");
        let entries = revocations.entries();
        match mended {
            0 => flash_worn = false,
            1 => request.ticket.rights = Rights::OPEN,
            2 => request.caveats[0].kind = Caveat::WORKER,
            3 => {
                revocations = RevocationList::new(1, Epoch(3), entries[1..].to_vec()).expect("one entry");
            }
            4 => revocations = RevocationList::new(1, Epoch(3), Vec::new()).expect("none"),
            5 => request.ticket.epoch = Epoch(3),
            6 => now.quality = ClockQuality::Good { days: 0 },
            7 => now.time = NOW.plus(86_500),
            8 => settings.access_hours = AccessHours::ALWAYS,
            _ => opened_in_wake = false,
        }
    }
}

#[test]
fn service_is_refused_for_lack_of_right_or_revocation_and_for_nothing_else() {
    let (mut request, settings, revocations) = hopeless();
    request.operation = Operation::Service;
    request.ticket.rights = Rights::SERVICE;
    request.caveats.clear();
    let judged = |request: &Request, revocations: &RevocationList| {
        judge(&Case {
            request,
            now: Now { time: NOW, quality: ClockQuality::Lost },
            settings: &settings,
            revocations,
            last_open: None,
            opened_in_wake: true,
            flash_worn: false,
        })
    };
    assert_eq!(judged(&request, &revocations).verdict, Verdict::Revoked);
    let served = Judgement { verdict: Verdict::Served, retry_after: 0, returns: false };
    assert_eq!(judged(&request, &RevocationList::default()), served);
}

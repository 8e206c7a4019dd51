//! Routes of codes for keypads.

use sentri_wire::codes;

use super::{
    code_handlers as handlers,
    endpoint::{Access::Agent, Endpoint},
    routes::{DELETE, GET, POST},
};

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(GET, "/v1/lockboxes/{serial}/keypad", Agent, handlers::keypad)
            .named("keypad", "The keypad of one of the agent's own lockboxes, with its contractor codes.")
            .gives::<codes::Keypad>(200, "The keypad."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/keypad", Agent, handlers::set_keypad)
            .named(
                "setKeypad",
                "Switch contractor mode or SmartPINs: Pending until a phone has told the lock.",
            )
            .feature("keypad")
            .takes::<codes::KeypadChange>()
            .gives::<codes::Keypad>(200, "The keypad as it now is."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/contractor-codes", Agent, handlers::rotate)
            .named(
                "rotateContractorCode",
                "Make a new contractor code; the old one works until the lock hears of it.",
            )
            .feature("keypad")
            .once()
            .takes::<codes::RotateRequest>()
            .gives::<codes::Keypad>(200, "The keypad as it now is."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/one-day-codes", Agent, handlers::one_day)
            .named("makeOneDayCode", "Make a code that works for an hour from its first use on one day.")
            .feature("one_day_code")
            .once()
            .takes::<codes::OneDayRequest>()
            .gives::<codes::IssuedCode>(201, "The code."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/smart-pins", Agent, handlers::smart_pin)
            .named("makeSmartPin", "Make a SmartPIN for a guest, or note one that the phone has made.")
            .feature("smart_pin")
            .once()
            .takes::<codes::SmartPinRequest>()
            .gives::<codes::IssuedCode>(201, "The SmartPIN."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/smart-pins/offline", Agent, handlers::go_offline)
            .named("makeSmartPinsOffline", "Let this phone make SmartPINs with no network for a while.")
            .feature("smart_pin")
            .takes::<codes::OfflinePinsRequest>()
            .gives::<codes::SmartPinKey>(200, "What the phone makes them with."),
        Endpoint::new(DELETE, "/v1/lockboxes/{serial}/smart-pins/offline", Agent, handlers::stay_online)
            .named("makeNoSmartPinsOffline", "Say that this phone has wiped what it made SmartPINs with.")
            .gives_nothing("Noted."),
        Endpoint::new(POST, "/v1/codes/{id}/block", Agent, handlers::block)
            .named("blockSmartPin", "Block a SmartPIN: it opens until a phone has told the lock.")
            .feature("smart_pin")
            .gives::<codes::IssuedCode>(200, "The SmartPIN as it now is."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/smac", Agent, handlers::smac)
            .named("smacKey", "What makes the agent's mobile access codes of a lockbox until midnight UTC.")
            .feature("smac")
            .gives::<codes::SmacKey>(200, "The key of the day."),
    ]
}

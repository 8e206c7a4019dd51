//! Fictional people and places. Phone numbers of the form 555-01xx belong to nobody.

use sentri_core::api::{
    signup::{NewPerson, QuestionAndAnswer},
    types::NewListing,
};
use sentri_server::operator::{NewAgent, NewLockbox};
use sentri_wire::{Secret, agent::LockboxGeneration};

use super::times;

/// The association.
pub const ASSOCIATION: &str = "Lakeside Association of Realtors";
/// The agent's brokerage.
pub const BROKERAGE: &str = "Harbor Realty";
/// The agent's name.
pub const AGENT: (&str, &str) = ("Dana", "Reyes");
/// The agent's address.
pub const AGENT_EMAIL: &str = "dana.reyes@harbor-realty.example";
/// The agent's cell phone.
pub const AGENT_PHONE: &str = "(312) 555-0142";
/// The agent's nine digits.
pub const SENTRIKEY_ID: &str = "104227318";
/// The agent's password.
pub const AGENT_PASSWORD: &str = "Lakeside7";
/// The agent's PIN.
pub const AGENT_PIN: &str = "2580";
/// The contractor's name.
pub const CONTRACTOR: (&str, &str) = ("Pat", "Moreno");
/// Where the contractor gets mail, unless the reader says otherwise.
pub const CONTRACTOR_EMAIL: &str = "pat@moreno-plumbing.example";
/// The contractor's cell phone.
pub const CONTRACTOR_PHONE: &str = "(312) 555-0177";
/// The contractor's password.
pub const CONTRACTOR_PASSWORD: &str = "Wrench42";
/// The contractor's PIN.
pub const CONTRACTOR_PIN: &str = "7301";
/// The listing, unless the reader says otherwise.
pub const ADDRESS: &str = "12 Orchard Lane";
/// The listing's city, state and ZIP code.
pub const CITY: (&str, &str, &str) = ("Evanston", "IL", "60201");
/// The other listing.
pub const OTHER_ADDRESS: &str = "48 Pier Street";
/// The region, in the association's words.
pub const REGION: &str = "North Shore";
/// The Bluetooth lockbox of the story.
pub const BOX: &str = "B-20417";
/// A Bluetooth lockbox next door.
pub const OTHER_BOX: &str = "B-20418";
/// The lockbox without Bluetooth.
pub const KEYPAD_BOX: &str = "K-00731";
/// All of the agent's lockboxes.
pub const BOXES: [(&str, LockboxGeneration); 3] = [
    (BOX, LockboxGeneration::Ble),
    (OTHER_BOX, LockboxGeneration::Ble),
    (KEYPAD_BOX, LockboxGeneration::NonBle),
];

/// The agent, as the operator enters them.
pub fn agent() -> NewAgent {
    NewAgent {
        association: ASSOCIATION.into(),
        brokerage: Some(BROKERAGE.into()),
        sentrikey_id: SENTRIKEY_ID.into(),
        first_name: AGENT.0.into(),
        last_name: AGENT.1.into(),
        email: AGENT_EMAIL.into(),
        phone: AGENT_PHONE.into(),
        password: Secret::new(AGENT_PASSWORD),
        pin: Secret::new(AGENT_PIN),
    }
}

/// The SentriKey ID of [`member`].
pub const MEMBER_ID: &str = "104227319";

/// Another agent of the association.
pub fn member() -> NewAgent {
    NewAgent {
        sentrikey_id: MEMBER_ID.into(),
        first_name: "Robin".into(),
        last_name: "Ellis".into(),
        email: "robin.ellis@harbor-realty.example".into(),
        phone: "(312) 555-0143".into(),
        ..agent()
    }
}

/// The contractor, as the app asks at sign-up.
pub fn contractor() -> NewPerson {
    NewPerson {
        first_name: CONTRACTOR.0.into(),
        last_name: CONTRACTOR.1.into(),
        role: "Plumber".into(),
        password: CONTRACTOR_PASSWORD.into(),
        pin: CONTRACTOR_PIN.into(),
        security_questions: vec![QuestionAndAnswer {
            question: "What was your first tool?".into(),
            answer: "A pipe wrench".into(),
        }],
    }
}

/// A listing of the agent's at this address, as the agent enters it.
pub fn listing(address: &str) -> NewListing {
    let (city, us_state, zip) = CITY;
    NewListing {
        unparsed_address: address.into(),
        city: city.into(),
        state_or_province: us_state.into(),
        postal_code: zip.into(),
        list_price: Some(489_000),
        time_zone: times::ZONE.name().into(),
    }
}

/// A lockbox of the agent's, as the operator enters it.
pub fn lockbox(serial: &str, generation: LockboxGeneration, access_hours: &str) -> NewLockbox {
    NewLockbox {
        serial: serial.into(),
        generation,
        owner: SENTRIKEY_ID.into(),
        time_zone: times::ZONE.name().into(),
        access_hours: access_hours.into(),
    }
}

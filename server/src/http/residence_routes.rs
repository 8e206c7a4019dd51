//! The routes of residents: their doors, and the codes there.

use sentri_wire::residence;

use super::{
    endpoint::{Access::Account, Endpoint},
    residence_handlers as handlers,
    routes::{DELETE, GET, POST},
};

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(GET, "/v1/doors", Account, handlers::doors)
            .named("listDoors", "The doors that a resident goes through.")
            .gives::<residence::Doors>(200, "The doors."),
        Endpoint::new(GET, "/v1/doors/{serial}/codes", Account, handlers::codes)
            .named("listDoorCodes", "A resident's codes at a door: their own, and their guests'.")
            .gives::<residence::DoorCodes>(200, "The codes."),
        Endpoint::new(POST, "/v1/doors/{serial}/codes/generate", Account, handlers::generate)
            .named(
                "generateDoorCode",
                "A new code for the resident; the old one works until it is delivered.",
            )
            .once()
            .takes::<residence::GenerateCode>()
            .gives::<residence::DoorCode>(201, "The code, Pending."),
        Endpoint::new(POST, "/v1/doors/{serial}/codes/pick", Account, handlers::pick)
            .named(
                "pickDoorCode",
                "The same, picked by the resident. In the app alone, of version 2.8.0 or newer.",
            )
            .feature("custom-codes")
            .once()
            .takes::<residence::PickCode>()
            .gives::<residence::DoorCode>(201, "The code, Pending."),
        Endpoint::new(POST, "/v1/doors/{serial}/codes/guests", Account, handlers::make_guest_code)
            .named("makeGuestCode", "A generated code for a guest.")
            .once()
            .takes::<residence::GuestCode>()
            .gives::<residence::DoorCode>(201, "The code, Pending."),
        Endpoint::new(DELETE, "/v1/door-codes/{id}", Account, handlers::delete)
            .named("deleteDoorCode", "Delete a code; it works until the lock has heard of that.")
            .once()
            .gives_nothing("Deleted, or to be."),
    ]
}

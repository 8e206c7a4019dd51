//! Accesses, as their holder sees them.

/// Where an access is in its life. [CON-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccessState {
    /// Not begun.
    Upcoming,
    /// Begun and not over.
    Active,
    /// Over.
    Past,
    /// Taken back.
    Revoked,
}

/// Whether the phone can open the box without network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Readiness {
    /// It can, in that span.
    Ready {
        /// First second.
        from: i64,
        /// First second that is too late; connecting before then moves it on, up to the access's end.
        until: i64,
    },
    /// "Connect once after …".
    ConnectAfter {
        /// From when on a credential can be fetched.
        at: i64,
    },
    /// Whoever granted it is not in good standing at present: ask them. It goes on once they are.
    OnHold,
    /// The access is over or revoked.
    Never,
}

/// An access, as the person who holds it sees it. [CON-1]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Access {
    /// Its id.
    pub id: String,
    /// Serial number of the box.
    pub lockbox: String,
    /// Street address, one line.
    pub address: String,
    /// City, state and ZIP code, one line.
    pub locality: String,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// Who granted it.
    pub granted_by: String,
    /// First second of the window.
    pub starts_at: i64,
    /// First second after the window.
    pub ends_at: i64,
    /// Where it is in its life.
    pub state: AccessState,
    /// Whether the phone can open the box without network.
    pub readiness: Readiness,
}

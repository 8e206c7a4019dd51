//! Zones as a backend would hand them to a lock in June 2027, each with its next two changes.

use sentri_protocol::{Time, zone::Zone};

/// A zone by its name in the zone database.
pub struct NamedZone {
    pub name: &'static str,
    pub zone: Zone,
}

fn zone(name: &'static str, offset: i8, changes: [(u32, i8); 2]) -> NamedZone {
    let [next, after] = changes.map(|(at, offset)| Some((Time(at), offset)));
    NamedZone { name, zone: Zone::new(offset, next, after).expect("offsets are within a day") }
}

fn without_changes(name: &'static str, offset: i8) -> NamedZone {
    NamedZone { name, zone: Zone::new(offset, None, None).expect("offsets are within a day") }
}

/// Changes on the hour and off it, at midnight, of half an hour, in summer and in winter first; quarter hours;
/// both ends of the world.
pub fn all() -> Vec<NamedZone> {
    vec![
        zone("America/New_York", -16, [(1_825_567_200, -20), (1_836_457_200, -16)]),
        zone("America/St_Johns", -10, [(1_825_561_800, -14), (1_836_451_800, -10)]),
        zone("America/Havana", -16, [(1_825_563_600, -20), (1_836_450_000, -16)]),
        zone("Asia/Beirut", 12, [(1_824_930_000, 8), (1_837_634_400, 12)]),
        zone("Africa/Casablanca", 4, [(1_832_205_600, 0), (1_835_834_400, 4)]),
        zone("Australia/Lord_Howe", 42, [(1_822_491_000, 44), (1_838_214_000, 42)]),
        zone("Pacific/Chatham", 51, [(1_821_880_800, 55), (1_838_210_400, 51)]),
        without_changes("America/Phoenix", -28),
        without_changes("Asia/Kathmandu", 23),
        without_changes("Pacific/Kiritimati", 56),
        without_changes("Etc/GMT+12", -48),
    ]
}

/// By its name.
pub fn named(name: &str) -> Zone {
    all().into_iter().find(|it| it.name == name).expect("a zone of this list").zone
}

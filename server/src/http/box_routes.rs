//! The routes about lockboxes' settings, about finding a box by its press of ENT, and about members' cards.

use sentri_wire::{agent, card, settings};

use super::{
    box_handlers as handlers,
    endpoint::{Access::Agent, Endpoint},
    routes::{GET, POST},
};

/// All of them.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/lockbox-search", Agent, handlers::search)
            .named("searchLockbox", "Which of the agent's own lockboxes woke, by what it sends after ENT.")
            .takes::<settings::LockboxSearch>()
            .gives::<agent::Lockbox>(200, "The lockbox."),
        Endpoint::new(GET, "/v1/lockbox-settings", Agent, handlers::defaults)
            .named("defaultSettings", "Default Lockbox Settings.")
            .gives::<settings::BoxSettings>(200, "The settings."),
        Endpoint::new(POST, "/v1/lockbox-settings", Agent, handlers::set_defaults)
            .named("setDefaultSettings", "Set them, for all lockboxes that follow them.")
            .feature("settings")
            .once()
            .takes::<settings::BoxSettings>()
            .gives::<settings::BoxSettings>(200, "The settings as they now are."),
        Endpoint::new(GET, "/v1/lockboxes/{serial}/settings", Agent, handlers::settings)
            .named("lockboxSettings", "What a lockbox was told, and what it goes by until it has that.")
            .gives::<settings::LockboxSettings>(200, "The settings."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/settings", Agent, handlers::set_settings)
            .named("setLockboxSettings", "Give a lockbox settings of its own, or the default ones.")
            .feature("settings")
            .once()
            .takes::<settings::SettingsChoice>()
            .gives::<settings::LockboxSettings>(200, "The settings as they now are."),
        Endpoint::new(GET, "/v1/card", Agent, handlers::card_errands)
            .named(
                "cardErrands",
                "Which of the agent's own lockboxes wait for what the agent's card brings them.",
            )
            .gives::<card::CardErrands>(200, "The lockboxes."),
        Endpoint::new(POST, "/v1/card", Agent, handlers::renew_card)
            .named("renewCard", "Renew the agent's card, and take what lockboxes wrote onto it.")
            .feature("card")
            .takes::<card::CardRenewal>()
            .gives::<card::RenewedCard>(200, "What the card reader writes onto the card."),
    ]
}

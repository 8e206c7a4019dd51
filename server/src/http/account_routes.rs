//! The routes about accounts and devices.

use sentri_wire::{account, device, export, identity};

use super::{
    account_handlers as handlers,
    endpoint::{
        Access::{Account, AnyDevice, AnyStanding, Proven, Public},
        Endpoint,
    },
    handlers as others,
    routes::{DELETE, GET, POST},
};

/// All of them.
pub fn endpoints() -> Vec<Endpoint> {
    [session_routes(), signup_routes(), password_routes(), identity_routes(), own_routes(), device_routes()]
        .into_iter()
        .flatten()
        .collect()
}

fn session_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/login", Public, others::login)
            .named("login", "Log in; registers the device where it is new.")
            .takes::<account::LoginRequest>()
            .gives::<account::LoginResponse>(200, "Logged in."),
        Endpoint::new(POST, "/v1/token/refresh", Public, others::refresh)
            .named("refreshToken", "Exchange a refresh token, once, for a new pair.")
            .once()
            .takes::<account::RefreshRequest>()
            .gives::<account::Tokens>(200, "The new pair."),
        Endpoint::new(POST, "/v1/logout", AnyDevice, others::logout)
            .named("logout", "End this session; the device stays registered.")
            .gives_nothing("Logged out."),
        Endpoint::new(GET, "/v1/me", AnyStanding, others::me)
            .named("me", "The profile.")
            .gives::<account::Account>(200, "The profile."),
        Endpoint::new(GET, "/v1/me/export", AnyStanding, others::export_me)
            .named("exportMe", "All that is stored about the caller, in one document.")
            .gives::<export::PersonalData>(200, "The document."),
    ]
}

fn signup_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/signup", Public, others::start_signup)
            .named("startSignup", "Make an account, from an invitation or unprompted: a code goes out by text, and without an invitation by mail too.")
            .takes::<account::SignupRequest>()
            .gives::<account::SignupStarted>(201, "The code is on its way."),
        Endpoint::new(POST, "/v1/signup/verify", Public, others::verify_signup)
            .named("verifySignup", "Enter the code from the text, and the one from the mail where one was sent.")
            .takes::<account::SignupVerify>()
            .gives_nothing("The code was right."),
        Endpoint::new(POST, "/v1/signup/complete", Public, others::complete_signup)
            .named("completeSignup", "Say who it is; makes the account.")
            .takes::<account::SignupComplete>()
            .gives::<account::Account>(201, "The account is made: log in."),
    ]
}

fn password_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/password/forgot", Public, handlers::forgot_password)
            .named(
                "forgotPassword",
                "Ask for a link by mail; the answer never tells whether the account exists.",
            )
            .takes::<identity::ForgotPassword>()
            .gives_accepted("Where there is such an account, a mail is on its way."),
        Endpoint::new(POST, "/v1/password/reset", Public, handlers::reset_password)
            .named("resetPassword", "Set a new password with the link, once; ends all sessions.")
            .takes::<identity::ResetPassword>()
            .gives_nothing("The password is set: log in."),
        Endpoint::new(POST, "/v1/me/password", AnyStanding, handlers::change_password)
            .named("changePassword", "Change the password; ends all other sessions.")
            .takes::<identity::PasswordChange>()
            .gives_nothing("Changed."),
    ]
}

fn identity_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/identity", Public, handlers::start_identity)
            .named("startIdentity", "Prove who you are with the password: a code goes out by mail.")
            .takes::<identity::IdentityRequest>()
            .gives::<identity::IdentityStarted>(201, "The code is on its way."),
        Endpoint::new(POST, "/v1/identity/verify", Public, handlers::verify_identity)
            .named("verifyIdentity", "Enter the code from the mail; proven for ten minutes.")
            .takes::<identity::IdentityVerify>()
            .gives_nothing("The code was right."),
        Endpoint::new(GET, "/v1/identity/devices", Proven, handlers::own_devices)
            .named("listDevices", "One's own registered devices.")
            .gives::<device::OwnDevices>(200, "The devices."),
        Endpoint::new(DELETE, "/v1/identity/devices/{id}", Proven, handlers::remove_device)
            .named(
                "removeDevice",
                "Give up a registration: no more tickets, and those that are out are revoked.",
            )
            .gives_nothing("Removed."),
        Endpoint::new(POST, "/v1/identity/pin", Proven, handlers::set_pin)
            .named("setPin", "Set a new granting PIN; ends a wait after wrong ones.")
            .takes::<identity::NewPin>()
            .gives_nothing("Set."),
    ]
}

fn own_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/me/profile", Account, handlers::change_profile)
            .named("changeProfile", "Change name and role.")
            .takes::<identity::ProfileChange>()
            .gives::<account::Account>(200, "The profile."),
        Endpoint::new(POST, "/v1/me/security-questions", Account, handlers::change_questions)
            .named("changeSecurityQuestions", "Change the security questions.")
            .takes::<identity::SecurityQuestionsChange>()
            .gives_nothing("Changed."),
        Endpoint::new(POST, "/v1/me/phone", Account, handlers::start_phone)
            .named("startPhoneChange", "Change the cell phone number: a code goes to the new one.")
            .takes::<identity::PhoneChange>()
            .gives::<identity::ChangeStarted>(201, "The code is on its way."),
        Endpoint::new(POST, "/v1/me/phone/verify", Account, handlers::verify_phone)
            .named("verifyPhoneChange", "Enter the code from the text; changes the number.")
            .takes::<identity::ChangeVerify>()
            .gives::<account::Account>(200, "The profile."),
        Endpoint::new(POST, "/v1/me/email", Account, handlers::start_email)
            .named("startEmailChange", "Change the address: a code goes to the new one.")
            .takes::<identity::EmailChange>()
            .gives::<identity::ChangeStarted>(201, "The code is on its way."),
        Endpoint::new(POST, "/v1/me/email/verify", Account, handlers::verify_email)
            .named(
                "verifyEmailChange",
                "Enter the code from the mail; changes the address, and tells the old one.",
            )
            .takes::<identity::ChangeVerify>()
            .gives::<account::Account>(200, "The profile."),
        Endpoint::new(POST, "/v1/me/delete", AnyDevice, handlers::delete_account)
            .named("deleteAccount", "Delete the account at once.")
            .once()
            .takes::<identity::DeleteAccount>()
            .gives::<identity::AccountDeleted>(200, "Gone; with what is needed to return keys that are out."),
    ]
}

fn device_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/me/device/challenge", Account, handlers::challenge)
            .named("deviceChallenge", "Something fresh for the device's key to sign.")
            .takes::<device::ChallengeRequest>()
            .gives::<device::Challenge>(200, "The challenge."),
        Endpoint::new(POST, "/v1/me/device/key", Account, handlers::register_key)
            .named("registerDeviceKey", "Register the device's key; tickets are bound to it from then on.")
            .takes::<device::DeviceKeyRequest>()
            .gives_nothing("Registered."),
        Endpoint::new(POST, "/v1/me/device/push", AnyStanding, handlers::register_push)
            .named("registerPush", "Tell where this device's pushes go.")
            .takes::<device::PushAddress>()
            .gives_nothing("Registered."),
        Endpoint::new(DELETE, "/v1/me/device/push", AnyStanding, handlers::end_pushes)
            .named("endPushes", "No more pushes to this device.")
            .gives_nothing("Ended."),
    ]
}

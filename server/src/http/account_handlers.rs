//! From HTTP to the rules about accounts and devices, and back. Nothing is decided here.

use axum::{Json, extract::State, http::StatusCode};
use sentri_wire::{
    account::Account,
    device::{Challenge, ChallengeRequest, DeviceKeyRequest, OwnDevices, PushAddress},
    identity::{
        AccountDeleted, ChangeStarted, ChangeVerify, DeleteAccount, EmailChange, ForgotPassword,
        IdentityRequest, IdentityStarted, IdentityVerify, NewPin, PasswordChange, PhoneChange, ProfileChange,
        ResetPassword, SecurityQuestionsChange,
    },
};

use super::{
    Shared,
    extract::{AnyDevice, AnyStanding, Auth, Body, Key, Proven, Segment},
    handlers::{Created, Done, Reply, created},
};
use crate::service::{deletion, devices, id_in_path, identity, password, profile, pushes};

pub async fn forgot_password(State(app): State<Shared>, body: Body<ForgotPassword>) -> Done {
    password::forgot(&app, &body.value).await.map(|()| StatusCode::ACCEPTED)
}

pub async fn reset_password(State(app): State<Shared>, body: Body<ResetPassword>) -> Done {
    password::reset(&app, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn start_identity(
    State(app): State<Shared>,
    body: Body<IdentityRequest>,
) -> Created<IdentityStarted> {
    identity::start(&app, &body.value).await.map(created)
}

pub async fn verify_identity(State(app): State<Shared>, body: Body<IdentityVerify>) -> Done {
    identity::verify(&app, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn own_devices(State(app): State<Shared>, Proven(identity): Proven) -> Reply<OwnDevices> {
    identity::list(&app, &identity).await.map(Json)
}

pub async fn remove_device(
    State(app): State<Shared>,
    Proven(identity): Proven,
    Segment(id): Segment,
) -> Done {
    identity::remove(&app, &identity, id_in_path(&id)?).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn set_pin(State(app): State<Shared>, Proven(identity): Proven, body: Body<NewPin>) -> Done {
    identity::set_pin(&app, &identity, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn change_profile(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<ProfileChange>,
) -> Reply<Account> {
    profile::change(&app, &caller, &body.value).await.map(Json)
}

pub async fn change_password(
    State(app): State<Shared>,
    AnyStanding(caller): AnyStanding,
    body: Body<PasswordChange>,
) -> Done {
    password::change(&app, &caller, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn change_questions(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<SecurityQuestionsChange>,
) -> Done {
    profile::set_questions(&app, &caller, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn start_phone(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<PhoneChange>,
) -> Created<ChangeStarted> {
    profile::start_phone(&app, &caller, &body.value).await.map(created)
}

pub async fn verify_phone(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<ChangeVerify>,
) -> Reply<Account> {
    profile::verify_phone(&app, &caller, &body.value).await.map(Json)
}

pub async fn start_email(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<EmailChange>,
) -> Created<ChangeStarted> {
    profile::start_email(&app, &caller, &body.value).await.map(created)
}

pub async fn verify_email(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<ChangeVerify>,
) -> Reply<Account> {
    profile::verify_email(&app, &caller, &body.value).await.map(Json)
}

pub async fn delete_account(
    State(app): State<Shared>,
    AnyDevice(caller): AnyDevice,
    key: Key,
    body: Body<DeleteAccount>,
) -> Reply<AccountDeleted> {
    let once = key.with(&app, &body.bytes)?;
    deletion::delete(&app, &caller, &once, &body.value).await.map(Json)
}

pub async fn challenge(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<ChallengeRequest>,
) -> Reply<Challenge> {
    devices::challenge(&app, &caller, &body.value).await.map(Json)
}

pub async fn register_key(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<DeviceKeyRequest>,
) -> Done {
    devices::register_key(&app, &caller, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn register_push(
    State(app): State<Shared>,
    AnyStanding(caller): AnyStanding,
    body: Body<PushAddress>,
) -> Done {
    pushes::register(&app, &caller, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn end_pushes(State(app): State<Shared>, AnyStanding(caller): AnyStanding) -> Done {
    pushes::end(&app, &caller).await.map(|()| StatusCode::NO_CONTENT)
}

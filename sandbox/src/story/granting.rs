//! From an empty town to a contractor with an account: login, listing, grant, invitation, sign-up.

use sentri_core::{
    CoreError,
    api::{
        grant_flow::GrantStep,
        signup::SignupForm,
        types::{AccessState, Grant, Invitee, Listing, MessageTopic, SyncState},
    },
};
use sentri_server::operator::NewAssociation;

use super::{
    StoryTrouble, Telling, cast,
    script::Span,
    stage::{Stage, Whose},
    times,
};
use crate::letters;

pub(super) async fn setup(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let town = &stage.town;
    town.operate(async |operator| {
        let association = NewAssociation { name: cast::ASSOCIATION.into(), ..NewAssociation::default() };
        operator.add_association(&association).await?;
        operator.add_brokerage(cast::ASSOCIATION, cast::BROKERAGE).await?;
        operator.add_agent(&cast::agent()).await
    })
    .await?;
    for (serial, generation) in cast::BOXES {
        let lockbox = town.add_lockbox(&cast::lockbox(serial, generation, times::HOURS_ENTERED)).await?;
        tell.expect(format!("Lockbox {serial} is built and has never opened"), &lockbox.motor_drives(), &0);
    }
    let owned = town.operate(async |operator| operator.lockboxes(cast::SENTRIKEY_ID).await).await?;
    tell.say(format!(
        "The operator enters the {}, its member {} {} of {} (SentriKey ID {}), and Dana's three lockboxes. {} and \
         {} have Bluetooth, {} has a keypad only. They open from 7 AM to 9 PM.",
        cast::ASSOCIATION,
        cast::AGENT.0,
        cast::AGENT.1,
        cast::BROKERAGE,
        spoken_id(),
        cast::BOX,
        cast::OTHER_BOX,
        cast::KEYPAD_BOX
    ));
    tell.expect("The backend lists three lockboxes as Dana's", &owned.len(), &3);
    Ok(())
}

/// "104 227 318".
fn spoken_id() -> String {
    let (first, rest) = cast::SENTRIKEY_ID.split_at(3);
    let (second, third) = rest.split_at(3);
    format!("{first} {second} {third}")
}

pub(super) async fn agent_logs_in(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let core = &stage.agent.core;
    let wrong = core.login_agent(spoken_id(), "Lakeside8".into()).await;
    tell.check("A wrong password is refused", wrong == Err(CoreError::WrongCredentials));
    let signed_in = core.login_agent(spoken_id(), cast::AGENT_PASSWORD.into()).await?;
    let synced = stage.sync(Whose::Agent).await?;
    tell.say(format!(
        "{} logs in with SentriKey ID and password. The phone registers itself by that.",
        signed_in.profile.first_name
    ));
    let id = Some(cast::SENTRIKEY_ID.to_owned());
    tell.expect("The profile shows the nine digits", &signed_in.profile.sentrikey_id, &id);
    tell.check("The green check mark is shown", matches!(synced.state, SyncState::Current { .. }));
    tell.expect("My Lockboxes lists three", &core.lockboxes().await?.len(), &3);
    Ok(())
}

pub(super) async fn adds_listing(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let listing = add(stage, stage.script.address.clone()).await?;
    tell.say(format!(
        "+, Add New Listing: {}, {}, {} {}.",
        listing.unparsed_address, listing.city, listing.state_or_province, listing.postal_code
    ));
    let listings = stage.agent.core.listings().await?;
    tell.check("My Listings shows it", listings.iter().any(|it| it.id == listing.id));
    tell.expect("No lockbox hangs there yet", &listing.lockbox, &None);
    stage.left.listing = listing.id;
    Ok(())
}

/// The agent adds a listing by hand.
pub(super) async fn add(stage: &Stage, address: String) -> Result<Listing, StoryTrouble> {
    Ok(stage.agent.core.add_listing(cast::listing(&address)).await?)
}

pub(super) async fn grants(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let (core, script) = (&stage.agent.core, &stage.script);
    let flow = core.start_grant(stage.left.listing.clone()).await?;
    let choice = match flow.step() {
        GrantStep::ChooseLockbox { lockboxes } => lockboxes.len(),
        other => {
            return Err(StoryTrouble::Missing(format!(
                "The app shows {other:?}, not the choice of a lockbox."
            )));
        }
    };
    tell.expect("The app first asks for a lockbox, and offers Dana's three", &choice, &3);
    let form = flow.choose_lockbox(cast::BOX.into(), script.begins, cast::REGION.into()).await?;
    tell.expect(
        "Once it is assigned, the form follows",
        &form,
        &GrantStep::Form { lockbox: cast::BOX.into() },
    );
    let Span { from, to } = script.access;
    let pin = flow.fill_form(script.email.clone(), from, to)?;
    tell.expect("Then the app asks for the PIN", &pin, &GrantStep::Authenticate);
    let wrong = flow.authenticate("2581".into()).await;
    tell.expect("A wrong PIN is refused", &wrong, &Err(CoreError::WrongCode));
    let (grant, invitee) = done(flow.authenticate(cast::AGENT_PIN.into()).await?)?;
    stage.sync(Whose::Agent).await?;
    let messages = core.messages().await?;
    tell.say(format!("Grant access: {}, {}.", script.email, times::window(from, to)));
    tell.say(format!("Lockbox {} is assigned: on listing since today, region {}.", cast::BOX, cast::REGION));
    tell.expect("A new person: an invitation goes out", &invitee, &Invitee::New);
    tell.check(
        "Dana has a message about it, from which it can be revoked",
        messages.iter().any(|it| {
            it.topic == MessageTopic::AccessGranted
                && it.title.starts_with("SentriConnect Access")
                && it.access_id.as_ref() == Some(&grant.id)
        }),
    );
    stage.left.access = grant.id;
    Ok(())
}

fn done(step: GrantStep) -> Result<(Grant, Invitee), StoryTrouble> {
    match step {
        GrantStep::Done { grant, invitee } => Ok((grant, invitee)),
        other => Err(StoryTrouble::Missing(format!("The app shows {other:?}, not that access is granted."))),
    }
}

/// The agent grants an access at the listing, which has its lockbox by now.
pub(super) async fn grant_again(stage: &Stage, span: Span) -> Result<(Grant, Invitee), StoryTrouble> {
    let flow = stage.agent.core.start_grant(stage.left.listing.clone()).await?;
    flow.fill_form(stage.script.email.clone(), span.from, span.to)?;
    done(flow.authenticate(cast::AGENT_PIN.into()).await?)
}

pub(super) async fn invitation(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let script = &stage.script;
    let mail = stage.delivered("The invitation", stage.town.mailbox().mail_to(&script.email)).await?;
    let token = letters::invitation_in(&mail.body).unwrap_or_default();
    tell.say(format!("To {}: “{}”.", mail.to, mail.subject));
    tell.check("It names the address", mail.subject.contains(script.address.trim()));
    tell.check("It says to press ENT", mail.body.contains("press ENT"));
    tell.check("It has a link to register with", !token.is_empty());
    token.clone_into(&mut stage.left.invitation);
    Ok(())
}

pub(super) async fn signs_up(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let core = &stage.contractor.core;
    let (email, phone) = (stage.script.email.clone(), cast::CONTRACTOR_PHONE.to_owned());
    let form = SignupForm {
        invitation: Some(stage.left.invitation.clone().into()),
        email: email.clone(),
        email_again: email,
        phone: phone.clone(),
        phone_again: phone,
    };
    let signup = core.start_signup(form).await?;
    let text =
        stage.delivered("The text message", stage.town.mailbox().text_to(cast::CONTRACTOR_PHONE)).await?;
    let digits = letters::code_in(&text.body);
    tell.expect("A four-digit code comes by text", &digits.len(), &4);
    signup.verify(digits, None).await?;
    signup.complete(cast::contractor()).await?;
    stage.log_in(Whose::Contractor).await?;
    let synced = stage.sync(Whose::Contractor).await?;
    let accesses = core.accesses().await?;
    tell.say(format!(
        "{} {} registers with the link, types the texted code, and logs in with email and password.",
        cast::CONTRACTOR.0,
        cast::CONTRACTOR.1
    ));
    tell.check("The green check mark is shown", matches!(synced.state, SyncState::Current { .. }));
    let listed = accesses.iter().find(|it| it.id == stage.left.access);
    tell.check(
        "The access is listed, with its address and who granted it",
        listed.is_some_and(|it| {
            matches!(it.state, AccessState::Upcoming | AccessState::Active)
                && it.address == stage.script.address.trim()
                && it.granted_by.contains(cast::AGENT.1)
        }),
    );
    Ok(())
}

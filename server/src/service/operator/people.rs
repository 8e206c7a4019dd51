//! Making accounts: agents, residents, support users. [OPS-1]

use sentri_wire::{
    Secret,
    account::{Account, AccountKind, PasswordRule},
};
use serde::{Deserialize, Serialize};

use super::{
    Agent, NewAgent, Operator, agent_of, communities::find_community, find_association, find_brokerage,
};
use crate::{
    refusal::{Answer, Refusal},
    rules::{self, Email, Phone, SentrikeyId},
    service::App,
    store::{
        Connection, Id, Named, Writing,
        accounts::{self, AccountRow, Status},
        communities, meta,
        support_users::{self, Permission},
    },
};

/// Somebody for whom an account is made, whatever its kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Address.
    pub email: String,
    /// Cell phone number.
    pub phone: String,
    /// First password. Without one nobody knows it, and its owner asks for another by mail ("forgot password").
    #[serde(default)]
    pub password: Option<Secret>,
    /// First PIN; without one, as above.
    #[serde(default)]
    pub pin: Option<Secret>,
}

/// A resident of a community.
#[derive(Clone, Debug, Serialize)]
pub struct Resident {
    /// The account.
    #[serde(flatten)]
    pub agent: Agent,
    /// Name of the community.
    pub community: String,
    /// Which unit.
    pub unit: String,
}

/// A support user.
#[derive(Clone, Debug, Serialize)]
pub struct SupportUser {
    /// The account.
    #[serde(flatten)]
    pub agent: Agent,
    /// What they may.
    pub permission: Permission,
}

/// What makes an account one of its kind.
struct Membership {
    kind: AccountKind,
    association: Option<Id>,
    brokerage: Option<Id>,
    sentrikey_id: Option<String>,
}

impl Membership {
    fn only(kind: AccountKind) -> Self {
        Self { kind, association: None, brokerage: None, sentrikey_id: None }
    }
}

impl Operator<'_> {
    /// Makes an agent.
    pub async fn add_agent(&self, new: &NewAgent) -> Answer<Agent> {
        let person = NewPerson {
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            email: new.email.clone(),
            phone: new.phone.clone(),
            password: Some(new.password.clone()),
            pin: Some(new.pin.clone()),
        };
        self.add_member(&new.association, new.brokerage.as_deref(), &new.sentrikey_id, &person).await
    }

    /// Makes an agent of somebody whose first password may be left open.
    pub async fn add_member(
        &self,
        association: &str,
        brokerage: Option<&str>,
        sentrikey_id: &str,
        person: &NewPerson,
    ) -> Answer<Agent> {
        let number = SentrikeyId::parse(sentrikey_id, "sentrikey_id")?.as_str().to_owned();
        let hashes = self.hashes(self.password_rule(association).await?, person).await?;
        let mut tx = self.app.store.write().await?;
        let association = find_association(tx.conn(), association).await?;
        let brokerage = match brokerage {
            Some(name) => Some(find_brokerage(tx.conn(), &association, name).await?),
            None => None,
        };
        if association.suspended_at.or(brokerage.as_ref().and_then(|it| it.suspended_at)).is_some() {
            return Err(Refusal::conflict(
                "The association or the brokerage is suspended. Reinstate it first.",
            )
            .field("association"));
        }
        if accounts::by_sentrikey_id(tx.conn(), &number).await?.is_some() {
            return Err(Refusal::conflict("There is an agent with this SentriKey ID.").field("sentrikey_id"));
        }
        let membership = Membership {
            kind: AccountKind::Agent,
            association: Some(association.id),
            brokerage: brokerage.map(|it| it.id),
            sentrikey_id: Some(number),
        };
        let row = insert(self.app, &mut tx, membership, person, hashes).await?;
        tx.commit().await?;
        Ok(agent_of(&row))
    }

    /// Makes a resident of a community's unit. [RES-0]
    pub async fn add_resident(&self, community: &str, unit: &str, person: &NewPerson) -> Answer<Resident> {
        let unit = rules::text(unit, 32, "unit")?;
        let hashes = self.hashes(self.app.config.policy.password_rule, person).await?;
        let mut tx = self.app.store.write().await?;
        let community = find_community(tx.conn(), community).await?;
        if community.suspended_at.is_some() {
            return Err(
                Refusal::conflict("The community is suspended. Reinstate it first.").field("community")
            );
        }
        let membership = Membership::only(AccountKind::Resident);
        let row = insert(self.app, &mut tx, membership, person, hashes).await?;
        communities::settle(tx.conn(), row.id, community.id, &unit).await?;
        tx.commit().await?;
        Ok(Resident { agent: agent_of(&row), community: community.name, unit })
    }

    /// A community's residents, by unit.
    pub async fn residents(&self, community: &str) -> Answer<Vec<Resident>> {
        let mut conn = self.app.store.read().await?;
        let community = find_community(&mut conn, community).await?;
        let mut residents = Vec::new();
        for row in communities::residents(&mut conn, community.id).await? {
            residents.push(resident_of(&mut conn, &row).await?);
        }
        Ok(residents)
    }

    /// Makes a support user. [SUP-1]
    pub async fn add_support_user(&self, permission: Permission, person: &NewPerson) -> Answer<SupportUser> {
        let hashes = self.hashes(self.app.config.policy.password_rule, person).await?;
        let mut tx = self.app.store.write().await?;
        let membership = Membership::only(AccountKind::Support);
        let row = insert(self.app, &mut tx, membership, person, hashes).await?;
        support_users::set(tx.conn(), row.id, permission).await?;
        tx.commit().await?;
        Ok(SupportUser { agent: agent_of(&row), permission })
    }

    /// Gives a support user another permission.
    pub async fn set_permission(&self, email: &str, permission: Permission) -> Answer<SupportUser> {
        let mut tx = self.app.store.write().await?;
        let row = find_person(tx.conn(), AccountKind::Support, email).await?;
        support_users::set(tx.conn(), row.id, permission).await?;
        tx.commit().await?;
        Ok(SupportUser { agent: agent_of(&row), permission })
    }

    /// All support users.
    pub async fn support_users(&self) -> Answer<Vec<SupportUser>> {
        let mut conn = self.app.store.read().await?;
        let mut users = Vec::new();
        for row in support_users::all(&mut conn).await? {
            if let Some(permission) = support_users::permission(&mut conn, row.id).await? {
                users.push(SupportUser { agent: agent_of(&row), permission });
            }
        }
        Ok(users)
    }

    async fn password_rule(&self, association: &str) -> Answer<PasswordRule> {
        let mut conn = self.app.store.read().await?;
        Ok(find_association(&mut conn, association).await?.password_rule.0)
    }

    /// Hashes of the first password and PIN; computed before the transaction, which others wait for.
    async fn hashes(&self, rule: PasswordRule, person: &NewPerson) -> Answer<(String, String)> {
        let password = person.password.clone().unwrap_or_else(|| self.unknown_password());
        let pin = person.pin.clone().unwrap_or_else(|| self.unknown_pin());
        rules::password(rule, &password, "password")?;
        rules::pin(&pin, "pin")?;
        Ok((self.app.passwords.hash(&password).await?, self.app.passwords.hash(&pin).await?))
    }

    /// A password by the rule that nobody knows: 68 random bits.
    fn unknown_password(&self) -> Secret {
        let hex = hex::encode(self.app.random::<9>());
        Secret::new(format!("Aa1{}", hex.get(..17).unwrap_or(&hex)))
    }

    /// A PIN by the rule that nobody knows.
    fn unknown_pin(&self) -> Secret {
        loop {
            let number = u32::from_be_bytes(self.app.random()) % 10_000;
            let pin = Secret::new(format!("{number:04}"));
            if rules::pin(&pin, "pin").is_ok() {
                return pin;
            }
        }
    }
}

async fn insert(
    app: &App,
    tx: &mut Writing,
    membership: Membership,
    person: &NewPerson,
    (password, pin): (String, String),
) -> Answer<AccountRow> {
    let (email, phone) = (Email::parse(&person.email, "email")?, Phone::parse(&person.phone, "phone")?);
    let row = AccountRow {
        id: app.new_id(),
        kind: Named(membership.kind),
        status: Named(Status::Active),
        association_id: membership.association,
        brokerage_id: membership.brokerage,
        sentrikey_id: membership.sentrikey_id,
        first_name: rules::text(&person.first_name, 64, "first_name")?,
        last_name: rules::text(&person.last_name, 64, "last_name")?,
        email: email.as_str().to_owned(),
        email_key: email.key(),
        phone: phone.as_str().to_owned(),
        phone_key: phone.key(),
        role: None,
        password,
        pin,
        security_questions: String::new(),
        subject: meta::next(tx.conn(), "subject").await?,
        created_at: app.now(),
    };
    if accounts::by_email(tx.conn(), &row.email_key).await?.is_some() {
        return Err(Refusal::conflict("There is an account with this address.").field("email"));
    }
    accounts::insert(tx.conn(), &row).await?;
    tx.touch::<Account>(row.id, row.id);
    Ok(row)
}

/// Where a resident's row says they live.
pub(super) async fn resident_of(conn: &mut Connection, row: &AccountRow) -> Answer<Resident> {
    let home = communities::home(conn, row.id).await?;
    let (community, unit) = home.map_or_else(Default::default, |home| (home.community, home.unit));
    Ok(Resident { agent: agent_of(row), community, unit })
}

/// Somebody of this kind, by their address.
pub(super) async fn find_person(conn: &mut Connection, kind: AccountKind, email: &str) -> Answer<AccountRow> {
    let key = Email::parse(email, "email")?.key();
    accounts::by_email(conn, &key).await?.filter(|row| row.kind.0 == kind).ok_or_else(|| {
        Refusal::not_found().field("email").detail("There is nobody of this kind with this address.")
    })
}

//! Associations, brokerages, agents, lockboxes.

use std::io::BufRead;

use anyhow::{Context, bail};
use sentri_server::operator::{
    AssociationRules, CodePolicy, NewAssociation, NewLockbox, NewPerson, Operator,
};
use sentri_wire::{
    Secret,
    account::{self, GrantApproval},
    agent::LockboxGeneration,
    problem::SupportContact,
};

use super::out::Out;
use crate::args::{
    Agent, Allowed, Approval, Association, Brokerage, Generation, Lockbox, NamedBrokerage, PasswordRule,
    Person, Rules,
};

/// Associations.
pub async fn associations(operator: &Operator<'_>, command: Association, out: &Out) -> anyhow::Result<()> {
    match command {
        Association::List => out.print(&operator.associations().await?),
        Association::Set(rules) => {
            let (name, rules) = rules_of(rules);
            out.print(&operator.set_rules(&name, &rules).await?)
        }
        Association::Suspend { name } => out.print(&operator.suspend_association(&name).await?),
        Association::Reinstate { name } => out.print(&operator.reinstate_association(&name).await?),
        Association::Add {
            name,
            device_limit,
            lead_hours,
            longest_grant_days,
            support_name,
            support_phone,
            support_hours,
        } => {
            let support = support_name.zip(support_hours);
            let support = support.map(|(name, hours)| SupportContact { name, phones: support_phone, hours });
            let new = NewAssociation { name, device_limit, lead_hours, longest_grant_days, support };
            out.print(&operator.add_association(&new).await?)
        }
    }
}

fn rules_of(rules: Rules) -> (String, AssociationRules) {
    let grant_approval = rules.grant_approval.map(|it| match it {
        Approval::PinOrPresence => GrantApproval::PinOrPresence,
        Approval::Pin => GrantApproval::Pin,
    });
    let password_rule = rules.password_rule.map(|it| match it {
        PasswordRule::Standard => account::PasswordRule::Standard,
        PasswordRule::Strict => account::PasswordRule::Strict,
    });
    let Rules { name, device_limit, lead_hours, ticket_hours, longest_grant_days, .. } = rules;
    let rules = AssociationRules {
        device_limit,
        lead_hours,
        ticket_hours,
        longest_grant_days,
        grant_approval,
        password_rule,
        support: None,
    };
    (name, rules)
}

/// Brokerages.
pub async fn brokerages(operator: &Operator<'_>, command: Brokerage, out: &Out) -> anyhow::Result<()> {
    match command {
        Brokerage::Add(NamedBrokerage { association, name }) => {
            out.print(&operator.add_brokerage(&association, &name).await?)
        }
        Brokerage::List { association } => out.print(&operator.brokerages(&association).await?),
        Brokerage::Suspend(NamedBrokerage { association, name }) => {
            out.print(&operator.suspend_brokerage(&association, &name).await?)
        }
        Brokerage::Reinstate(NamedBrokerage { association, name }) => {
            out.print(&operator.reinstate_brokerage(&association, &name).await?)
        }
        Brokerage::Set {
            brokerage: NamedBrokerage { association, name },
            one_day_codes,
            contractor_codes,
        } => {
            let allowed = |it: Option<Allowed>| it.map(|it| it == Allowed::Allow);
            let policy = CodePolicy {
                one_day_codes: allowed(one_day_codes),
                contractor_codes: allowed(contractor_codes),
            };
            out.print(&operator.set_code_policy(&association, &name, policy).await?)
        }
        Brokerage::Transfer { brokerage: NamedBrokerage { association, name }, to } => {
            out.print(&operator.transfer_brokerage(&association, &name, &to).await?)
        }
    }
}

/// Agents.
pub async fn agents(operator: &Operator<'_>, command: Agent, out: &Out) -> anyhow::Result<()> {
    match command {
        Agent::Add { association, brokerage, sentrikey_id, person } => {
            let person = read(person)?;
            let brokerage = brokerage.as_deref();
            out.print(&operator.add_member(&association, brokerage, &sentrikey_id, &person).await?)
        }
        Agent::List { association } => out.print(&operator.agents(&association).await?),
        Agent::SetMlsId { sentrikey_id, mls_id } => {
            out.print(&operator.set_mls_id(&sentrikey_id, &mls_id).await?)
        }
        Agent::Suspend { sentrikey_id } => out.print(&operator.suspend_agent(&sentrikey_id).await?),
        Agent::Reinstate { sentrikey_id } => out.print(&operator.reinstate_agent(&sentrikey_id).await?),
        Agent::Transfer { sentrikey_id, association, brokerage } => {
            out.print(&operator.transfer_agent(&sentrikey_id, &association, brokerage.as_deref()).await?)
        }
    }
}

/// Lockboxes.
pub async fn lockboxes(operator: &Operator<'_>, command: Lockbox, out: &Out) -> anyhow::Result<()> {
    match command {
        Lockbox::Provision { serial, generation, owner, time_zone, access_hours } => {
            let generation = match generation {
                Generation::Ble => LockboxGeneration::Ble,
                Generation::NonBle => LockboxGeneration::NonBle,
            };
            let new = NewLockbox { serial, generation, owner, time_zone, access_hours };
            out.print(&operator.provision_lockbox(&new).await?)
        }
        Lockbox::List { owner } => out.print(&operator.lockboxes(&owner).await?),
        Lockbox::Transfer { serial, owner } => out.print(&operator.transfer_lockbox(&serial, &owner).await?),
        Lockbox::RenewKeys { serial } => out.print(&operator.renew_lockbox_keys(&serial).await?),
        Lockbox::Retire { serial } => out.print(&operator.retire_lockbox(&serial).await?),
    }
}

/// A person as typed, with the secrets from standard input.
pub fn read(person: Person) -> anyhow::Result<NewPerson> {
    let Person { first_name, last_name, email, phone, without_password } = person;
    let (password, pin) = if without_password {
        (None, None)
    } else {
        let line = |what| {
            secret_line(what).context("enter the password and the PIN, one a line, or say --without-password")
        };
        (Some(line("password")?), Some(line("PIN")?))
    };
    Ok(NewPerson { first_name, last_name, email, phone, password, pin })
}

/// Secrets come by standard input: arguments can be read by everybody on the machine.
pub fn secret_line(what: &str) -> anyhow::Result<Secret> {
    let mut line = String::new();
    let length = std::io::stdin().lock().read_line(&mut line)?;
    if length == 0 {
        bail!("no {what} on standard input");
    }
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

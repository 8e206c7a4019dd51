//! Phone support: somebody calls who owns a lockbox and has no app at hand. Support asks one of the security questions,
//! and what follows is written down before it is told. [COD-7]

use sentri_protocol::settings::Settings;
use sentri_wire::{
    Secret,
    account::{AccountKind, SecurityQuestion},
    codes::{ContractorCode, IssuedCode},
    problem::ProblemCode,
};
use subtle::ConstantTimeEq;

use super::{Operator, find_agent, people::find_person};
use crate::{
    refusal::{Answer, Refusal},
    service::{
        forbidden::Forbidden,
        guessing::Limit,
        issued_codes::{self, Maker},
        keypad, lock_settings,
    },
    store::{
        Id, Writing,
        accounts::{AccountRow, Status},
        lockboxes::{self, LockboxRow},
        support_log::{self, SupportDeed},
        support_users,
    },
};

/// Wrong answers: a caller who guesses calls again, at other support users too.
const ANSWERS: Limit = Limit { purpose: "support-answer", free: 3, first_wait: 3600, longest_wait: 86_400 };

/// Somebody at the phone, who says to be the owner of a lockbox.
#[derive(Clone, Debug)]
pub struct OwnersCall {
    /// Address of the support user who took the call.
    pub support: String,
    /// The owner's nine digits, as the caller says them.
    pub owner: String,
    /// What is printed on the lockbox.
    pub lockbox: String,
    /// What the caller answers to one of the owner's security questions.
    pub answer: Secret,
}

/// Who is who in a call that was believed.
struct Verified {
    support: Id,
    owner: AccountRow,
}

impl Operator<'_> {
    /// The questions that support may ask whoever says to own these nine digits. No answer is among them.
    pub async fn security_questions(&self, support: &str, owner: &str) -> Answer<Vec<String>> {
        let mut conn = self.app.store.read().await?;
        self.working_support(&mut conn, support).await?;
        let owner = find_agent(&mut conn, owner).await?;
        Ok(self.questions(&owner)?.into_iter().map(|it| it.question).collect())
    }

    /// Makes a one day code for a verified owner, to be read to them.
    pub async fn one_day_code_by_phone(&self, call: &OwnersCall, day: &str) -> Answer<IssuedCode> {
        let verified = self.verify(call).await?;
        let mut tx = self.app.store.write().await?;
        let lockbox = self.lockbox_of(&mut tx, &verified, &call.lockbox).await?;
        let maker = Maker { account: verified.support, is_support: true };
        let made = issued_codes::one_day(self.app, &mut tx, &lockbox, day, maker).await?;
        self.note(&mut tx, &verified, &lockbox, "one_day_code").await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The contractor codes of a verified owner's lockbox, to be read to them.
    pub async fn contractor_codes_by_phone(&self, call: &OwnersCall) -> Answer<Vec<ContractorCode>> {
        let verified = self.verify(call).await?;
        let mut tx = self.app.store.write().await?;
        let lockbox = self.lockbox_of(&mut tx, &verified, &call.lockbox).await?;
        Forbidden::to(tx.conn(), verified.owner.id).await?.check_contractor()?;
        let at_lock: Settings = lock_settings::at_lock(tx.conn(), &lockbox).await?;
        let wanted = crate::service::credentials::settings(&lockbox)?;
        let codes = keypad::contractor_codes(&self.app.keys(&lockbox)?, &at_lock, &wanted);
        self.note(&mut tx, &verified, &lockbox, "contractor_codes").await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Whether the caller is the owner: one right answer. Each try is counted before it is looked at.
    async fn verify(&self, call: &OwnersCall) -> Answer<Verified> {
        let mut conn = self.app.store.read().await?;
        let support = self.working_support(&mut conn, &call.support).await?;
        let owner = find_agent(&mut conn, &call.owner).await?;
        drop(conn);
        if owner.status.0 != Status::Active {
            return Err(Refusal::new(ProblemCode::AccountNotActive).field("owner"));
        }
        let questions = self.questions(&owner)?;
        let subject = owner.id.to_string();
        let _turn = self.app.turns.take(&subject).await;
        ANSWERS.count(self.app, &subject).await.map_err(|refusal| refusal.field("answer"))?;
        let given = plain(&call.answer);
        // Each is compared, so that the time tells nothing of which was near.
        let right = questions.iter().fold(false, |right, it| {
            right | bool::from(plain(&it.answer).expose().as_bytes().ct_eq(given.expose().as_bytes()))
        });
        if !right || given.expose().is_empty() {
            return Err(Refusal::new(ProblemCode::WrongCode).field("answer"));
        }
        ANSWERS.clear(self.app, &subject).await?;
        Ok(Verified { support, owner })
    }

    async fn working_support(&self, conn: &mut crate::store::Connection, email: &str) -> Answer<Id> {
        let support = find_person(conn, AccountKind::Support, email).await?;
        let may = support_users::permission(conn, support.id).await?.is_some();
        if may && support.status.0 == Status::Active {
            Ok(support.id)
        } else {
            Err(Refusal::new(ProblemCode::Forbidden).field("support"))
        }
    }

    fn questions(&self, owner: &AccountRow) -> Answer<Vec<SecurityQuestion>> {
        let none = || {
            Refusal::conflict(
                "This agent has set no security questions: the caller can't be verified by phone.",
            )
            .field("owner")
        };
        if owner.security_questions.is_empty() {
            return Err(none());
        }
        let sealed = &owner.security_questions;
        let plain = self.app.vault.open(crate::service::signup::QUESTIONS, &owner.id.to_string(), sealed)?;
        let questions: Vec<SecurityQuestion> = serde_json::from_slice(&plain)?;
        if questions.is_empty() { Err(none()) } else { Ok(questions) }
    }

    async fn lockbox_of(&self, tx: &mut Writing, verified: &Verified, serial: &str) -> Answer<LockboxRow> {
        lockboxes::hold(tx.conn(), serial).await?;
        lockboxes::owned(tx.conn(), verified.owner.id, serial)
            .await?
            .ok_or_else(|| Refusal::not_found().field("lockbox").detail("The caller owns no such lockbox."))
    }

    async fn note(
        &self,
        tx: &mut Writing,
        verified: &Verified,
        lockbox: &LockboxRow,
        action: &str,
    ) -> Answer<()> {
        let deed = SupportDeed {
            id: self.app.new_id(),
            at: self.app.now(),
            support: verified.support,
            account: verified.owner.id,
            lockbox: lockbox.id,
            action,
        };
        Ok(support_log::add(tx.conn(), &deed).await?)
    }
}

/// An answer as it is heard: neither case nor spaces can be.
fn plain(answer: &Secret) -> Secret {
    let text: String = answer.expose().chars().filter(|letter| letter.is_alphanumeric()).collect();
    Secret::new(text.to_lowercase())
}

//! Requests that a code proves: begun by somebody who knows the password, finished by whoever reads the mail or text.

use sentri_wire::{Secret, problem::ProblemCode};

use super::{App, Token, codes, digest};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Id, Named, Writing,
        proofs::{self, ProofRow, Purpose},
    },
};

/// What was begun: its name for the caller, and the code for the mail or text.
pub struct Begun {
    pub token: Token,
    pub code: Secret,
    pub expires_at: i64,
}

/// Begins a request. An earlier one of the same purpose ends.
pub async fn begin(
    app: &App,
    tx: &mut Writing,
    account: Id,
    purpose: Purpose,
    change: Option<&str>,
) -> Answer<Begun> {
    let token = app.new_token();
    let code = codes::digits(app, if purpose == Purpose::Phone { codes::TEXTED } else { codes::MAILED });
    let expires_at = app.now() + codes::SECONDS;
    proofs::drop_of(tx.conn(), account, purpose).await?;
    let row = ProofRow {
        code: Some(codes::keyed(app, WAY, &token.digest, &code)),
        payload: change
            .map(|change| app.vault.seal(PAYLOAD, &token.digest, change.as_bytes()))
            .transpose()?,
        digest: token.digest.clone(),
        purpose: Named(purpose),
        account_id: account,
        tries: 0,
        created_at: app.now(),
        expires_at,
        proven_at: None,
        used_at: None,
    };
    proofs::insert(tx.conn(), &row).await?;
    Ok(Begun { token, code, expires_at })
}

const WAY: &str = "proof-code";
const PAYLOAD: &str = "proof";

/// A request whose code was right. The caller commits.
pub struct Proven {
    pub digest: String,
    /// What is to be changed.
    pub change: String,
}

/// Checks a code. A wrong one stays counted: this commits where it refuses, so nothing may be written before.
pub async fn check(
    app: &App,
    mut tx: Writing,
    purpose: Purpose,
    account: Option<Id>,
    token: &Secret,
    code: &Secret,
) -> Answer<(Writing, Proven)> {
    let digest = digest(token);
    let row = proofs::find(tx.conn(), purpose, &digest)
        .await?
        .filter(|row| account.is_none_or(|account| account == row.account_id))
        .ok_or_else(expired)?;
    if !proofs::take_try(tx.conn(), &digest, codes::TRIES, app.now()).await? {
        let over = row.tries >= codes::TRIES && row.proven_at.is_none() && row.expires_at > app.now();
        return Err(if over {
            Refusal::new(ProblemCode::TooManyTries).detail("Start again to get a new code.")
        } else {
            expired()
        });
    }
    let given = codes::keyed(app, WAY, &digest, code);
    if let Err(wrong) = codes::check(row.code.as_deref().unwrap_or_default(), &given, "code") {
        tx.commit().await?;
        return Err(wrong);
    }
    let change = match &row.payload {
        Some(sealed) => app.vault.open(PAYLOAD, &digest, sealed)?.to_vec(),
        None => Vec::new(),
    };
    let change = String::from_utf8(change).map_err(|_| super::fault("a change that is no text"))?;
    Ok((tx, Proven { digest, change }))
}

/// It is used, or has ended.
pub fn expired() -> Refusal {
    Refusal::new(ProblemCode::Expired)
}

//! How many texts one phone number gets, whoever asks for them: nobody can flood a stranger through us.

use sentri_wire::problem::ProblemCode;

use crate::{
    refusal::{Answer, Refusal},
    rules::Phone,
    service::App,
    store::{Writing, tries},
};

const PURPOSE: &str = "texts";
/// From a number's first text on, in seconds.
const DAY: i64 = 86_400;

/// Counts one more text to a number. A text that is not sent after all is not counted: both are one transaction.
pub(super) async fn count(app: &App, tx: &mut Writing, phone: &Phone) -> Answer<()> {
    let number = app.vault.fingerprint(PURPOSE, phone.key().as_bytes());
    let window = tries::count_within(tx.conn(), PURPOSE, &number, app.now(), DAY).await?;
    let most = app.config.texts_per_number;
    if window.count > i64::from(most) {
        return Err(Refusal::new(ProblemCode::TooManyTries)
            .detail("Too many texts went to this number.")
            .limit(most)
            .retry_after(window.ends_at - app.now()));
    }
    Ok(())
}

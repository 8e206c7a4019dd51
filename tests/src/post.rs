//! What comes by mail and text, as people read it.

use sentri_sandbox::town::{LetterSeen, Town};

use crate::Trouble;

/// How much mail and how many texts there were at some moment: what comes after it is new.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    mails: usize,
    texts: usize,
}

impl Post {
    /// From now on.
    pub fn from_now(town: &Town) -> Self {
        Self { mails: town.mails().len(), texts: town.texts().len() }
    }

    /// The first new mail to that address. Waits until there is one.
    pub async fn mail_to(&self, town: &Town, address: &str) -> Result<LetterSeen, Trouble> {
        self.wait(town, |town| town.mails().into_iter().skip(self.mails).find(|mail| mail.to == address))
            .await
    }

    /// The first new text to that number. Waits until there is one.
    pub async fn text_to(&self, town: &Town, number: &str) -> Result<LetterSeen, Trouble> {
        self.wait(town, |town| town.texts().into_iter().skip(self.texts).find(|text| text.to == number)).await
    }

    /// The code in the first new mail to that address.
    pub async fn mailed_code(&self, town: &Town, address: &str) -> Result<String, Trouble> {
        let mail = self.mail_to(town, address).await?;
        Ok(leading_digits(&mail.subject.unwrap_or_default()))
    }

    /// The code in the first new text to that number.
    pub async fn texted_code(&self, town: &Town, number: &str) -> Result<String, Trouble> {
        Ok(leading_digits(&self.text_to(town, number).await?.body))
    }

    async fn wait(
        &self,
        town: &Town,
        find: impl Fn(&Town) -> Option<LetterSeen>,
    ) -> Result<LetterSeen, Trouble> {
        loop {
            if let Some(letter) = find(town) {
                return Ok(letter);
            }
            // Its own outbox may have it in hand already.
            let delivered = town.running().await?.deliver_due().await;
            delivered.map_err(|_| Trouble::Unexpected("an outbox that does not deliver"))?;
            tokio::task::yield_now().await;
        }
    }
}

/// The link in a mail.
pub fn link_in(body: &str) -> Result<String, Trouble> {
    let link = body.split_whitespace().find(|word| word.contains("://") && word.contains('#'));
    link.map(str::to_owned).ok_or(Trouble::Unexpected("a mail without a link"))
}

fn leading_digits(text: &str) -> String {
    text.chars().take_while(char::is_ascii_digit).collect()
}

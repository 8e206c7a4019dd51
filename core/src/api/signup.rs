//! A contractor makes an account from an invitation. [ACC-8]

use std::sync::Arc;

use sentri_wire::{
    Secret,
    account::{SecurityQuestion, SignupComplete, SignupRequest, SignupVerify},
};

use super::{core_object::SentriCore, error::CoreError};
use crate::http::Api;

/// The first page: address and cell phone, each as typed twice.
#[derive(Clone, uniffi::Record)]
pub struct SignupForm {
    /// The token in the invitation mail's link.
    pub invitation: Secret,
    /// The address that accesses are granted to.
    pub email: String,
    /// The same again.
    pub email_again: String,
    /// Cell phone number.
    pub phone: String,
    /// The same again.
    pub phone_again: String,
}

/// The last page: who it is.
#[derive(Clone, uniffi::Record)]
pub struct NewPerson {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// "Plumber", "Appraiser", …
    pub role: String,
    /// 6 to 20 characters, an upper case, a lower case, a digit. [ACC-9]
    pub password: Secret,
    /// Four digits, not all equal, not a run. [ACC-9]
    pub pin: Secret,
    /// Questions and answers that support may ask for; at least one.
    pub security_questions: Vec<QuestionAndAnswer>,
}

/// A question that support may ask to verify a caller.
#[derive(Clone, uniffi::Record)]
pub struct QuestionAndAnswer {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Secret,
}

/// An account in the making. Lives as long as the texted code.
#[derive(uniffi::Object)]
pub struct Signup {
    api: Api,
    name: Secret,
    code_expires_at: i64,
}

#[uniffi::export(async_runtime = "tokio")]
impl SentriCore {
    /// Begins: a four-digit code goes out by text.
    ///
    /// `InvalidField` names the field; `LinkExpired` where the invitation is used; `AgentAccount` where the
    /// proven address is an agent's.
    pub async fn start_signup(&self, form: SignupForm) -> Result<Arc<Signup>, CoreError> {
        let request = SignupRequest {
            email: form.email,
            email_again: form.email_again,
            phone: form.phone,
            phone_again: form.phone_again,
            invitation: form.invitation,
        };
        let started = self.core.api.signup(&request).await?;
        let api = self.core.api.clone();
        Ok(Arc::new(Signup { api, name: started.signup, code_expires_at: started.code_expires_at }))
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Signup {
    /// When the texted code stops working, in seconds since 1970-01-01 UTC.
    pub fn code_expires_at(&self) -> i64 {
        self.code_expires_at
    }

    /// Shows the four digits from the text.
    ///
    /// `WrongCode`; `TooManyTries` and `LinkExpired` ask for a new start.
    pub async fn verify(&self, code: String) -> Result<(), CoreError> {
        let request = SignupVerify { signup: self.name.clone(), code: Secret::new(code) };
        Ok(self.api.verify_signup(&request).await?)
    }

    /// Makes the account; the user logs in next.
    ///
    /// `InvalidField` names the field.
    pub async fn complete(&self, person: NewPerson) -> Result<(), CoreError> {
        let question = |it: QuestionAndAnswer| SecurityQuestion { question: it.question, answer: it.answer };
        let request = SignupComplete {
            signup: self.name.clone(),
            first_name: person.first_name,
            last_name: person.last_name,
            role: person.role,
            password: person.password,
            pin: person.pin,
            security_questions: person.security_questions.into_iter().map(question).collect(),
        };
        Ok(self.api.complete_signup(&request).await?)
    }
}

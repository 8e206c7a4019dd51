//! A card reader at a desk: what it asks of the backend, over HTTP, for the agent who is logged in on it.

use sentri_core::http::{Http, HttpRequest, Method, SystemHttp};
use sentri_sandbox::story::cast;
use sentri_tests::House;
use sentri_wire::{
    Binary, Problem,
    card::{CardErrands, CardRenewal, RenewedCard},
};
use serde_json::{Value, from_value, json, to_value};

/// A reader that an agent has logged in on.
pub struct CardReader {
    http: SystemHttp,
    url: String,
    bearer: Option<String>,
}

impl CardReader {
    pub async fn of(house: &House, sentrikey_id: &str) -> Self {
        let http = SystemHttp::new().unwrap();
        let mut reader = Self { http, url: house.town.base_url(), bearer: None };
        let install = format!("00000000-0000-4000-8000-000{sentrikey_id}");
        let device = json!({ "install_id": install, "name": "Card reader", "platform": "desktop" });
        let login = json!({ "login": { "sentrikey_id": sentrikey_id }, "password": cast::AGENT_PASSWORD,
            "device": device });
        let login = reader.call(Method::Post, "/v1/login", Some(login)).await.unwrap();
        reader.bearer = Some(login["access"].as_str().or(login["tokens"]["access"].as_str()).unwrap().into());
        reader
    }

    /// Serial numbers of the lockboxes that wait for the card.
    pub async fn errands(&self) -> Vec<String> {
        let errands = self.call(Method::Get, "/v1/card", None).await.unwrap();
        from_value::<CardErrands>(errands).unwrap().lockboxes
    }

    /// Renews the card, with what is on it.
    pub async fn renew(&self, pin: &str, memory: Option<Vec<u8>>) -> Result<RenewedCard, Problem> {
        let renewal = CardRenewal { pin: pin.into(), memory: memory.map(Binary::from) };
        let renewed = self.call(Method::Post, "/v1/card", Some(to_value(&renewal).unwrap())).await?;
        Ok(from_value(renewed).unwrap())
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Problem> {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(self.bearer.as_ref().map(|bearer| ("authorization", format!("Bearer {bearer}"))));
        let body = body.map(|body| body.to_string().into_bytes());
        let request = HttpRequest { method, url: format!("{}{path}", self.url), headers, body };
        let answer = self.http.send(request).await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        if (200..300).contains(&answer.status) { Ok(body) } else { Err(from_value(body).unwrap()) }
    }
}

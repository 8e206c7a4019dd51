//! One step of the story: what is told, what must hold, and what it took.

use std::time::Instant;

use serde::Serialize;

use crate::{phone::Exchanged, radio::Traffic};

/// A step as it was played.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Counted from 1.
    pub number: usize,
    /// In a realtor's words.
    pub title: String,
    /// When it was, by the story's clock, in the property's zone.
    pub when: String,
    /// What happened, a sentence each.
    pub told: Vec<String>,
    /// What had to hold.
    pub facts: Vec<Fact>,
    /// Whether all of it held.
    pub passed: bool,
    /// What it took.
    pub took: Took,
}

/// Something that had to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What.
    pub claim: String,
    /// Whether it did.
    pub holds: bool,
    /// What was there instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// What a step took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Took {
    /// Milliseconds of the machine.
    pub machine_ms: u128,
    /// Simulated milliseconds from the first press of ENT to what the phone told of it; 0 where none was pressed.
    pub ent_ms: u128,
    /// What went between phones and backend.
    pub network: Exchanged,
    /// What went over the air.
    pub radio: Traffic,
}

/// Collects what a step tells and checks.
#[derive(Debug)]
pub struct Telling {
    title: &'static str,
    begun: Instant,
    told: Vec<String>,
    facts: Vec<Fact>,
    ent_ms: u128,
}

impl Telling {
    /// Begins a step.
    pub fn begin(title: &'static str) -> Self {
        Self { title, begun: Instant::now(), told: Vec::new(), facts: Vec::new(), ent_ms: 0 }
    }

    /// Tells something.
    pub fn say(&mut self, sentence: impl Into<String>) {
        self.told.push(sentence.into());
    }

    /// Checks something.
    pub fn check(&mut self, claim: impl Into<String>, holds: bool) {
        self.facts.push(Fact { claim: claim.into(), holds, instead: None });
    }

    /// Checks that something is as it should be, and keeps what it is instead.
    pub fn expect<T: PartialEq + std::fmt::Debug>(
        &mut self,
        claim: impl Into<String>,
        found: &T,
        expected: &T,
    ) {
        let instead = (found != expected).then(|| format!("{found:?} instead of {expected:?}"));
        self.facts.push(Fact { claim: claim.into(), holds: instead.is_none(), instead });
    }

    /// Notes how long a press of ENT took to be told of; the first one counts.
    pub fn pressed(&mut self, ms: u128) {
        if self.ent_ms == 0 {
            self.ent_ms = ms;
        }
    }

    /// Ends the step.
    pub fn end(self, number: usize, when: String, network: Exchanged, radio: Traffic) -> Step {
        let machine_ms = self.begun.elapsed().as_millis();
        Step {
            number,
            title: self.title.to_owned(),
            when,
            told: self.told,
            passed: !self.facts.is_empty() && self.facts.iter().all(|fact| fact.holds),
            facts: self.facts,
            took: Took { machine_ms, ent_ms: self.ent_ms, network, radio },
        }
    }
}

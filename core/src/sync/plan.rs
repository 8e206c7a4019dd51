//! When the next sync is due, where nobody asks for one: before a credential runs dry, after a failure, and now and
//! then. [SYN-1]

use std::time::Duration;

use sentri_wire::Timestamp;

use super::LastSync;
use crate::{CoreError, session::Session};

/// A phone whose app is in front looks at least this often, in seconds.
const NOW_AND_THEN: i64 = 4 * 3600;
/// After a first failure; each further one doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(15);
/// Retries come no more seldom than this.
const LAST_RETRY: Duration = Duration::from_secs(15 * 60);
/// An account that is not active may become so again.
const NOT_ACTIVE: Duration = Duration::from_secs(3600);

/// What a plan is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How the last sync went.
    pub last: LastSync,
    /// When the last good one ended.
    pub finished: Option<Timestamp>,
    /// When the credentials want renewal.
    pub renewals: Vec<Timestamp>,
    /// Access events that wait.
    pub events_queued: u32,
    /// The time now.
    pub now: Timestamp,
}

/// The facts of an account.
pub async fn facts(session: &Session) -> Result<Facts, CoreError> {
    let home = session.home().await?;
    Ok(Facts {
        last: session.last_sync(),
        finished: home.mark.finished_at,
        renewals: home.renewals.clone(),
        events_queued: home.events_queued,
        now: session.now(),
    })
}

impl Facts {
    /// Whether the last sync left nothing to do again.
    pub fn settled(&self) -> bool {
        self.last == LastSync::Good && self.events_queued == 0
    }

    /// How long to wait for the next sync; nothing where only the user can help. `failures` counts the syncs since
    /// the last that left nothing to do, `jitter` (0 to 65535) keeps phones from coming back in step.
    pub fn wait(&self, failures: u32, jitter: u16) -> Option<Duration> {
        let retry = retry(failures, jitter);
        match &self.last {
            LastSync::None | LastSync::Good if self.finished.is_none() => Some(retry),
            LastSync::None | LastSync::Good if self.events_queued > 0 => Some(retry),
            LastSync::None | LastSync::Good => Some(self.until_due()),
            LastSync::Offline => Some(retry),
            LastSync::Blocked(CoreError::ServiceTrouble { retry_after, .. }) => {
                let wished = Duration::from_secs(retry_after.unwrap_or_default().into());
                Some(retry.max(wished))
            }
            LastSync::Blocked(CoreError::AccountNotActive { .. }) => Some(NOT_ACTIVE),
            LastSync::Blocked(CoreError::DeviceLocked | CoreError::DeviceFull | CoreError::DeviceTrouble) => {
                Some(retry)
            }
            // Whoever runs it tells when it is over; the rest is the user's to mend.
            LastSync::Running | LastSync::Blocked(_) => None,
        }
    }

    /// Until the first renewal that the last sync could not bring, or just until it is time again.
    fn until_due(&self) -> Duration {
        let finished = self.finished.unwrap_or(self.now);
        let renewals = self.renewals.iter().copied().filter(|at| *at > finished);
        let due = renewals.min().unwrap_or(Timestamp::MAX).min(finished.saturating_add(NOW_AND_THEN));
        // A due moment in the past is a moment from now, never at once: a clock that jumps must not make a loop.
        let seconds = u64::try_from(due.saturating_sub(self.now)).unwrap_or_default();
        Duration::from_secs(seconds.max(1))
    }
}

/// Doubling, each drawn from its upper half.
fn retry(failures: u32, jitter: u16) -> Duration {
    let whole = FIRST_RETRY.saturating_mul(1 << failures.min(10)).min(LAST_RETRY);
    whole / 2 + whole / 2 * u32::from(jitter) / 0xFFFF
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::Standing;

    const NOW: Timestamp = 1_800_000_000;

    fn facts(last: LastSync) -> Facts {
        Facts { last, finished: Some(NOW - 100), renewals: Vec::new(), events_queued: 0, now: NOW }
    }

    fn seconds(facts: &Facts, failures: u32) -> Option<u64> {
        facts.wait(failures, 0xFFFF).map(|wait| wait.as_secs())
    }

    /// SYN-1: renewed before it runs dry.
    #[test]
    fn the_first_renewal_is_waited_for() {
        let due = Facts { renewals: vec![NOW + 5000, NOW + 600, NOW - 200], ..facts(LastSync::Good) };
        assert_eq!(seconds(&due, 0), Some(600), "the one that the last sync could not bring is past");
        assert_eq!(seconds(&facts(LastSync::Good), 0), Some(4 * 3600 - 100));
        let overslept = Facts { now: NOW + 86_400, ..due };
        assert_eq!(seconds(&overslept, 0), Some(1));
    }

    #[test]
    fn failures_wait_longer_each_time_and_not_for_ever() {
        let waits: Vec<_> =
            (0..8).filter_map(|failures| seconds(&facts(LastSync::Offline), failures)).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(facts(LastSync::Offline).wait(0, 0), Some(FIRST_RETRY / 2));
        assert_eq!(facts(LastSync::Offline).wait(u32::MAX, 0xFFFF), Some(LAST_RETRY));
    }

    #[test]
    fn what_only_the_user_can_mend_is_left_to_the_user() {
        let blocked = |error| facts(LastSync::Blocked(error));
        assert_eq!(seconds(&blocked(CoreError::NotSignedIn), 0), None);
        assert_eq!(seconds(&blocked(CoreError::UpgradeRequired { needed: None }), 0), None);
        assert_eq!(
            seconds(
                &blocked(CoreError::AccountNotActive { standing: Standing::Suspended, support: None }),
                0
            ),
            Some(3600)
        );
        let wish = CoreError::ServiceTrouble { retry_after: Some(120), support: None };
        assert_eq!(seconds(&blocked(wish), 0), Some(120));
        assert_eq!(seconds(&facts(LastSync::Running), 0), None);
    }

    /// SYN-3: events that wait are brought soon.
    #[test]
    fn queued_events_are_not_left_for_hours() {
        let waiting = Facts { events_queued: 1, ..facts(LastSync::Good) };
        assert_eq!(seconds(&waiting, 0), Some(15));
        assert!(!waiting.settled());
    }
}

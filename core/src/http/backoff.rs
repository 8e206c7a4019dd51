//! How long to wait before another try: doubling, with jitter, so that phones don't come back in step.

use std::time::Duration;

use crate::ports::{NoRandomness, Random, random_array};

/// Waits that double from a first to a longest one, each drawn from its upper half.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
    left: u32,
}

impl Backoff {
    /// For a person who waits: two more tries, after about 0.3 and 0.6 seconds.
    pub fn interactive() -> Self {
        Self { next: Duration::from_millis(400), longest: Duration::from_secs(2), left: 2 }
    }

    /// The next wait, at least `at_least`; nothing once the tries are used.
    pub fn next(
        &mut self,
        random: &dyn Random,
        at_least: Duration,
    ) -> Result<Option<Duration>, NoRandomness> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let half = self.next / 2;
        let share = u32::from(u16::from_be_bytes(random_array(random)?));
        let wait = half + half * share / 0xFFFF;
        self.next = (self.next * 2).min(self.longest);
        Ok(Some(wait.max(at_least)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn waits_double_within_their_jitter_and_end() {
        for (byte, waits) in [(0, [200, 400]), (0xFF, [400, 800])] {
            let mut backoff = Backoff::interactive();
            for wait in waits {
                let got = backoff.next(&Fixed(byte), Duration::ZERO).unwrap();
                assert_eq!(got, Some(Duration::from_millis(wait)));
            }
            assert_eq!(backoff.next(&Fixed(byte), Duration::ZERO).unwrap(), None);
        }
    }

    #[test]
    fn the_backends_own_wish_is_the_least() {
        let wait = Backoff::interactive().next(&Fixed(0), Duration::from_secs(3)).unwrap();
        assert_eq!(wait, Some(Duration::from_secs(3)));
    }
}

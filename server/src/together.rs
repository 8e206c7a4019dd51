//! Callers whose work is done together: while some of it is being done more comes, and all of that is done next, at
//! once. What many bring at one moment costs one transaction this way, not one each.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// Where callers meet.
pub struct Together<I, O>(Mutex<State<I, O>>);

/// How many are at work: while one waits for the disk, the next one prepares.
const AT_WORK: usize = 2;

struct State<I, O> {
    waiting: VecDeque<Waiting<I, O>>,
    at_work: usize,
}

struct Waiting<I, O> {
    item: I,
    told: oneshot::Sender<O>,
}

impl<I, O> Default for Together<I, O> {
    fn default() -> Self {
        Self(Mutex::new(State { waiting: VecDeque::new(), at_work: 0 }))
    }
}

impl<I: Send + 'static, O: Send + 'static> Together<I, O> {
    /// Has `work` done on this item, and on what others bring meanwhile: on at most so many at once, with an answer for
    /// each, in their order. All callers bring the same work. It goes on where a caller gives up.
    ///
    /// Nothing where the work broke off.
    pub async fn join<W, F>(self: &Arc<Self>, item: I, at_most: usize, work: W) -> Option<O>
    where
        W: Fn(Vec<I>) -> F + Send + 'static,
        F: Future<Output = Vec<O>> + Send + 'static,
    {
        let (told, hear) = oneshot::channel();
        if self.wait(Waiting { item, told }) {
            tokio::spawn(go_on(self.clone(), at_most, work));
        }
        hear.await.ok()
    }

    /// Whether one more may go to work.
    fn wait(&self, waiting: Waiting<I, O>) -> bool {
        let mut state = self.state();
        state.waiting.push_back(waiting);
        let begins = state.at_work < AT_WORK;
        state.at_work += usize::from(begins);
        begins
    }

    /// What waits, up to so much; where nothing does, whoever asks ends its work.
    fn next(&self, at_most: usize) -> Option<(Vec<I>, Vec<oneshot::Sender<O>>)> {
        let mut state = self.state();
        let count = state.waiting.len().min(at_most.max(1));
        if count == 0 {
            state.at_work -= 1;
            return None;
        }
        Some(state.waiting.drain(..count).map(|it| (it.item, it.told)).unzip())
    }

    fn state(&self) -> MutexGuard<'_, State<I, O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn go_on<I, O, W, F>(here: Arc<Together<I, O>>, at_most: usize, work: W)
where
    I: Send + 'static,
    O: Send + 'static,
    W: Fn(Vec<I>) -> F,
    F: Future<Output = Vec<O>>,
{
    let broken_off = BrokenOff(&here);
    while let Some((items, callers)) = here.next(at_most) {
        for (answer, told) in work(items).await.into_iter().zip(callers) {
            // Whoever asked may be gone.
            let _ = told.send(answer);
        }
    }
    std::mem::forget(broken_off);
}

/// Work that ends before its time: whoever waits for it is told, and so is who waits for nobody else.
struct BrokenOff<'a, I, O>(&'a Together<I, O>);

impl<I, O> Drop for BrokenOff<'_, I, O> {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.at_work -= 1;
        if state.at_work == 0 {
            state.waiting.clear();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by it")]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    type Numbers = Arc<Together<u32, (u32, usize)>>;

    /// Each number doubled, and with how many it was done; one at a time goes through the gate.
    fn doubled(
        together: &Numbers,
        gate: &Arc<Semaphore>,
        number: u32,
    ) -> tokio::task::JoinHandle<Option<(u32, usize)>> {
        let (together, gate) = (together.clone(), gate.clone());
        tokio::spawn(async move {
            let work = move |numbers: Vec<u32>| {
                let gate = gate.clone();
                async move {
                    gate.acquire().await.unwrap().forget();
                    assert!(!numbers.contains(&13), "a bug, rehearsed");
                    let count = numbers.len();
                    numbers.into_iter().map(|number| (2 * number, count)).collect()
                }
            };
            together.join(number, 3, work).await
        })
    }

    /// Each of the two numbers at work by itself.
    async fn two_at_work(
        together: &Numbers,
        gate: &Arc<Semaphore>,
        numbers: [u32; 2],
    ) -> Vec<tokio::task::JoinHandle<Option<(u32, usize)>>> {
        let mut callers = Vec::new();
        for (others, number) in numbers.into_iter().enumerate() {
            callers.push(doubled(together, gate, number));
            while together.state().at_work <= others || !together.state().waiting.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        callers
    }

    async fn until_all_wait(together: &Numbers, count: usize) {
        while together.state().waiting.len() < count {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_comes_meanwhile_is_done_at_once_and_each_hears_of_its_own() {
        let (together, gate) = (Numbers::default(), Arc::new(Semaphore::new(0)));
        let first = two_at_work(&together, &gate, [1, 2]).await;
        let mut others = Vec::new();
        for (count, number) in (3..8).enumerate() {
            others.push(doubled(&together, &gate, number));
            until_all_wait(&together, count + 1).await;
        }
        gate.add_permits(4);
        let mut answers = Vec::new();
        for caller in first.into_iter().chain(others) {
            answers.push(caller.await.unwrap().unwrap());
        }
        let at_most_three_at_once = [(2, 1), (4, 1), (6, 3), (8, 3), (10, 3), (12, 2), (14, 2)];
        assert_eq!(answers, at_most_three_at_once);
        gate.add_permits(1);
        assert_eq!(doubled(&together, &gate, 8).await.unwrap(), Some((16, 1)), "it begins again");
    }

    #[tokio::test]
    async fn work_that_breaks_off_is_told_to_all_and_ends_nothing_else() {
        let (together, gate) = (Numbers::default(), Arc::new(Semaphore::new(0)));
        let broken = two_at_work(&together, &gate, [13, 13]).await;
        let waiting = doubled(&together, &gate, 1);
        until_all_wait(&together, 1).await;
        gate.add_permits(2);
        for caller in broken.into_iter().chain([waiting]) {
            assert_eq!(caller.await.unwrap(), None);
        }
        gate.add_permits(1);
        assert_eq!(doubled(&together, &gate, 2).await.unwrap(), Some((4, 1)));
    }
}

//! The order of a stream's batches on their way into the journals.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::ports::Line;

/// Publications of one order are appended in the order they were first polled in, whatever each waits for before: a later batch of a
/// stream must not overtake an earlier one that waits for a product to be read. Behind one that was not taken none is.
#[derive(Debug, Clone, Default)]
pub struct Order {
    line: Line,
    turn: Arc<Mutex<()>>,
}

impl Order {
    /// Waits for the batches before. None if one of them was not taken.
    pub(super) async fn turn(&self) -> Option<Turn> {
        let guard = Arc::clone(&self.turn).lock_owned().await;
        (!self.line.has_ended()).then(|| Turn { line: Some(self.line.clone()), _guard: guard })
    }
}

/// A batch's place in front. It ends the order, unless it was [`used`](Self::used): whatever gave up before the batch stood in the
/// journal's queue, its caller among it.
#[derive(Debug)]
pub(super) struct Turn {
    /// None once it was used.
    line: Option<Line>,
    /// Let go last.
    _guard: OwnedMutexGuard<()>,
}

impl Turn {
    pub(super) fn line(&self) -> Option<&Line> {
        self.line.as_ref()
    }

    /// The batch stands in the queue, or there is nothing of it to append.
    pub(super) fn used(mut self) {
        self.line = None;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn behind_a_batch_that_gave_up_none_has_a_turn() {
        let order = Order::default();
        order.turn().await.expect("it is the first").used();
        let second = order.turn().await.expect("the one before was used");
        let third = tokio::spawn({
            let order = order.clone();
            async move { order.turn().await.is_some() }
        });
        drop(second);
        assert!(!third.await.expect("it does not panic"), "it stands behind one that gave up");
        assert!(order.turn().await.is_none());
    }
}

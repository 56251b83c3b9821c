//! Panics of the model are findings, not noise: the hook keeps their message for the oracle instead of printing it.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps messages from here on, on every thread.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| LAST.with_borrow_mut(|last| *last = info.to_string())))
    });
}

/// The newest message of this thread.
pub fn last() -> String {
    LAST.with_borrow(Clone::clone)
}

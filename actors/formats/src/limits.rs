//! Every bound of the formats, by name, with its reason.

/// Longest message: a record of a journal is no longer, and a message becomes one.
pub const MESSAGE_BYTES: usize = souk_model::limits::RECORD_BYTES;
/// Longest text of a declaration: some hundred lines.
pub const DECLARATION_BYTES: usize = 64 << 10;
/// Labels a declaration may fill: an event has no more.
pub const LABELS: usize = souk_model::limits::LABELS;
/// Objects within each other that a declared path may lead through.
pub const PATH_STEPS: usize = 8;
/// Lines of an order that are read: one more than an event may have, so that too many are refused as such.
pub const LINES: usize = souk_model::limits::CART_LINES + 1;
/// Products a recommendation may name, and one more.
pub const PRODUCTS: usize = souk_model::limits::RECOMMENDED + 1;
/// Tags of a product, and one more.
pub const TAGS: usize = souk_model::limits::TAGS + 1;
/// Longest value of a message that is shown in a reason.
pub const SHOWN_BYTES: usize = 64;
/// Digits before and after the point that a number may be shifted by its exponent: beyond it no amount is one.
pub const EXPONENT: i32 = 40;

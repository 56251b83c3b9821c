//! Seeds that once told the fold and the recount apart, by what was wrong.

use super::run;

/// The fold dropped sessions by the settings of the moment: a longer horizon later let an event reach what was gone on one side.
#[test]
fn what_is_out_of_reach_stays_so_whatever_later_settings_say() {
    run([14, 78, 116, 2_293].into_iter());
}

/// The fold called an order's lines what the newest stamp said, so its refunds and cart counted under another category.
#[test]
fn an_order_calls_its_lines_what_the_cart_called_them() {
    run([202, 797].into_iter());
}

/// The recount took an order kept past an erase for the new person's of the same id.
#[test]
fn an_order_kept_past_an_erase_is_nobodys() {
    run([121].into_iter());
}

/// Missing on a products journal at first: stamps of a bridge, and the refusal of the other journal's kinds.
#[test]
fn both_journals_know_bridges() {
    run([0, 3].into_iter());
}

/// A metric declared again knew the people it had been counted for before.
#[test]
fn a_metric_declared_again_knows_nobody() {
    run([86, 125, 187].into_iter());
}

/// An order's id used again: the recount sold what a Commit named, not what its Reserve had asked for, and knew a mark a record too long.
#[test]
fn what_is_sold_is_what_was_reserved() {
    run([6_153].into_iter());
}

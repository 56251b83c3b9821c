//! Erasing a user: everything goes but what settles orders under way. SEMANTICS.md section 10.

use super::order::Order;
use super::{Rare, User};

impl User {
    /// What must stay of an erased user: ids, products and quantities of orders that a product still holds something for.
    pub fn erase(self) -> Option<User> {
        let mut orders = self.rare?.orders;
        orders.retain_open();
        if orders.is_empty() {
            return None;
        }
        orders.iter_mut().for_each(strip);
        let rare = Rare { orders, ..Rare::default() };
        Some(User { rare: Some(Box::new(rare)), ..User::default() })
    }
}

fn strip(order: &mut Order) {
    let mut bare = Order::new(&order.id, order.state, order.created);
    bare.erased = true;
    bare.deadline = order.deadline;
    bare.lines = std::mem::take(&mut order.lines);
    for line in &mut bare.lines {
        line.title = "".into();
        line.category = "".into();
        line.brand = "".into();
        line.unit_price = 0;
        line.cart_price = None;
        line.refunded_quantity = 0;
        line.refunded_amount = 0;
    }
    *order = bare;
}

//! Abandonment (section 6): per person, at most one open per cart.

use super::cart::{Lines, Open, value};
use super::fact::Fact;
use super::person::{Person, Scene};
use super::time::Ms;

impl Person {
    /// The deadline passed while these lines were in the cart.
    pub(super) fn abandon(&mut self, deadline: Ms, lines: &Lines, scene: &mut Scene<'_>) {
        self.cart.deadline = None;
        if self.cart.open.is_some() {
            return;
        }
        let (stage, amount) = (self.cart.stage(), value(lines));
        let fact = Fact::new("cart_abandoned", deadline, &self.known())
            .text("stage", stage)
            .amount("amount", amount.clone());
        scene.facts.push(fact.clone());
        self.remember_abandoned(deadline, lines);
        self.cart.open = Some(Open { deadline, stage, amount, fact });
    }

    fn abandon_if_past(&mut self, at: Ms, lines: &Lines, scene: &mut Scene<'_>) {
        if let Some(deadline) = self.cart.deadline.filter(|deadline| at > *deadline) {
            self.abandon(deadline, lines, scene);
        }
    }

    /// Something was added at the scene's time to a cart that held `before`.
    pub(super) fn added(&mut self, before: &Lines, scene: &mut Scene<'_>) {
        let at = scene.at;
        self.abandon_if_past(at, before, scene);
        let latest = self.cart.latest_add;
        if let Some(open) = &self.cart.open {
            if latest.is_some_and(|latest| at <= latest) {
                return;
            }
            if at <= open.deadline {
                scene.facts.push(open.fact.taken_back());
                self.cart.open = None;
                self.abandoned.pop();
            }
        }
        let latest = latest.map_or(at, |latest| latest.max(at)); // with one open, `at` is the later one
        self.cart.latest_add = Some(latest);
        self.cart.deadline = Some(latest + scene.settings.abandon_after);
    }

    /// An order was placed at the scene's time: what was abandoned is settled, the cart emptied.
    pub(super) fn ordered(&mut self, scene: &mut Scene<'_>) {
        let lines = std::mem::take(&mut self.cart.lines);
        self.abandon_if_past(scene.at, &lines, scene);
        if let Some(open) = self.cart.open.take() {
            let fact = if scene.at <= open.deadline {
                self.abandoned.pop();
                open.fact.taken_back()
            } else {
                self.use_up(open.deadline);
                Fact::new("cart_recovered", scene.at, &self.base(scene.at, scene.settings.session_gap))
                    .text("stage", open.stage)
                    .amount("amount", open.amount)
            };
            scene.facts.push(fact);
        }
        self.lines_changed(&lines);
        self.cart.start_anew();
    }
}

//! The product: catalogue entry, price, stock with reservations, flash sale, stock alerts. SEMANTICS.md sections 8 and 12.

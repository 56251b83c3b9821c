//! The user: session, cart, journey, orders, and what the fold decides about them. SEMANTICS.md sections 2 to 10.

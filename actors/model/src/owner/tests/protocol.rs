//! Single rules of the protocol, one at a time.

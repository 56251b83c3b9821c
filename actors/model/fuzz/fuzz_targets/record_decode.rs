//! Any bytes in a journal are a valid record or refused with a reason: never a panic, and the same answer each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use souk_model::record;

fuzz_target!(|bytes: &[u8]| {
    let decoded = record::decode(bytes);
    assert_eq!(decoded, record::decode(bytes));
    if let Err(refusal) = decoded {
        assert!(!refusal.message.is_empty(), "{refusal:?}");
    }
});

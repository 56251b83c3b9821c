//! Any text laid over the built-in settings is lawful or refused; what is lawful can be put in a record and read from it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use souk_model::settings::Settings;

fuzz_target!(|text: &str| {
    drop(Settings::parse(text));
    if let Ok(settings) = Settings::layered(text) {
        assert_eq!(Settings::parse(&settings.text).as_ref(), Ok(&settings));
    }
});

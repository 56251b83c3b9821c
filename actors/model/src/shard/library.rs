//! Compiled settings by text: parsing a catalogue costs more than folding a thousand records, and every shard of a node shares one.
//! Representation only: with or without it the fold is the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::settings::{Settings, SettingsErrors};

/// Settings kept compiled. Beyond it all are forgotten: a journal rarely holds more than a few.
const KEPT: usize = 32;

#[derive(Debug, Default)]
pub struct SettingsLibrary {
    by_text: Mutex<BTreeMap<String, Arc<Settings>>>,
}

impl SettingsLibrary {
    /// The settings of this text, compiled now or before.
    pub fn compile(&self, text: &str) -> Result<Arc<Settings>, SettingsErrors> {
        let mut by_text = self.by_text.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settings) = by_text.get(text) {
            return Ok(Arc::clone(settings));
        }
        let settings = Arc::new(Settings::parse(text)?);
        if by_text.len() >= KEPT {
            by_text.clear();
        }
        by_text.insert(text.to_owned(), Arc::clone(&settings));
        Ok(settings)
    }
}

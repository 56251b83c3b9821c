//! Opaque tokens: content a caller hands back, bound to the method and arguments it was given for. Versioned and checksummed, so that one
//! of another call, another build or another system is told apart from ours. They are no secret and prove nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Form of the tokens this build writes and reads.
const FORMAT: u8 = 1;
const HASH_BYTES: usize = 8;

/// What a token is bound to: the method's request by its full name, with whatever may differ left out by the caller.
pub(crate) fn binding(name: &str, arguments: &impl Message) -> u64 {
    xxh3_64_with_seed(&arguments.encode_to_vec(), xxh3_64(name.as_bytes()))
}

pub(crate) fn seal(binding: u64, content: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(1 + HASH_BYTES + content.len() + HASH_BYTES);
    bytes.push(FORMAT);
    bytes.extend(binding.to_le_bytes());
    bytes.extend(content);
    let checksum = xxh3_64(&bytes);
    bytes.extend(checksum.to_le_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The content of a token with this binding; none if it is not ours, or longer than `most` bytes.
pub(crate) fn open(token: &str, binding: u64, most: usize) -> Option<Vec<u8>> {
    if token.len() > most {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (signed, checksum) = bytes.split_last_chunk::<HASH_BYTES>()?;
    if xxh3_64(signed) != u64::from_le_bytes(*checksum) {
        return None;
    }
    let (format, rest) = signed.split_first()?;
    let (hash, content) = rest.split_first_chunk::<HASH_BYTES>()?;
    (*format == FORMAT && u64::from_le_bytes(*hash) == binding).then(|| content.to_vec())
}

//! What every call carries beside its message: the shop, and until when its caller waits.

use std::time::Duration;

use http::HeaderMap;
use souk_model::record::DEFAULT_SHOP;
use tokio::time::Instant;

use crate::ApiError;
use crate::names;

/// Metadata that names the shop.
pub const SHOP: &str = "souk-shop";
pub(crate) const TIMEOUT: &str = "grpc-timeout";

/// Read once at the start of every method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Names of the request are within this shop.
    pub shop: String,
    /// None: the caller waits as long as it takes (streams).
    pub deadline: Option<Instant>,
}

/// Until when a call may take, put beside it when it came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub Option<Instant>);

impl Call {
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, ApiError> {
        let shop = match request.metadata().get(SHOP) {
            None => DEFAULT_SHOP.to_owned(),
            Some(value) => {
                let text = value.to_str().unwrap_or_default();
                names::id(SHOP, text).map(str::to_owned)?
            }
        };
        let deadline = request.extensions().get::<Deadline>().and_then(|deadline| deadline.0);
        Ok(Self { shop, deadline })
    }
}

/// Reads `grpc-timeout`: up to eight digits and a unit. None: there is none, or it cannot be read.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    const MOST_DIGITS: usize = 8;
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        let read = |text: &'static str| {
            timeout(&HeaderMap::from_iter([(http::HeaderName::from_static(TIMEOUT), text.parse().unwrap())]))
        };
        assert_eq!(read("1S"), Some(Duration::from_secs(1)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        for text in ["", "S", "1", "-1S", "123456789S", "1 S", "1x", "1\u{fc}"] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(TIMEOUT),
                http::HeaderValue::from_bytes(text.as_bytes()).unwrap(),
            )]);
            assert_eq!(timeout(&headers), None, "{text:?}");
        }
    }

    #[test]
    fn the_shop_is_an_id_and_main_unless_named() {
        let mut request = tonic::Request::new(());
        assert_eq!(Call::of(&request).unwrap(), Call { shop: "main".to_owned(), deadline: None });
        request.metadata_mut().insert(SHOP, "east".parse().unwrap());
        assert_eq!(Call::of(&request).unwrap().shop, "east");
        request.metadata_mut().insert(SHOP, "a/b".parse().unwrap());
        assert!(matches!(Call::of(&request), Err(ApiError::Refused(_))));
    }
}

//! Pages of lists: sizes and opaque tokens.
//!
//! A token is bound to the method and to all other arguments: it holds their hash beside the cursor, and a checksum, so that one of
//! another list, another filter or another system is PAGE_TOKEN_MISMATCH instead of a wrong page. It is no secret and proves nothing.

use prost::Message;
use souk_model::verdict::Reason;
use souk_proto::v1;

use crate::limits::{MOST_PAGE_SIZE, PAGE_SIZE, PAGE_TOKEN_BYTES};
use crate::{ApiError, token};

/// A page as it was asked for.
#[derive(Debug)]
pub struct Page<'a, R> {
    /// Rows wanted, 1 to [`MOST_PAGE_SIZE`].
    pub size: usize,
    /// Where the page before ended, as [`Page::token`] was given it; none: the first page.
    pub cursor: Option<Vec<u8>>,
    request: &'a R,
}

/// A request for a page of a list.
pub trait Paged: Message + Clone {
    /// Full name of its message: what tells the tokens of two methods apart.
    const NAME: &'static str;

    /// Its `page_size` and `page_token`.
    fn page(&self) -> (i32, &str);

    /// The same request without them.
    fn without_page(&self) -> Self;
}

macro_rules! paged {
    ($($request:ident),* $(,)?) => {$(
        impl Paged for v1::$request {
            const NAME: &'static str = stringify!($request);

            fn page(&self) -> (i32, &str) {
                (self.page_size, &self.page_token)
            }

            fn without_page(&self) -> Self {
                let mut first = self.clone();
                (first.page_size, first.page_token) = Default::default();
                first
            }
        }
    )*};
}

paged! {
    ListAbandonedCartsRequest,
    ListCorrectionsRequest,
    ListDeadLettersRequest,
    ListMetricsRequest,
    ListNodesRequest,
    ListSessionsRequest,
    ListShardsRequest,
    ListTopProductsRequest,
    ListUserEventsRequest,
    QueryMetricRequest,
}

impl<'a, R: Paged> Page<'a, R> {
    /// Reads a request's page with the default size of [`PAGE_SIZE`].
    pub fn of(request: &'a R) -> Result<Self, ApiError> {
        Self::with_default(request, PAGE_SIZE)
    }

    /// Reads a request's page: 0 rows are the method's default, more than [`MOST_PAGE_SIZE`] are that many.
    pub fn with_default(request: &'a R, default: usize) -> Result<Self, ApiError> {
        let (wanted, given) = request.page();
        let size = match usize::try_from(wanted) {
            Err(_) => return Err(ApiError::out_of_range("page_size", wanted, 0, MOST_PAGE_SIZE)),
            Ok(0) => default,
            Ok(size) => size.min(MOST_PAGE_SIZE),
        };
        let read = || token::open(given, binding(request), PAGE_TOKEN_BYTES).ok_or_else(mismatch);
        let cursor = if given.is_empty() { None } else { Some(read()?) };
        Ok(Self { size, cursor, request })
    }

    /// The token that continues after `cursor`.
    pub fn token(&self, cursor: &[u8]) -> String {
        token::seal(binding(self.request), cursor)
    }

    /// The rows of this page out of `rows`, which go on from the cursor in order, and the token of the next page, empty at the end.
    pub fn cut<T>(
        &self,
        rows: impl IntoIterator<Item = T>,
        cursor_of: impl Fn(&T) -> Vec<u8>,
    ) -> (Vec<T>, String) {
        let mut rows = rows.into_iter();
        let page: Vec<T> = rows.by_ref().take(self.size).collect();
        let token = match (rows.next(), page.last()) {
            (Some(_), Some(last)) => self.token(&cursor_of(last)),
            _ => String::new(),
        };
        (page, token)
    }
}

/// Most calls are of one page: what its token would be bound to is made only when there is one.
fn binding<R: Paged>(request: &R) -> u64 {
    token::binding(R::NAME, &request.without_page())
}

/// A token that is none of this list's; also for a method whose cursor has a form of its own, when what was in the token is none.
pub fn mismatch() -> ApiError {
    ApiError::field(
        Reason::PageTokenMismatch,
        "page_token",
        "belongs to other arguments; start from the first page",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(filter: &str, page_size: i32, page_token: &str) -> v1::ListShardsRequest {
        v1::ListShardsRequest { filter: filter.to_owned(), page_size, page_token: page_token.to_owned() }
    }

    fn refused(request: &impl Paged) -> Reason {
        match Page::of(request) {
            Err(ApiError::Refused(refused)) => refused.reason,
            Err(other) => panic!("{other:?}"),
            Ok(page) => panic!("a page of {}", page.size),
        }
    }

    #[test]
    fn sizes_are_coerced() {
        for (wanted, size) in [(0, 50), (1, 1), (1_000, 1_000), (i32::MAX, 1_000)] {
            assert_eq!(Page::of(&shards("", wanted, "")).unwrap().size, size);
        }
        assert_eq!(Page::with_default(&shards("", 0, ""), 10).unwrap().size, 10);
        assert_eq!(refused(&shards("", -1, "")), Reason::ValueOutOfRange);
    }

    #[test]
    fn a_token_goes_on_where_its_page_ended() {
        let request = shards("", 2, "");
        let first = Page::of(&request).unwrap();
        let (page, token) = first.cut(["a", "b", "c"], |row| row.as_bytes().to_vec());
        assert_eq!(page, ["a", "b"]);
        let request = shards("", 7, &token);
        let second = Page::of(&request).unwrap();
        assert_eq!(second.cursor.as_deref(), Some(b"b".as_slice()));
        assert_eq!(second.cut(["c"], |row| row.as_bytes().to_vec()), (vec!["c"], String::new()));
    }

    #[test]
    fn a_token_of_anything_else_is_a_mismatch() {
        let token = Page::of(&shards("", 2, "")).unwrap().token(b"b");
        assert_eq!(refused(&shards("state = SERVING", 2, &token)), Reason::PageTokenMismatch);
        let nodes = v1::ListNodesRequest { page_token: token.clone(), ..Default::default() };
        assert_eq!(refused(&nodes), Reason::PageTokenMismatch);
        for foreign in ["x", "AAAA", "not base64!", &token[1..], &"A".repeat(4_096)] {
            assert_eq!(refused(&shards("", 2, foreign)), Reason::PageTokenMismatch, "{foreign}");
        }
    }
}

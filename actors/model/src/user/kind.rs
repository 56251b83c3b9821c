//! The kinds of event, by the names metrics know and the codes state is kept under.

use souk_proto::v1::event::Kind as Reported;

macro_rules! kinds {
    ($($kind:ident = $code:literal $name:literal),* $(,)?) => {
        /// A kind of event. The codes are kept in state: they never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind { $($kind = $code),* }

        impl Kind {
            pub fn of(reported: &Reported) -> Self {
                match reported { $(Reported::$kind(_) => Self::$kind),* }
            }

            pub fn of_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$kind),)* _ => None }
            }

            /// Name of its field in `Event.kind`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }
        }
    };
}

kinds! {
    PageView = 1 "page_view",
    ProductView = 2 "product_view",
    CartStep = 3 "cart_step",
    OrderStep = 4 "order_step",
    Search = 5 "search",
    Browse = 6 "browse",
    Login = 7 "login",
    Logout = 8 "logout",
    WishlistStep = 9 "wishlist_step",
    Review = 10 "review",
    RecommendationStep = 11 "recommendation_step",
    Transaction = 12 "transaction",
    Trip = 13 "trip",
    ProductStep = 14 "product_step",
    StockStep = 15 "stock_step",
    Custom = 16 "custom",
}

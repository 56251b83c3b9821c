//! The fields a declaration may fill: one flat list for all kinds of events. Which of them a kind takes is `build`'s to know.

/// Names every field once, as declarations do.
macro_rules! fields {
    ($($variant:ident = $name:literal,)*) => {
        /// A field of an event, as far as formats know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Field {
            $($variant,)*
        }

        impl Field {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As declarations have it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

fields! {
    EventId = "event_id",
    EventTime = "event_time",
    UserId = "user_id",
    SessionId = "session_id",
    DeviceId = "device_id",
    Shop = "shop",
    Source = "source",
    Page = "page",
    Referrer = "referrer",
    Campaign = "campaign",
    CartId = "cart_id",
    OrderId = "order_id",
    ProductId = "product_id",
    Title = "title",
    Category = "category",
    Brand = "brand",
    Price = "price",
    Quantity = "quantity",
    Amount = "amount",
    Currency = "currency",
    PaymentMethod = "payment_method",
    Lines = "lines",
    Query = "query",
    ResultCount = "result_count",
    GuestId = "guest_id",
    Rating = "rating",
    RecommendationId = "recommendation_id",
    ProductIds = "product_ids",
    Confidence = "confidence",
    Reason = "reason",
    TransactionId = "transaction_id",
    Merchant = "merchant",
    Location = "location",
    TripId = "trip_id",
    RegionId = "region_id",
    Duration = "duration",
    Distance = "distance",
    PickupLatitude = "pickup_latitude",
    PickupLongitude = "pickup_longitude",
    DropoffLatitude = "dropoff_latitude",
    DropoffLongitude = "dropoff_longitude",
    DriverId = "driver_id",
    VehicleType = "vehicle_type",
    Description = "description",
    Tags = "tags",
    ImageUri = "image_uri",
    ReviewCount = "review_count",
    Level = "level",
    Delta = "delta",
}

/// How many there are.
pub(crate) const FIELDS: usize = Field::ALL.len();

impl Field {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    pub(crate) fn place(self) -> usize {
        self as usize
    }

    /// Whether an entry of `lines` may have it too.
    pub(crate) fn is_of_a_line(self) -> bool {
        use Field::{Brand, Category, Price, ProductId, Quantity, Title};
        matches!(self, ProductId | Title | Category | Brand | Price | Quantity)
    }
}

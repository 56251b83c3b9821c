//! A product as readers see it.

use souk_proto::v1;

use super::{Product, Sale, Stock};
use crate::key::ActorKey;
use crate::money::Money;
use crate::time::to_timestamp;

impl Product {
    /// The public resource; meant for one that [exists](Product::exists).
    pub fn to_proto(&self, key: &ActorKey) -> v1::Product {
        v1::Product {
            name: format!("products/{}", key.id()),
            version: self.version,
            title: self.text.title.clone(),
            description: self.text.description.clone(),
            category: self.text.category.clone(),
            brand: self.text.brand.clone(),
            tags: self.text.tags.clone(),
            image_uri: self.text.image_uri.clone(),
            price: self.price.map(Money::to_proto),
            stock: (self.stock != Stock::default()).then(|| stock(&self.stock)),
            sale: self.sale.as_ref().map(sale),
            rating: self.text.rating,
            review_count: self.text.review_count,
            create_time: Some(to_timestamp(self.create_time)),
            update_time: Some(to_timestamp(self.update_time)),
        }
    }
}

fn stock(stock: &Stock) -> v1::Stock {
    v1::Stock {
        mode: stock.mode.to_proto().into(),
        received: Some(stock.received),
        available: Some(stock.available),
        reserved: Some(stock.reserved),
        sold: Some(stock.sold),
        low_below: stock.low_below,
    }
}

fn sale(sale: &Sale) -> v1::Sale {
    v1::Sale {
        price: Some(sale.terms.price.to_proto()),
        start_time: Some(to_timestamp(sale.terms.start)),
        end_time: sale.terms.end.map(to_timestamp),
        quantity: sale.terms.quantity,
        per_user: sale.terms.per_user.map(|pieces| i32::try_from(pieces).unwrap_or(i32::MAX)),
        sold: Some(sale.sold),
    }
}

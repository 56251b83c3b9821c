use souk_model::settings::Settings;
use souk_model::view::Catalogue;

use super::statement;

#[test]
fn a_table_is_made_as_its_readers_know_it() {
    let catalogue = Catalogue::of(&Settings::builtin());
    let tables = catalogue.tables();
    let table = |name: &str| tables.iter().find(|shape| shape.table.name == name).unwrap();
    assert_eq!(
        statement::create("souk", &table("top_products_hourly").table),
        "CREATE TABLE IF NOT EXISTS souk.\"top_products_hourly\" (\"hour_ts\" timestamp, \"shop\" text, \"product_id\" text, \
         \"currency\" text, \"amount\" bigint, PRIMARY KEY ((\"hour_ts\"), \"shop\", \"product_id\", \"currency\"))"
    );
    assert_eq!(
        statement::insert("souk", &table("sales_per_category").table),
        "INSERT INTO souk.\"sales_per_category\" (\"category\", \"shop\", \"total_sales\") VALUES (?, ?, ?) USING TIMESTAMP ?"
    );
    assert_eq!(
        statement::clear("souk", &table("top_products_hourly").table, 1),
        "DELETE FROM souk.\"top_products_hourly\" USING TIMESTAMP ? WHERE \"hour_ts\" = ? AND \"shop\" = ?"
    );
}

use super::*;
use crate::metric::{Aggregator, PaneSize, Quantity, Window};
use crate::money::{Currency, Money};
use crate::settings::view::{Columns, RedisTarget};
use crate::time::{DAY, HOUR, MINUTE, SECOND};

/// Each problem of `user` laid over the built-in settings, a line each.
fn problems(user: &str) -> Vec<String> {
    match Settings::layered(user) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_builtin_catalogue_compiles() {
    let settings = Settings::builtin();
    assert_eq!(settings.metrics.len(), 11);
    assert_eq!(settings.views.len(), settings.metrics.len());
    assert_eq!(settings.hash, hash_of(&settings.text));
    assert_eq!(settings.horizon, DAY + 5 * MINUTE); // region_trips waits longest
    assert_eq!(settings.fold.order_timeout, 10 * MINUTE);
    assert_eq!(settings.fold.price_drop_basis_points, 1_000);
    assert_eq!(settings.history.len(), 2);

    let active = settings.metric("active_users").unwrap();
    assert_eq!(active.windows[0], Window::Sliding { size: 5 * MINUTE, step: SECOND });
    assert_eq!(
        (active.pane, active.measures[0].aggregator),
        (PaneSize::Fixed(SECOND), Aggregator::DistinctUsers)
    );

    let trips = settings.metric("region_trips").unwrap();
    let p95 = trips.measures.iter().find(|measure| measure.name == "p95_duration").unwrap();
    assert_eq!(
        p95.aggregator,
        Aggregator::Quantile { of: Quantity::Duration, millionths: 950_000, exact_to: 4_096 }
    );
    let gross = &settings.metric("sales").unwrap().measures[0];
    assert_eq!((gross.name.as_str(), gross.filters.len()), ("gross", 2)); // the metric's and its own

    let readers: Vec<&str> = settings
        .readers_of(FactKind::Transaction)
        .iter()
        .map(|place| settings.metrics[*place].name.as_str())
        .collect();
    assert_eq!(readers, ["compat_sales", "sales"]);
}

#[test]
fn views_are_kept_as_declared() {
    let settings = Settings::builtin();
    let views_of =
        |name: &str| &settings.views[settings.metrics.iter().position(|m| m.name == name).unwrap()];
    let abandoned = views_of("abandoned_carts").redis.as_ref().unwrap();
    assert!(matches!(abandoned.target, RedisTarget::Text { value: 0, .. }) && abandoned.list.is_some());
    let top = views_of("compat_top_products");
    assert!(matches!(top.redis.as_ref().unwrap().target, RedisTarget::SortedSet { top: 10, .. }));
    assert_eq!(top.tables[0].columns, Columns::Named(vec![("amount".to_owned(), 0)]));
    assert_eq!(views_of("compat_sales").tables.len(), 3);
    assert_eq!(views_of("region_trips").redis.as_ref().unwrap().ttl, Some(HOUR));
}

#[test]
fn layers_render_one_canonical_text() {
    let user = "[fold]\ntax = \"19%\"\n[metric.searches]\nfrom = \"search\"\nkeys = [[\"query\"]]\nmeasures = { n = { count = true } }\nrank = [\"n\"]\n[metric.sales]\nkeep = \"5y\"";
    let settings = Settings::layered(user).unwrap();
    assert_eq!(settings.fold.tax_basis_points, 1_900);
    assert_eq!(settings.fold.abandon_after, 30 * MINUTE);
    assert_eq!(settings.metrics.len(), 12);
    assert_eq!(settings.metric("sales").unwrap().keep, 1_825 * DAY);
    // The text alone says it all, and laid over itself stays the same.
    assert_eq!(Settings::parse(&settings.text).unwrap(), settings);
    assert_eq!(Settings::layered(&settings.text).unwrap().hash, settings.hash);
    assert_ne!(settings.hash, Settings::builtin().hash);
}

#[test]
fn each_rule_is_named_with_its_key() {
    for (user, want) in [
        ("colour = 1", "colour: key `colour` is not known"),
        ("format = 2", "format: must be 1 to 1"),
        (
            "[fold]\nabandon_afer = \"30m\"",
            "fold.abandon_afer: key `abandon_afer` is not known; did you mean `abandon_after`?",
        ),
        (
            "[fold]\nabandon_after = \"half an hour\"",
            "fold.abandon_after: write a whole number and s, m, h, d or y, such as \"30m\"",
        ),
        ("[fold]\norder_timeout = \"2h\"", "fold.order_timeout: must be 1s to 1h"),
        (
            "[fold]\ntax = \"8.255%\"",
            "fold.tax: write a percentage with at most two decimals, such as \"8.25%\"",
        ),
        ("[fold]\ntax = \"101%\"", "fold.tax: must be 0% to 100%"),
        ("[fold]\nshipping = \"5.99 USD\"", "fold.shipping: must be in EUR, the currency of defaults"),
        ("[fold]\nclock = \"wall\"", "fold.clock: must be live or history"),
        ("[defaults]\ncurrency = \"EURO\"", "defaults.currency: use an ISO 4217 code, such as EUR"),
        (
            "[defaults]\ntime_zone = \"Europe/Berln\"",
            "defaults.time_zone: time zone `Europe/Berln` is not known; did you mean `Europe/Berlin`?",
        ),
        ("[defaults]\nlateness = \"2h\"", "defaults.lateness: must be 0s to 1h"),
        ("[defaults]\nmax_keys = 0", "defaults.max_keys: must be 1 to 1000000"),
        ("[defaults]\nkeep = \"1h\"", "defaults.correct_for: must not be longer than keep"),
        (
            "[history]\norders = { from = \"order_placed\", id = \"event_id\" }",
            "history.orders.from: kind of record `order_placed` is not known",
        ),
        (
            "[history]\nall = { from = \"event\", id = \"evnt_id\" }",
            "history.all.id: id of such records `evnt_id` is not known; did you mean `event_id`?",
        ),
        ("metric = 1", "metric: must be a table"),
        (
            "[metric.Big]\nfrom = \"search\"\nmeasures = { n = { count = true } }",
            "metric.Big: names are a lower-case letter, then at most 62 of a-z 0-9 _",
        ),
    ] {
        assert_eq!(problems(user), [want], "{user}");
    }
}

#[test]
fn each_rule_of_a_metric_is_named_with_its_key() {
    for (entry, want) in [
        (
            "from = \"serch\"\nmeasures = { n = { count = true } }",
            "from: fact `serch` is not known; did you mean `search`?",
        ),
        (
            "measures = { n = { count = true } }",
            "measures.n.from: is missing here and in the metric: name the facts to read",
        ),
        ("from = \"search\"", "measures: is missing"),
        ("from = \"search\"\nmeasures = {}", "measures: declare 1 to 32 measures"),
        (
            "from = \"search\"\nmeasures = { n = {} }",
            "measures.n: needs exactly one of count, sum, mean, min, max, distinct, quantile, ratio",
        ),
        (
            "from = \"trip\"\nmeasures = { n = { count = true, sum = \"fare\" } }",
            "measures.n: needs exactly one of count, sum, mean, min, max, distinct, quantile, ratio",
        ),
        ("from = \"search\"\nmeasures = { n = { count = false } }", "measures.n.count: must be true"),
        (
            "from = \"search\"\nmeasures = { n = { sum = \"amount\" } }",
            "measures.n.sum: `amount` is no number of search",
        ),
        (
            "from = \"search\"\nmeasures = { n = { sum = \"amonut\" } }",
            "measures.n.sum: number `amonut` is not known; did you mean `amount`?",
        ),
        (
            "from = \"session_ended\"\nmeasures = { n = { max = \"pages\" } }",
            "measures.n.max: session_ended can be taken back: only count, sum, mean, ratio read it",
        ),
        (
            "from = \"cart_abandoned\"\nmeasures = { n = { distinct = \"user\" } }",
            "measures.n.distinct: cart_abandoned can be taken back: only count, sum, mean, ratio read it",
        ),
        (
            "from = \"search\"\nmeasures = { n = { distinct = \"product\" } }",
            "measures.n.distinct: `product` is no dimension of search",
        ),
        (
            "from = \"search\"\nmeasures = { n = { distinct = \"label.x\" } }",
            "measures.n.distinct: labels cannot be counted distinct",
        ),
        (
            "from = \"trip\"\nmeasures = { n = { quantile = \"fare\", q = 1.5 } }",
            "measures.n.q: must be above 0 and at most 1, with at most six decimals",
        ),
        ("from = \"trip\"\nmeasures = { n = { quantile = \"fare\" } }", "measures.n.q: is missing"),
        (
            "from = \"trip\"\nmeasures = { n = { count = true, q = 0.5 } }",
            "measures.n.q: belongs to a quantile",
        ),
        (
            "from = \"trip\"\nmeasures = { n = { count = true, exact_to = 5 } }",
            "measures.n.exact_to: belongs to a quantile or to a distinct count of another dimension than user",
        ),
        (
            "from = \"trip\"\nmeasures = { n = { count = true }, r = { ratio = [\"n\"] } }",
            "measures.r.ratio: name two measures: the part and the whole",
        ),
        (
            "from = \"trip\"\nmeasures = { n = { count = true }, r = { ratio = [\"n\", \"m\"] } }",
            "measures.r.ratio[1]: measure `m` is not known; did you mean `n`?",
        ),
        (
            "from = \"trip\"\nmeasures = { n = { sum = \"fare\" }, m = { count = true }, r = { ratio = [\"n\", \"m\"] } }",
            "measures.r.ratio[0]: a ratio divides counts and sums of plain numbers",
        ),
        (
            "from = \"search\"\nkeys = [[\"page\"]]\nmeasures = { n = { count = true } }",
            "keys[0][0]: `page` is no dimension of search",
        ),
        (
            "from = \"search\"\nkeys = [[\"quer\"]]\nmeasures = { n = { count = true } }",
            "keys[0][0]: dimension `quer` is not known; did you mean `query`?",
        ),
        (
            "from = \"search\"\nkeys = [[\"query\", \"user\"], [\"user\", \"query\"]]\nmeasures = { n = { count = true } }",
            "keys[1]: is there already",
        ),
        (
            "from = \"search\"\nkeys = [[\"query\", \"query\"]]\nmeasures = { n = { count = true } }",
            "keys[0][1]: is there already",
        ),
        (
            "from = \"search\"\nwhere = { type = \"x\" }\nmeasures = { n = { count = true } }",
            "where.type: `type` is no dimension of search",
        ),
        (
            "from = \"search\"\nwhere = { query = [] }\nmeasures = { n = { count = true } }",
            "where.query: name 1 to 64 values",
        ),
        (
            "from = \"search\"\nrank = [\"n\"]\nmeasures = { n = { count = true } }",
            "rank: needs keys to put in order",
        ),
        (
            "from = \"trip\"\nkeys = [[\"region\"]]\nrank = [\"n\"]\nmeasures = { n = { quantile = \"fare\", q = 0.5 } }",
            "rank[0]: a sketched measure keeps no order",
        ),
        (
            "from = \"trip\"\nkeys = [[\"region\"]]\nrank = [\"m\"]\nmeasures = { n = { count = true } }",
            "rank[0]: measure `m` is not known; did you mean `n`?",
        ),
        (
            "from = \"search\"\nlateness = \"61m\"\nmeasures = { n = { count = true } }",
            "lateness: must be 0s to 1h",
        ),
        (
            "from = \"search\"\ncorrect_for = \"9d\"\nmeasures = { n = { count = true } }",
            "correct_for: must not be longer than keep",
        ),
        (
            "from = \"search\"\nmax_keys = 1000001\nmeasures = { n = { count = true } }",
            "max_keys: must be 1 to 1000000",
        ),
        (
            "from = \"search\"\nwindows = []\nmeasures = { n = { count = true } }",
            "windows: name 1 to 16 windows",
        ),
        (
            "from = \"search\"\nwindows = [\"60s\", \"1m\"]\nmeasures = { n = { count = true } }",
            "windows[1]: is there already",
        ),
        (
            "from = \"search\"\nwindows = [\"5m/2m\"]\nmeasures = { n = { count = true } }",
            "windows[0]: the step must divide the size",
        ),
        (
            "from = \"search\"\nwindows = [\"5m/5m\"]\nmeasures = { n = { count = true } }",
            "windows[0]: a step as long as the window is the window without a step",
        ),
        (
            "from = \"search\"\nwindows = [\"401d\"]\nmeasures = { n = { count = true } }",
            "windows[0]: sizes and steps are 1s to 400d",
        ),
        (
            "from = \"search\"\nwindows = [\"30d/1s\"]\nmeasures = { n = { count = true } }",
            "windows[0]: at most 86400 steps fit in a window",
        ),
        ("from = \"search\"\ntitle = 5\nmeasures = { n = { count = true } }", "title: must be a text"),
        (
            "from = \"search\"\nredis = { hash = \"a\", zset = \"b\" }\nmeasures = { n = { count = true } }",
            "redis: needs exactly one of hash, zset, string, list, publish; a list may stand beside a string",
        ),
        (
            "from = \"search\"\nredis = { hash = \"a:{start:%q}\" }\nmeasures = { n = { count = true } }",
            "redis.hash: `%q` is no format of %Y %m %d %H %M %S %s",
        ),
        (
            "from = \"search\"\nredis = { hash = \"a:{query}\" }\nmeasures = { n = { count = true } }",
            "redis.hash: dimension of this metric's keys `query` is not known",
        ),
        (
            "from = \"search\"\nredis = { hash = \"a\", top = 5 }\nmeasures = { n = { count = true } }",
            "redis.top: does not belong to this kind of view (hash)",
        ),
        (
            "from = \"search\"\nredis = { hash = \"a\", window = \"7m\" }\nmeasures = { n = { count = true } }",
            "redis.window: is no window of this metric",
        ),
        (
            "from = \"search\"\ntable = { name = \"a\" }\nmeasures = { n = { count = true } }",
            "table.columns: is missing",
        ),
        (
            "from = \"search\"\ntable = { name = \"a\", columns = { x = \"m\" } }\nmeasures = { n = { count = true } }",
            "table.columns.x: measure `m` is not known; did you mean `n`?",
        ),
        (
            "from = \"search\"\ntable = { name = \"a\", columns = { x = \"n\" }, top = 3 }\nmeasures = { n = { count = true } }",
            "table.columns.x: keeps no order: name it in rank",
        ),
    ] {
        assert_eq!(problems(&format!("[metric.x]\n{entry}")), [format!("metric.x.{want}")], "{entry}");
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let user = r#"
        [fold]
        tax = "lots"
        colour = "red"
        [defaults]
        windows = ["5x"]
        [metric.a]
        from = "serch"
        keep = "1 day"
        rank = ["nn"]
        measures = { n = { count = true }, m = { sum = "query" } }
        [metric.b]
        from = "trip"
        measures = { n = { sum = "fare", q = 0.5 } }
        redis = { publsh = "x" }
        [history.h]
        from = "event"
    "#;
    let found = problems(user);
    for path in [
        "fold.tax",
        "fold.colour",
        "defaults.windows[0]",
        "metric.a.from",
        "metric.a.keep",
        "metric.a.measures.m.sum",
        "metric.a.rank[0]",
        "metric.b.measures.n.q",
        "history.h.id",
    ] {
        assert!(found.iter().any(|line| line.starts_with(path)), "{path} in {found:#?}");
    }
}

#[test]
fn a_text_that_is_no_toml_names_its_line() {
    let found = problems("format = 1\n[fold\n");
    assert!(found.len() == 1 && found[0].starts_with("line 2: "), "{found:?}");
    assert_eq!(problems(&" ".repeat(131_073)), ["settings are at most 131072 bytes"]);
    // What stands in a log is whole: the build fills nothing in.
    let errors = Settings::parse("format = 1").unwrap_err().to_string();
    assert_eq!(errors, "defaults: is missing\nfold: is missing");
}

#[test]
fn literals_are_exact() {
    assert_eq!(literal::basis_points("8.25%"), Ok(825));
    assert_eq!(literal::basis_points("0.5%"), Ok(50));
    assert!(literal::basis_points("-1%").is_err() && literal::basis_points("1.%").is_err());
    let money = |code: &str, minor| Ok(Money { currency: Currency::parse(code).unwrap(), minor });
    assert_eq!(literal::money("5.99 EUR"), money("EUR", 599));
    assert_eq!(literal::money("5.9 EUR"), money("EUR", 590));
    assert_eq!(literal::money("600 JPY"), money("JPY", 600));
    assert_eq!(literal::money("1.234 KWD"), money("KWD", 1_234));
    for wrong in
        ["5.999 EUR", "5.0 JPY", "5,99 EUR", "5.99", "+5 EUR", "5 XXX", "99999999999999999999 EUR", ". EUR"]
    {
        assert!(literal::money(wrong).is_err(), "{wrong}");
    }
    assert_eq!(literal::duration("3y"), Ok(1_095 * DAY));
    for wrong in ["", "5", "m", "-5m", "5 m", "1.5h", "9223372036854775807y", "5µ"] {
        assert!(literal::duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_meaning_never_changes_under_its_name() {
    let old = Settings::builtin();
    let added = "[metric.searches]\nfrom = \"search\"\nkeys = [[\"query\"]]\nmeasures = { searches = { count = true } }\nrank = [\"searches\"]\n[metric.sales]\ntitle = \"Sales\"\nkeep = \"5y\"\n[fold]\ntax = \"7%\"";
    let new = Settings::layered(added).unwrap();
    assert_eq!(
        new.changes_from(&old).unwrap(),
        [
            "~ sales · title, keep",
            "+ searches · by query · windows 5m, 1h, day · rank searches",
            "~ fold.tax"
        ]
    );
    assert_eq!(old.changes_from(&old), Ok(Vec::new()));
    assert_eq!(old.changes_from(&new).unwrap()[1], "- searches");

    for (user, want) in [
        (
            "[metric.sales]\nfrom = \"trip\"\nwhere = {}\nkeys = [[]]\nrank = []\nmeasures = { net = { count = true } }",
            "metric.sales.measures",
        ),
        ("[metric.events]\nwindows = [\"1m\", \"1s\"]", "metric.events.windows"),
        ("[metric.events]\nlateness = \"6s\"", "metric.events.lateness"),
        ("[defaults]\ntime_zone = \"Europe/Berlin\"", "metric.sales.time_zone"),
        ("[fold]\nclock = \"history\"", "fold.clock"),
        ("[history.transactions]\nid = \"event_id\"", "history.transactions"),
    ] {
        let errors = Settings::layered(user).unwrap().changes_from(&old).unwrap_err();
        assert!(errors.0.iter().any(|problem| problem.path == want), "{user}: {errors}");
    }
}

#[test]
fn the_nearest_metric_is_suggested() {
    let settings = Settings::builtin();
    assert_eq!(settings.nearest_metric("active_user"), Some("active_users"));
    assert_eq!(settings.nearest_metric("qqqqqqqqqqqq"), None);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        drop(Settings::parse(&text));
        drop(Settings::layered(&text));
    }

    /// Builtin text with one part replaced: deeper than random text ever gets.
    #[test]
    fn no_damaged_text_panics(start in 0..BUILTIN.len(), length in 0..40_usize, with in "[\\]\\[{}=\"a-z0-9,./%\n -]{0,20}") {
        let mut text = BUILTIN.as_bytes().to_vec();
        text.splice(start..(start + length).min(BUILTIN.len()), with.bytes());
        if let Ok(text) = String::from_utf8(text) {
            drop(Settings::parse(&text));
            drop(Settings::layered(&text));
        }
    }
}

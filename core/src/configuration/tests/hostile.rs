//! No input panics.

use proptest::prelude::*;

use super::*;

/// JSON that often uses the names of the configuration.
fn json_value() -> impl Strategy<Value = Value> {
    let names = sections_keys();
    let name = prop_oneof![3 => prop::sample::select(names), 1 => ".{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        name.clone().prop_map(Value::from),
        Just(json!("https://login.example/{tenantid}")),
        Just(json!(TENANT)),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn sections_keys() -> Vec<String> {
    let keys = schema::sections()
        .into_iter()
        .flat_map(|section| section.keys);
    keys.map(String::from).collect()
}

proptest! {
    #[test]
    fn no_json_panics(value in json_value()) {
        let _ = Configuration::compile(&value);
    }

    #[test]
    fn nothing_at_any_place_panics(
        place in prop::sample::select(vec![
            "/resource", "/issuers", "/issuers/0", "/issuers/0/claims", "/issuers/0/issuer",
            "/issuers/0/jwks", "/transmitters/0", "/transmitters/0/speaksFor", "/settings",
            "/policies", "/namedLocations", "/authenticationStrengths",
        ]),
        value in json_value(),
    ) {
        if let Err(faults) = Configuration::compile(&example_with(place, value)) {
            prop_assert!(!faults.0.is_empty());
            for fault in &faults.0 {
                prop_assert!(!fault.to_string().contains('\n'), "one line: {fault}");
            }
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = Configuration::read(&text);
    }
}

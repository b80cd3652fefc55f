//! The smallest case that still shows a disagreement.

use serde_json::Value;

use crate::oracle::Tenant;

/// Leaves out whatever can be left out while `disagree` holds: policies, locations, members and entries.
pub fn reduce(
    tenant: &Tenant,
    sign_in: &Value,
    disagree: impl Fn(&Tenant, &Value) -> bool,
) -> (Tenant, Value) {
    let mut tenant = tenant.clone();
    let mut sign_in = sign_in.clone();
    let mut smaller = true;
    while smaller {
        smaller = false;
        for index in (0..tenant.policies.len()).rev() {
            let mut less = tenant.clone();
            less.policies.remove(index);
            if disagree(&less, &sign_in) {
                tenant = less;
                smaller = true;
            }
        }
        if tenant.named_locations.is_some() {
            let less = Tenant {
                named_locations: None,
                ..tenant.clone()
            };
            if disagree(&less, &sign_in) {
                tenant = less;
                smaller = true;
            }
        }
        for index in (0..tenant.named_locations.as_ref().map_or(0, Vec::len)).rev() {
            let mut less = tenant.clone();
            if let Some(locations) = &mut less.named_locations {
                locations.remove(index);
            }
            if disagree(&less, &sign_in) {
                tenant = less;
                smaller = true;
            }
        }
        smaller |= prune(&mut sign_in, |less| disagree(&tenant, less));
        for index in 0..tenant.policies.len() {
            let mut policy = tenant.policies[index].clone();
            let shrank = prune(&mut policy, |less| {
                let mut with_less = tenant.clone();
                with_less.policies[index] = less.clone();
                disagree(&with_less, &sign_in)
            });
            tenant.policies[index] = policy;
            smaller |= shrank;
        }
    }
    (tenant, sign_in)
}

/// Takes members and entries out of a document, the outermost first, as long as `still` holds.
fn prune(document: &mut Value, still: impl Fn(&Value) -> bool) -> bool {
    let mut pruned = false;
    let mut places = children(document, "");
    while let Some(place) = places.pop() {
        let mut less = document.clone();
        let (parent, name) = place.rsplit_once('/').unwrap_or_default();
        match less.pointer_mut(parent) {
            Some(Value::Object(members)) => drop(members.remove(&unescaped(name))),
            Some(Value::Array(items)) => {
                drop(name.parse().ok().map(|index: usize| items.remove(index)))
            }
            _ => continue,
        }
        if still(&less) {
            *document = less;
            pruned = true;
        } else {
            places.extend(children(document, &place));
        }
    }
    pruned
}

/// Pointers to what stands directly in a node. The last entry of an array is taken first, so that others keep theirs.
fn children(document: &Value, place: &str) -> Vec<String> {
    match document.pointer(place) {
        Some(Value::Object(members)) => members
            .keys()
            .map(|key| format!("{place}/{}", escaped(key)))
            .collect(),
        Some(Value::Array(items)) => (0..items.len())
            .map(|index| format!("{place}/{index}"))
            .collect(),
        _ => Vec::new(),
    }
}

/// RFC 6901 section 3.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

//! Everything read now, because an operator asks for it.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

use super::tenant::Tenant;
use crate::serve::http::{self, Answer};
use crate::serve::service::Service;

/// Where it is asked for.
pub(crate) const SYNC: &str = "/v1/entra/sync";
/// How long an operator waits: a large tenant, read from the beginning under throttling, takes longer.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often somebody looks whether policies that were read are in force.
const LOOK: Duration = Duration::from_millis(50);

/// Answers an operator.
pub(crate) async fn answer(service: &Service) -> Answer {
    let Some(tenant) = service.entra.load_full() else {
        let what = json!({"error": "no tenant is configured: there is no [entra] in cae.toml"});
        return http::json(StatusCode::NOT_FOUND, what.to_string());
    };
    let (status, body) = synchronize(&tenant, PATIENCE).await;
    http::json(status, body)
}

/// Reads everything and waits until it was read, and policies are in force or refused; at most so long.
async fn synchronize(tenant: &Tenant, patience: Duration) -> (StatusCode, String) {
    let until = Instant::now().checked_add(patience);
    let until = until.unwrap_or_else(Instant::now);
    let (answer, answered) = oneshot::channel();
    if !tenant.inbox.everything(answer) {
        let what = json!({"error": "others wait for the same already"});
        return (StatusCode::SERVICE_UNAVAILABLE, what.to_string());
    }
    let results = match timeout_at(until, answered).await {
        Ok(Ok(results)) => results,
        Ok(Err(_)) => {
            let what = json!({"error": "the service stops, has another tenant by now, or too many wait already"});
            return (StatusCode::SERVICE_UNAVAILABLE, what.to_string());
        }
        Err(_) => {
            let what = format!(
                "not everything was read within {} seconds; it goes on, /readyz shows how far it is",
                patience.as_secs()
            );
            return (
                StatusCode::GATEWAY_TIMEOUT,
                json!({"error": what}).to_string(),
            );
        }
    };
    while tenant.shared.policies.state().candidate.is_some() && Instant::now() < until {
        sleep(LOOK).await;
    }
    let policies = tenant.shared.policies.state();
    let features: serde_json::Map<_, _> = results
        .iter()
        .map(|(name, result)| {
            let result = match result {
                Ok(()) => json!({"read": true}),
                Err(why) => json!({"read": false, "problem": why}),
            };
            ((*name).to_owned(), result)
        })
        .collect();
    let done = policies.problem.is_none() && results.iter().all(|(_, result)| result.is_ok());
    let body = json!({
        "synchronized": done,
        "features": features,
        "policies": {
            "readAt": policies.in_force.map(|documents| documents.read_at),
            "problem": policies.problem,
        },
    });
    (StatusCode::OK, body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::settings::entra::Entra;

    fn tenant() -> Tenant {
        Tenant::new(Entra::example(), &[]).unwrap()
    }

    fn wait(tenant: &Tenant, patience: Duration) -> (StatusCode, String) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(synchronize(tenant, patience))
    }

    #[test]
    fn nobody_waits_for_ever() {
        let (status, body) = wait(&tenant(), Duration::from_millis(30));
        assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{body}");
        assert!(body.contains("/readyz"), "{body}");
    }

    #[test]
    fn whoever_waits_hears_of_every_feature() {
        let tenant = tenant();
        let (status, body) = std::thread::scope(|scope| {
            scope.spawn(|| {
                for answer in tenant.inbox.take(Duration::from_secs(10)).everything {
                    let results = vec![("users", Ok(())), ("userRisk", Err("why".to_owned()))];
                    answer.send(results).unwrap();
                }
            });
            wait(&tenant, Duration::from_secs(10))
        });
        assert_eq!(status, StatusCode::OK);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["synchronized"], false);
        assert_eq!(body["features"]["users"]["read"], true);
        assert_eq!(body["features"]["userRisk"]["problem"], "why");
    }

    #[test]
    fn not_everybody_may_wait_at_a_time() {
        let tenant = tenant();
        let mut answers = Vec::new();
        for _ in 0..16 {
            let (answer, answered) = oneshot::channel();
            assert!(tenant.inbox.everything(answer));
            answers.push(answered);
        }
        let (status, _) = wait(&tenant, Duration::from_secs(10));
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

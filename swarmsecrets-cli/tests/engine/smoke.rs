//! The gateway before the real Engine answers as the recordings do.

use serde_json::json;

use crate::scene::Scene;
use crate::{place, portainer};

#[test]
fn the_gateway_refuses_a_wrong_key_and_knows_its_accounts() {
    let refused = portainer::ask("ptr_no-such-key", "GET", "/users/me", None);
    assert_eq!((refused.status, refused.body["details"].as_str()), (401, Some("Unauthorized")));
    assert_eq!(portainer::admin("GET", "/users/me", None)["Role"], 1);
    let agent = portainer::ask(&place::agent_key(), "GET", "/users/me", None);
    assert_eq!((agent.status, &agent.body["Role"]), (200, &json!(2)));
}

#[test]
fn a_secret_is_created_as_portainer_does_it_by_the_real_engine() {
    let scene = Scene::new("smoke");
    let create = json!({"Name": scene.own("pw"), "Labels": {"a": "b"}, "Data": "bWFkZS11cA=="});
    let created = portainer::ask(&place::admin_key(), "POST", &portainer::engine("/secrets/create"), Some(&create));
    assert_eq!(created.status, 200, "Portainer turns the Engine's 201 into 200");
    assert!(created.body["Portainer"]["ResourceControl"]["Id"].is_u64(), "{}", created.body);
    let again = portainer::ask(&place::admin_key(), "POST", &portainer::engine("/secrets/create"), Some(&create));
    assert_eq!(again.status, 409);
    assert!(again.body["message"].as_str().unwrap().contains("already exists"), "{}", again.body);
    let unseen = portainer::ask(&place::agent_key(), "GET", &portainer::engine("/secrets"), None);
    let seen = unseen.body.as_array().unwrap().iter().any(|secret| secret["Spec"]["Name"] == scene.own("pw"));
    assert!(!seen, "a scoped account sees an administrator's secret");
    let version = portainer::admin("GET", &portainer::engine("/version"), None);
    assert!(version["Version"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit()), "{version}");
}

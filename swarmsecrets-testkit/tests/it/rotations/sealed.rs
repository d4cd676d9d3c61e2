//! The digest of a plan, worked out again as its documentation says.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use swarmsecrets_core::ids::PlanDigest;
use swarmsecrets_core::plan::{Plan, RotationRequest, ValueRecipe, plan_rotation};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::Desk;

fn of_json(value: &impl Serialize) -> [u8; 32] {
    Sha256::digest(serde_json::to_string(value).unwrap()).into()
}

/// More services than one core encodes by itself.
#[tokio::test]
async fn the_digest_is_what_its_documentation_says() {
    for services in [0, 1, 600] {
        let service = |n| ServiceBuilder::new(&format!("s{n:03}"), "local/app:1").secret("db").replicas(0);
        let desk = Desk::with((0..services).map(|n| (service(n), Program::runs())).collect());
        let request = RotationRequest::new("db", ValueRecipe::Supplied);
        let plan: Plan = plan_rotation(&desk.inventory().await, &request).unwrap();
        assert_eq!(plan.consumers.len(), services);
        let mut content = (*plan).clone();
        let (consumers, steps) = (std::mem::take(&mut content.consumers), std::mem::take(&mut content.steps));
        let warnings = std::mem::take(&mut content.warnings);
        let mut sha = Sha256::new_with_prefix("swarmsecrets plan 1\n");
        let lists = [
            vec![of_json(&content)],
            consumers.iter().map(of_json).collect(),
            steps.iter().map(of_json).collect(),
            warnings.iter().map(of_json).collect(),
        ];
        for list in lists {
            list.iter().for_each(|digest| sha.update(digest));
            sha.update("\n");
        }
        assert_eq!(*plan.digest(), PlanDigest::from_sha256(sha.finalize().into()), "{services} services");
    }
}

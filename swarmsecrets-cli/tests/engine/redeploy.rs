//! What a redeployment of a stack would change, held against what `docker stack deploy` does.

use std::io::Write as _;

use serde_json::Value;
use swarmsecrets_core::ids::SecretName;
use swarmsecrets_core::stack::{Difference, Live, Variables, redeploy, rename};

use crate::scene::Scene;
use crate::{docker, place, portainer};

/// Nearly everything that a stack can say on an Engine without a load balancer.
const RICH: &str = r#"# kept
version: "3.8"
x-policy: &policy {parallelism: 2, delay: 1s, failure_action: rollback, monitor: 1s, max_failure_ratio: 0.25, order: start-first}
services:
  rich:
    image: IMAGE
    command: sh -c "sleep 100000"
    environment:
      - MODE=${MODE:-none}
      - TAKEN
      - UNSET
      - NUMBER=1.0
    labels: {team: payments, empty: , number: 1.50}
    hostname: rich
    user: "1000:1000"
    working_dir: /tmp
    stop_signal: SIGINT
    stop_grace_period: 1m30s
    init: true
    tty: true
    read_only: true
    extra_hosts: ["one:10.0.0.1", "two:10.0.0.2"]
    dns: [10.0.0.53]
    dns_search: example.org
    sysctls: {net.core.somaxconn: 1024}
    ulimits: {nofile: 1024, nproc: {soft: 10, hard: 20}}
    cap_add: [NET_ADMIN]
    cap_drop: [CAP_CHOWN, MKNOD]
    healthcheck: {test: "true", interval: 30s, timeout: 1.5s, retries: 3, start_period: 1s}
    logging: {driver: json-file, options: {max-size: 10m}}
    ports:
      - {target: 80, published: 18080, protocol: tcp, mode: host}
    volumes:
      - data:/data:ro
      - named:/named
      - /tmp:/host
      - /anonymous
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1048576}}
      - {type: bind, source: /tmp, target: /shared, bind: {propagation: rslave}}
      - {type: volume, source: data, target: /plain, volume: {nocopy: true}}
    networks: {inner: {aliases: [r, rr]}, default: }
    secrets: [plain, {source: db, target: conf/pw.txt, uid: "1000", gid: "1001", mode: 0440}]
    configs: [{source: conf, target: /etc/conf, mode: 0400}, conf]
    deploy:
      endpoint_mode: dnsrr
      replicas: 0
      labels: {tier: low}
      update_config: *policy
      rollback_config: {<<: *policy}
      restart_policy: {condition: on-failure, delay: 500ms, max_attempts: 3, window: 2m}
      resources:
        limits: {cpus: "0.50", memory: 64M}
        reservations: {cpus: "0.25", memory: 20M}
      placement:
        constraints: ["node.role == manager", "node.labels.none != x"]
        preferences: [{spread: node.labels.zone}]
        max_replicas_per_node: 4
  bare:
    image: IMAGE
    command: ["sleep", "100000"]
    deploy: {endpoint_mode: dnsrr, replicas: 0}
  everywhere:
    image: IMAGE
    restart: always
    deploy: {endpoint_mode: dnsrr, mode: global, placement: {constraints: ["node.labels.none == x"]}}
  one:
    image: IMAGE
    deploy: {endpoint_mode: dnsrr, placement: {constraints: ["node.labels.none == x"]}}
networks:
  inner: {}
volumes:
  data: {labels: {a: b}, driver: local, driver_opts: {type: tmpfs, device: tmpfs}}
  named: {name: SCENE-named-volume}
secrets:
  plain: {external: true, name: SCENE-plain}
  db:
    external: true
    name: ${DB:-SCENE-db}
configs:
  conf: {external: true, name: SCENE-conf}
"#;

/// A stack of a scene.
struct Stack {
    name: String,
    file: String,
    variables: Vec<(String, String)>,
}

impl Stack {
    /// Makes what the stack needs, and deploys it.
    fn deployed(scene: &Scene) -> Self {
        for secret in ["plain", "db"] {
            docker::create_secret(&scene.own(secret), &scene.value(secret));
        }
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(b"a config").unwrap();
        docker::docker(&["config", "create", &scene.own("conf"), config.path().to_str().unwrap()]);
        let file = RICH.replace("IMAGE", &place::image()).replace("SCENE", scene.own("").trim_end_matches('-'));
        let variables = [("MODE", "prod"), ("TAKEN", "from the stack")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let stack = Self { name: scene.own("stack"), file, variables: variables.to_vec() };
        stack.deploy();
        stack
    }

    fn deploy(&self) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(self.file.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        docker::docker_with(
            &["stack", "deploy", "--resolve-image=never", "--compose-file", path, &self.name],
            &self.variables,
        );
    }

    fn service(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }

    /// The specs of all its services. Docker leaves the order of two references to one config to chance.
    fn specs(&self) -> Vec<Value> {
        let spec = |name: &str| {
            let mut spec = docker::service(&self.service(name))["Spec"].clone();
            for key in ["Secrets", "Configs"] {
                let references = spec["TaskTemplate"]["ContainerSpec"][key].as_array_mut();
                references.into_iter().for_each(|list| list.sort_by_key(|one| one["File"]["Name"].to_string()));
            }
            spec
        };
        ["rich", "bare", "everywhere", "one"].map(spec).to_vec()
    }

    fn differences_but_for(&self, names: &[(SecretName, SecretName)]) -> Vec<Difference> {
        let read = |path: &str| portainer::admin("GET", &portainer::engine(path), None).to_string();
        let live = Live::parse(read("/services").as_bytes(), read("/networks").as_bytes()).unwrap();
        let variables: Variables = self.variables.iter().cloned().collect();
        redeploy(&self.name, &self.file, &variables, &live, names).unwrap()
    }

    fn differences(&self) -> Vec<String> {
        let short = |difference: Difference| {
            let service = difference.service.trim_start_matches(&self.name).trim_start_matches('_').to_owned();
            format!("{service}: {}", difference.field)
        };
        self.differences_but_for(&[]).into_iter().map(short).collect()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = docker::try_docker(&["stack", "rm", &self.name]);
    }
}

#[test]
fn nothing_differs_right_after_a_deployment_and_another_one_changes_nothing() {
    let scene = Scene::new("redeploy-none");
    let stack = Stack::deployed(&scene);
    assert_eq!(stack.differences(), [""; 0]);
    let before = stack.specs();
    stack.deploy();
    assert!(stack.specs() == before);
    assert_eq!(stack.differences(), [""; 0]);
}

#[test]
fn each_change_by_hand_is_named_and_is_what_a_deployment_resets() {
    let scene = Scene::new("redeploy-edits");
    let stack = Stack::deployed(&scene);
    let before = stack.specs();
    let edits: [(&str, &[&str], &[&str]); 35] = [
        ("rich", &["--replicas=1"], &["replicas"]),
        ("one", &["--replicas=2"], &["replicas"]),
        ("bare", &["--env-add=BY_HAND=made-up"], &["environment variable BY_HAND"]),
        ("rich", &["--env-add=MODE=made-up"], &["environment variable MODE"]),
        ("rich", &["--env-rm=TAKEN"], &["environment variable TAKEN"]),
        ("bare", &["--label-add=a=b"], &["label a"]),
        ("rich", &["--label-rm=tier"], &["label tier"]),
        ("rich", &["--container-label-add=team=other"], &["container label team"]),
        (
            "bare",
            &["--mount-add=type=volume,source=v,target=/by-hand"],
            &["mount /by-hand.Source", "mount /by-hand.Type"],
        ),
        ("rich", &["--mount-rm=/scratch"], &["mount /scratch.TmpfsOptions.SizeBytes", "mount /scratch.Type"]),
        ("bare", &["--args=sleep 5"], &["command"]),
        ("bare", &["--entrypoint=sh"], &["entrypoint"]),
        ("bare", &["--constraint-add=node.role==manager"], &["TaskTemplate.Placement.Constraints.0"]),
        ("bare", &["--limit-memory=32M"], &["TaskTemplate.Resources.Limits.MemoryBytes"]),
        ("rich", &["--reserve-cpu=0.1"], &["TaskTemplate.Resources.Reservations.NanoCPUs"]),
        ("rich", &["--update-parallelism=1"], &["update policy: Parallelism"]),
        ("bare", &["--update-order=start-first"], &["update policy: Order"]),
        ("rich", &["--rollback-monitor=9s"], &["rollback policy: Monitor"]),
        ("bare", &["--restart-condition=none"], &["restart policy: Condition"]),
        ("everywhere", &["--restart-delay=1s"], &["restart policy: Delay"]),
        ("bare", &["--health-cmd=true"], &["health check"]),
        ("rich", &["--health-retries=9"], &["TaskTemplate.ContainerSpec.Healthcheck.Retries"]),
        ("bare", &["--user=1"], &["TaskTemplate.ContainerSpec.User"]),
        ("bare", &["--hostname=h"], &["TaskTemplate.ContainerSpec.Hostname"]),
        ("bare", &["--workdir=/tmp"], &["TaskTemplate.ContainerSpec.Dir"]),
        (
            "rich",
            &["--host-rm=one:10.0.0.1"],
            &["TaskTemplate.ContainerSpec.Hosts.0", "TaskTemplate.ContainerSpec.Hosts.1"],
        ),
        ("bare", &["--dns-add=10.0.0.54"], &["TaskTemplate.ContainerSpec.DNSConfig.Nameservers.0"]),
        ("bare", &["--stop-grace-period=20s"], &["stop grace period"]),
        ("rich", &["--stop-signal=SIGTERM"], &["TaskTemplate.ContainerSpec.StopSignal"]),
        ("bare", &["--read-only"], &["TaskTemplate.ContainerSpec.ReadOnly"]),
        ("bare", &["--cap-add=NET_RAW"], &["TaskTemplate.ContainerSpec.CapabilityAdd.0"]),
        ("bare", &["--log-driver=none"], &["TaskTemplate.LogDriver.Name"]),
        ("bare", &["--publish-add=mode=host,published=18081,target=81"], &["port 18081 to 81/tcp (host)"]),
        ("bare", &["--secret-add=source=SECRET,target=x"], &["secret x"]),
        ("rich", &["--config-rm=CONFIG"], &["config conf", "config etc/conf"]),
    ];
    for (service, flags, fields) in edits {
        let flags: Vec<String> = flags
            .iter()
            .map(|flag| flag.replace("SECRET", &scene.own("plain")).replace("CONFIG", &scene.own("conf")))
            .collect();
        let mut update = vec!["service", "update", "--detach", "--quiet", "--no-resolve-image"];
        update.extend(flags.iter().map(String::as_str));
        let name = stack.service(service);
        update.push(&name);
        docker::docker(&update);
        let wanted: Vec<String> = fields.iter().map(|field| format!("{service}: {field}")).collect();
        assert_eq!(stack.differences(), wanted, "{flags:?}");
        stack.deploy();
        assert_eq!(stack.differences(), [""; 0], "a deployment does not reset {flags:?}");
        assert!(stack.specs() == before, "a deployment does not reset {flags:?}");
    }
}

#[test]
fn a_changed_image_is_named_although_a_deployment_without_pulling_keeps_it() {
    let scene = Scene::new("redeploy-image");
    let stack = Stack::deployed(&scene);
    let name = stack.service("bare");
    let other = format!("{}-by-hand", place::image());
    docker::docker(&["service", "update", "--detach", "--quiet", "--no-resolve-image", "--image", &other, &name]);
    assert_eq!(stack.differences(), ["bare: image"]);
    stack.deploy();
    assert_eq!(stack.differences(), ["bare: image"], "docker keeps the image while the label names the file's");
    let digested = format!("{}@sha256:{}", place::image(), "0".repeat(64));
    docker::docker(&["service", "update", "--detach", "--quiet", "--no-resolve-image", "--image", &digested, &name]);
    assert_eq!(stack.differences(), [""; 0], "the digest of the same tag is what docker looks up");
}

#[test]
fn a_forced_restart_is_no_difference_and_a_deployment_keeps_its_count() {
    let scene = Scene::new("redeploy-force");
    let stack = Stack::deployed(&scene);
    docker::docker(&[
        "service",
        "update",
        "--detach",
        "--quiet",
        "--force",
        "--no-resolve-image",
        &stack.service("bare"),
    ]);
    assert_eq!(stack.differences(), [""; 0]);
    let before = stack.specs();
    stack.deploy();
    assert!(stack.specs() == before);
}

#[test]
fn services_on_one_side_only_are_named() {
    let scene = Scene::new("redeploy-sides");
    let stack = Stack::deployed(&scene);
    docker::docker(&["service", "rm", &stack.service("bare")]);
    let label = format!("com.docker.stack.namespace={}", stack.name);
    let (extra, image) = (stack.service("extra"), place::image());
    let create = ["service", "create", "--quiet", "--detach", "--no-resolve-image", "--endpoint-mode=dnsrr"];
    docker::docker(&[&create[..], &["--replicas=0", "--label", &label, "--name", &extra, &image]].concat());
    assert_eq!(stack.differences(), ["bare: service", "extra: service"]);
}

#[test]
fn an_edited_file_changes_the_secret_and_nothing_else() {
    let scene = Scene::new("redeploy-secret");
    let mut stack = Stack::deployed(&scene);
    let new = [scene.own("plain_v2"), scene.own("db_v2")];
    new.iter().for_each(|name| drop(docker::create_secret(name, &scene.value(name))));
    let pair = |from: &str, to: &str| (scene.own(from).parse().unwrap(), to.parse().unwrap());
    let names = [pair("plain", &new[0]), pair("db", &new[1])];
    let before = stack.specs();

    let variables: Variables = stack.variables.iter().cloned().collect();
    let edit = rename(&stack.name, &stack.file, &variables, &names).unwrap();
    stack.file = edit.file.to_string();
    assert_eq!(stack.differences(), ["rich: secret conf/pw.txt", "rich: secret plain"]);
    assert_eq!(stack.differences_but_for(&names), []);

    stack.deploy();
    assert_eq!(stack.differences(), [""; 0]);
    let swapped = |mut specs: Vec<Value>| {
        for reference in specs[0]["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap() {
            reference["SecretID"] = Value::Null;
            reference["SecretName"] = Value::Null;
        }
        specs
    };
    assert!(swapped(stack.specs()) == swapped(before));
}

//! Files compared with what would have been deployed from them: each line counts, and spelling does not.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Declared, Field, Live, Node, field, redeploy, service};
use crate::stack::Variables;

/// One thing on each line.
const LINES: &str = "
services:
  web:
    image: nginx:1
    command:
      - run
      - \"8080\"
    entrypoint: sh -c 'x y'
    environment:
      MODE: dev
      TAKEN:
      NUMBER: 1.50
    labels:
      - a=b
      - bare
    hostname: h
    user: \"1000\"
    working_dir: /w
    stop_signal: SIGINT
    stop_grace_period: 1m30s
    init: true
    tty: true
    stdin_open: true
    read_only: true
    isolation: process
    extra_hosts:
      - one:10.0.0.1
    dns:
      - 10.0.0.53
    dns_search: example.org
    sysctls:
      net.core.somaxconn: 1024
    ulimits:
      nofile: 1024
      nproc:
        soft: 10
        hard: 20
    cap_add:
      - NET_ADMIN
    cap_drop:
      - MKNOD
    healthcheck:
      test: made-up
      interval: 30s
      timeout: 1.5s
      retries: 3
      start_period: 1s
      start_interval: 2s
    logging:
      driver: json-file
      options:
        max-size: 10m
    ports:
      - 8080:80
      - target: 81
        published: 8081
        protocol: udp
        mode: host
    volumes:
      - data:/data:ro
      - /tmp:/host:rslave
      - /anonymous
      - type: tmpfs
        target: /scratch
        tmpfs:
          size: 1048576
      - type: volume
        source: outer
        target: /outer
        read_only: true
        volume:
          nocopy: true
    networks:
      inner:
        aliases:
          - r
        driver_opts:
          a: b
      outer:
    secrets:
      - plain
      - source: db
        target: pw
        uid: \"1000\"
        gid: \"1001\"
        mode: 0440
    configs:
      - source: conf
        target: /etc/conf
    deploy:
      mode: replicated
      endpoint_mode: dnsrr
      replicas: 2
      labels:
        tier: low
      update_config:
        parallelism: 2
        delay: 1s
        failure_action: rollback
        monitor: 1s
        max_failure_ratio: 0.25
        order: start-first
      rollback_config:
        parallelism: 0
      restart_policy:
        condition: on-failure
        delay: 500ms
        max_attempts: 3
        window: 2m
      resources:
        limits:
          cpus: \"0.50\"
          memory: 64M
          pids: 100
        reservations:
          cpus: \"0.25\"
          memory: 20M
      placement:
        constraints:
          - node.role == manager
        preferences:
          - spread: node.labels.zone
        max_replicas_per_node: 4
networks:
  inner:
  outer:
    external: true
volumes:
  data:
    driver: local
    driver_opts:
      type: tmpfs
    labels:
      a: b
  outer:
    external:
      name: elsewhere
secrets:
  plain:
    external: true
  db:
    external:
      name: db_v1
configs:
  conf:
    external: true
";

/// The services of a file as they would be if they had been deployed from it. Networks have their names for ids.
fn deployed(file: &str) -> Live {
    let tree = field::filled(Node::read(file).unwrap(), &Variables::default(), "").unwrap();
    let declared = Declared::read("shop", &tree).unwrap();
    let web = Field::section(&tree, "services").get("web");
    let spec = service::spec(&declared, &Variables::default(), "web", &web).unwrap();
    let networks: Vec<Value> = declared.networks.values().map(|name| json!({"Id": name, "Name": name})).collect();
    let services = json!([{"ID": "i", "Spec": spec}]);
    Live::parse(services.to_string().as_bytes(), json!(networks).to_string().as_bytes()).unwrap()
}

#[test]
fn each_line_of_a_file_counts() {
    // What docker and the Engine take for granted may be left out.
    const SILENT: [&str; 4] = ["mode: replicated", "networks:", "inner:", "external:"];
    let live = deployed(LINES);
    let compare = |file: &str| redeploy("shop", file, &Variables::default(), &live, &[]);
    assert_eq!(compare(LINES), Ok(Vec::new()));
    for (at, line) in LINES.lines().enumerate() {
        let without: String =
            LINES.lines().enumerate().filter(|(n, _)| *n != at).map(|(_, l)| format!("{l}\n")).collect();
        let told = compare(&without);
        let same = told == Ok(Vec::new());
        assert!(!same || line.is_empty() || SILENT.contains(&line.trim()), "line {at} counts for nothing: {line}");
    }
    let text = format!("{:?}", deployed(LINES));
    assert!(!text.contains("made-up"));
}

#[test]
fn other_spellings_of_a_file_mean_the_same() {
    let live = deployed(LINES);
    for (from, to) in [
        ("      - run\n      - \"8080\"\n", "      [run, '8080']\n"),
        ("entrypoint: sh -c 'x y'", "entrypoint: [sh, -c, x y]"),
        ("      MODE: dev\n      TAKEN:\n      NUMBER: 1.50\n", "      [NUMBER=1.5, TAKEN, MODE=dev]\n"),
        ("      - a=b\n      - bare\n", "      {bare: , a: b}\n"),
        ("nofile: 1024", "nofile: {soft: 1024, hard: 1024}"),
        ("test: made-up", "test: [CMD-SHELL, made-up]"),
        ("- 8080:80\n", "- {target: 80, published: 8080}\n"),
        ("- data:/data:ro\n", "- {type: volume, source: data, target: /data, read_only: true}\n"),
        ("stop_grace_period: 1m30s", "stop_grace_period: 90s"),
        ("memory: 64M", "memory: 65536kb"),
        ("mode: 0440", "mode: 288"),
        ("cpus: \"0.50\"", "cpus: '.5'"),
        ("- NET_ADMIN", "- cap_net_admin"),
        ("      - plain\n", "      - source: plain\n"),
        ("    external:\n      name: elsewhere\n", "    external: true\n    name: elsewhere\n"),
        ("    image: nginx:1\n", "    image: nginx:1\n    container_name: x\n    depends_on: [y]\n    x-z: 1\n"),
    ] {
        let file = LINES.replacen(from, to, 1);
        assert_ne!(file, LINES, "{from}");
        let told = redeploy("shop", &file, &Variables::default(), &live, &[]);
        match to {
            "cpus: '.5'" => assert_eq!(told.unwrap_err().at, "services.web.deploy.resources.limits.cpus"),
            _ => assert_eq!(told, Ok(Vec::new()), "{to}"),
        }
    }
}

static LIVE: LazyLock<Live> = LazyLock::new(|| deployed(LINES));

proptest! {
    #[test]
    fn no_file_panics(key in "[a-z_]{2,12}", value in "[a-z0-9:{}\\[\\]&*$ .,/\"'!|>~-]{0,24}", at in 0_usize..140) {
        let changed: String = LINES
            .lines()
            .enumerate()
            .map(|(n, line)| {
                let pad = line.len() - line.trim_start().len();
                if n == at { format!("{}{key}: {value}\n", " ".repeat(pad)) } else { format!("{line}\n") }
            })
            .collect();
        let _ = redeploy("shop", &changed, &Variables::default(), &LIVE, &[]);
        let _ = redeploy("shop", &value, &Variables::default(), &Live::default(), &[]);
    }
}

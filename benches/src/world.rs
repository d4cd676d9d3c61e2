//! A Swarm of any size, as the bytes that Portainer would send: about 8 KB a service and two secrets for each.

use std::fmt::Write as _;

use bytes::Bytes;
use jiff::Timestamp;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::inventory::Snapshot;

/// What is read of a Swarm with so many services: twice as many secrets and one task each.
#[must_use]
pub fn snapshot(services: usize) -> Snapshot {
    with_keys(services, |n| 2 * n + 1)
}

/// The same, but every service mounts the API key of the second: a secret with so many consumers.
#[must_use]
pub fn sharing(services: usize) -> Snapshot {
    with_keys(services, |_| 3)
}

/// `key` says which secret a service mounts as its API key.
fn with_keys(services: usize, key: impl Fn(usize) -> usize) -> Snapshot {
    Snapshot {
        environment: EnvironmentId(1),
        taken_at: Timestamp::UNIX_EPOCH,
        simulated: true,
        me: br#"{"Id":1,"Username":"admin","Role":1}"#[..].into(),
        swarm: br#"{"ID":"q6tn2ql0fkspfip28w4cm60px"}"#[..].into(),
        users: None,
        teams: None,
        nodes: None,
        stacks: b"[]"[..].into(),
        stack_files: Vec::new(),
        networks: None,
        secrets: list(2 * services, secret),
        tasks: list(services, |n, into| task(n, key(n), into)),
        services: list(services, |n, into| service(n, key(n), into)),
    }
}

/// How many bytes a snapshot has.
#[must_use]
pub fn size(snapshot: &Snapshot) -> usize {
    snapshot.secrets.len() + snapshot.tasks.len() + snapshot.services.len()
}

fn list(count: usize, item: impl Fn(usize, &mut String)) -> Bytes {
    let mut text = String::from("[");
    for n in 0..count {
        if n > 0 {
            text.push(',');
        }
        item(n, &mut text);
    }
    text.push(']');
    text.shrink_to_fit();
    text.into()
}

fn put(into: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string has no way to fail.
    let done = into.write_fmt(text);
    debug_assert!(done.is_ok());
}

/// What looks like an id of the Engine: 25 letters and digits, different for each kind and number.
fn id(kind: u64, n: usize) -> String {
    scrambled(kind, n, 36).take(25).collect()
}

/// Characters that look random, of the first so many of `0-9a-z`.
fn scrambled(kind: u64, n: usize, radix: u64) -> impl Iterator<Item = char> {
    const CHARACTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut state = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ kind.wrapping_mul(0xd134_2543_de82_ef95);
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(CHARACTERS[((state >> 33) % radix) as usize])
    })
}

const SECRET: u64 = 1;
const SERVICE: u64 = 2;
const TASK: u64 = 3;
const DIGEST: u64 = 4;

/// Two secrets for each service; for every fourth they are two versions of one.
fn secret_name(n: usize) -> String {
    let kind = match (n % 2, n / 2 % 4) {
        (0, _) => "db_password",
        (_, 0) => "db_password_v2",
        _ => "api_key",
    };
    format!("app{:05}_{kind}", n / 2)
}

fn control(n: usize, into: &mut String) {
    put(
        into,
        format_args!(
            r#""Portainer":{{"ResourceControl":{{"Id":{n},"ResourceId":"{}","SubResourceIds":[],"Type":5,"UserAccesses":[],"TeamAccesses":[{{"TeamId":{},"AccessLevel":1}}],"Public":false,"AdministratorsOnly":false,"System":false}}}}"#,
            id(SECRET, n),
            n % 17
        ),
    );
}

fn secret(n: usize, into: &mut String) {
    put(into, format_args!(r#"{{"CreatedAt":"2026-11-21T12:25:16.895297713Z","ID":"{}","#, id(SECRET, n)));
    control(n, into);
    put(
        into,
        format_args!(
            r#","Spec":{{"Labels":{{"owner":"team-{}","rotation-policy":"monthly","tier":"high"}},"Name":"{}"}},"UpdatedAt":"2026-11-21T12:25:16.966655457Z","Version":{{"Index":{}}}}}"#,
            n % 17,
            secret_name(n),
            n + 10
        ),
    );
}

fn references(n: usize, key: usize, into: &mut String) {
    for (place, target) in ["db_password", "api_key"].iter().enumerate() {
        let at = if place == 0 { 2 * n } else { key };
        // Of two versions, the older is not used any more.
        if place == 0 && n.is_multiple_of(4) {
            continue;
        }
        put(
            into,
            format_args!(
                r#"{}{{"File":{{"GID":"0","Mode":292,"Name":"{target}","UID":"0"}},"SecretID":"{}","SecretName":"{}"}}"#,
                if into.ends_with('[') { "" } else { "," },
                id(SECRET, at),
                secret_name(at)
            ),
        );
    }
}

fn task(n: usize, key: usize, into: &mut String) {
    put(
        into,
        format_args!(
            r#"{{"CreatedAt":"2026-11-21T12:29:02.185156465Z","DesiredState":"running","ID":"{}","Labels":{{}},"NodeID":"node{}","ServiceID":"{}","Slot":1,"Spec":{{"ContainerSpec":{{"Image":"local/app:1","Secrets":["#,
            id(TASK, n),
            n % 50,
            id(SERVICE, n)
        ),
    );
    references(n, key, into);
    put(
        into,
        format_args!(
            r#"]}},"ForceUpdate":0}},"Status":{{"ContainerStatus":{{"ContainerID":"{}","ExitCode":0,"PID":13653}},"Message":"started","PortStatus":{{}},"State":"running","Timestamp":"2026-11-21T12:29:03.939474078Z"}},"Version":{{"Index":{n}}}}}"#,
            scrambled(DIGEST, n, 16).take(64).collect::<String>()
        ),
    );
}

fn service(n: usize, key: usize, into: &mut String) {
    put(
        into,
        format_args!(
            r#"{{"CreatedAt":"2026-11-21T12:25:16.983749814Z","Endpoint":{{"Spec":{{}}}},"ID":"{}","#,
            id(SERVICE, n)
        ),
    );
    control(n, into);
    into.push_str(r#","PreviousSpec":"#);
    spec(n, key, into);
    into.push_str(r#","Spec":"#);
    spec(n, key, into);
    put(
        into,
        format_args!(
            r#","UpdateStatus":{{"CompletedAt":"2026-11-21T14:08:36.839674702Z","Message":"update completed","StartedAt":"2026-11-21T14:08:20.62602802Z","State":"completed"}},"UpdatedAt":"2026-11-21T14:08:36.839684056Z","Version":{{"Index":{n}}}}}"#
        ),
    );
}

fn spec(n: usize, key: usize, into: &mut String) {
    into.push_str(r#"{"EndpointSpec":{"Mode":"vip","Ports":[{"Protocol":"tcp","PublishMode":"ingress","PublishedPort":8080,"TargetPort":80}]},"Labels":{"#);
    put(into, format_args!(r#""com.docker.stack.image":"registry.example.com/shop/app:{}","#, n % 90));
    for label in 0..7 {
        put(
            into,
            format_args!(
                r#""traefik.http.routers.app{n}.rule{label}":"Host(`app{n}.example.com`) \u0026\u0026 PathPrefix(`/{label}`)","#
            ),
        );
    }
    put(
        into,
        format_args!(
            r#""tier":"high"}},"Mode":{{"Replicated":{{"Replicas":1}}}},"Name":"app{n:05}_web","TaskTemplate":{{"ContainerSpec":{{"Env":["#
        ),
    );
    for variable in 0..20 {
        let comma = if variable > 0 { "," } else { "" };
        put(
            into,
            format_args!(
                r#"{comma}"SETTING_NUMBER_{variable}=https://service-{variable}.internal.example.com:8443/path/{n}""#
            ),
        );
    }
    put(
        into,
        format_args!(
            r#"],"Healthcheck":{{"Interval":10000000000,"Retries":3,"Test":["CMD-SHELL","curl -f http://localhost/health || exit 1"],"Timeout":5000000000}},"Hosts":["10.0.0.1 db.internal"],"Image":"registry.example.com/shop/app:{}@sha256:{}","Isolation":"default","Labels":{{"com.docker.stack.namespace":"app"}},"Mounts":[{{"Source":"/srv/data/{n}","Target":"/data","Type":"bind"}}],"Privileges":{{"CredentialSpec":null,"SELinuxContext":null}},"Secrets":["#,
            n % 90,
            scrambled(DIGEST, n, 16).take(64).collect::<String>()
        ),
    );
    references(n, key, into);
    into.push_str(r#"]},"ForceUpdate":0,"LogDriver":{"Name":"json-file","Options":{"max-file":"3","max-size":"10m"}},"Networks":[{"Aliases":["web"],"Target":"nw5xq6pb6mk23xw9pns1kqf17"}],"Placement":{"Constraints":["node.role==worker"]},"Resources":{"Limits":{"MemoryBytes":67108864,"NanoCPUs":500000000},"Reservations":{"MemoryBytes":33554432}},"RestartPolicy":{"Condition":"any","Delay":1000000000,"MaxAttempts":0},"Runtime":"container"},"UpdateConfig":{"Delay":1000000000,"FailureAction":"rollback","MaxFailureRatio":0,"Monitor":5000000000,"Order":"start-first","Parallelism":1}}"#);
}

//! Portainers that mean harm, and hosts that pretend to be one: the command gives them neither its key nor a value, and ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use swarmsecrets_core::transport::SIMULATED_HEADER;

use crate::attacks::automated;
use crate::command::{Place, Run};
use crate::served::Served;

const KEY: &str = "ptr_made-up-key-of-an-account";

/// What a request is answered with.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These bytes, and the end of the connection.
    Whole(String),
    /// These bytes, and a connection that stays open and says nothing more.
    Silence(String),
    /// A body in chunks that has no end.
    Endless,
}

impl Answer {
    /// A whole answer with a body.
    pub(crate) fn of(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Whole(format!(
            "HTTP/1.1 {status} Made Up\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    /// Announces ten gigabytes.
    fn huge() -> Self {
        Self::Silence(format!("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n{SIMULATED_HEADER}: 1\r\n\r\n"))
    }

    /// To the same path of another host.
    fn elsewhere(status: u16, other: &Host, path: &str) -> Self {
        Self::of(status, &format!("Location: {}{path}\r\n", other.url.replace("127.0.0.1", "localhost")), "")
    }

    fn write(self, stream: &mut impl Write) -> std::io::Result<()> {
        match self {
            Self::Whole(bytes) => stream.write_all(bytes.as_bytes()),
            Self::Silence(bytes) => {
                stream.write_all(bytes.as_bytes())?;
                stream.flush()?;
                loop {
                    std::thread::park();
                }
            }
            Self::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                let chunk = [format!("{:x}\r\n", 1 << 20).as_bytes(), &vec![b' '; 1 << 20], b"\r\n"].concat();
                loop {
                    stream.write_all(&chunk)?;
                }
            }
        }
    }
}

/// A request: its first line, and all of it.
struct Asked {
    line: String,
    head: Vec<String>,
    body: Vec<u8>,
}

impl Asked {
    fn read(stream: impl Read) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let length = lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        (!lines.is_empty()).then(|| Self { line: lines.remove(0), head: lines, body })
    }

    /// The path with its query.
    fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }
}

/// A host, and what has come to it.
pub(crate) struct Host {
    pub(crate) url: String,
    came: Arc<Mutex<Vec<String>>>,
}

impl Host {
    /// Answers as it is told, one request to a connection. `None` is left to the server behind it, if there is one.
    fn start(behind: Option<&Served>, answer: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = Self { url: format!("http://{}", listener.local_addr().unwrap()), came: Arc::default() };
        let (came, answer) = (host.came.clone(), Arc::new(answer));
        let behind = behind.map(|served| served.address().to_owned());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (came, answer, behind) = (came.clone(), answer.clone(), behind.clone());
                std::thread::spawn(move || {
                    let Some(asked) = Asked::read(&stream) else { return };
                    came.lock().unwrap().push(asked.line.clone());
                    // Whoever has heard enough hangs up, which is no failure.
                    let _ = match (answer(&asked), behind) {
                        (Some(answer), _) => answer.write(&mut stream),
                        (None, Some(behind)) => pass_on(&asked, &behind, &mut stream),
                        (None, None) => Ok(()),
                    };
                });
            }
        });
        host
    }

    /// Answers everything alike.
    pub(crate) fn always(answer: Answer) -> Self {
        Self::start(None, move |_| Some(answer.clone()))
    }

    /// Answers with what this gives for the number of the request, from 0.
    pub(crate) fn counting(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        let count = AtomicUsize::new(0);
        Self::start(None, move |_| Some(answer(count.fetch_add(1, Ordering::SeqCst))))
    }

    /// The first lines of the requests.
    pub(crate) fn came(&self) -> Vec<String> {
        self.came.lock().unwrap().clone()
    }

    fn run(&self, place: &Place, line: &str) -> Run {
        run_at(place, &self.url, "", line)
    }
}

fn run_at(place: &Place, url: &str, ca: &str, line: &str) -> Run {
    let mut settings = vec![("PORTAINER_URL", url), ("PORTAINER_API_KEY", KEY), ("PORTAINER_ENDPOINT", "1")];
    settings.extend((!ca.is_empty()).then_some(("PORTAINER_CA_FILE", ca)));
    let run = place.with(line, &settings, b"");
    assert!(!run.stdout.contains(KEY) && !run.stderr.contains(KEY), "the key is shown: {run:?}");
    run
}

fn pass_on(asked: &Asked, to: &str, back: &mut impl Write) -> std::io::Result<()> {
    let mut there = TcpStream::connect(to)?;
    let kept = asked.head.iter().filter(|line| !line.to_lowercase().starts_with("connection:"));
    let head: String = kept.map(|line| format!("{line}\r\n")).collect();
    there.write_all(format!("{}\r\n{head}Connection: close\r\n\r\n", asked.line).as_bytes())?;
    there.write_all(&asked.body)?;
    std::io::copy(&mut there, back).map(drop)
}

/// Asks a simulated Portainer as its administrator, and gives the answer's body.
pub(crate) fn asked(served: &Served, method: &str, path: &str, body: &str) -> String {
    let address = served.address();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nX-API-Key: {}\r\n", served.key());
    let length = body.len();
    write!(stream, "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{answer}");
    body.to_owned()
}

#[test]
fn a_server_that_redirects_to_another_host_gets_nothing_sent_there() {
    let place = Place::new();
    for status in [301, 302, 307, 308] {
        let other = Arc::new(Host::always(Answer::of(200, "", "[]")));
        let there = other.clone();
        let host = Host::start(None, move |asked| Some(Answer::elsewhere(status, &there, asked.path())));
        let run = host.run(&place, "inventory --json").code(1);
        assert!(run.stderr.contains("was not followed and the credential was not sent there"), "{run:?}");
        assert!(!host.came().is_empty() && other.came().is_empty(), "{status}: {:?}", other.came());
    }
}

const ROTATE: &str =
    "rotate report_password --value-file value --stability 1s --yes --json --policy policy.toml --journal journal";

/// Rotates through a host that answers so to the first request to make the new version, and leaves the others to the server behind
/// it. Gives the outcomes that the audit trail has of making it.
fn rotated_behind(
    place: &Place,
    served: &Served,
    answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> Vec<String> {
    automated(place, "");
    let first = AtomicBool::new(true);
    let host = Host::start(Some(served), move |asked| {
        let answered = asked.line.contains("/docker/secrets/create") && first.swap(false, Ordering::SeqCst);
        answered.then(|| answer(asked))
    });
    let run = served.run_at(place, (&host.url, "1", served.key()), ROTATE).code(0);
    assert_eq!(run.json()["outcome"], "applied", "once somebody has looked that nothing was made, it goes on: {run:?}");
    let shown = served.run(place, "admin", "inventory --secret report_password --json").code(0).json();
    assert_eq!(shown["secrets"][0]["versions"].as_array().unwrap().len(), 2, "{shown:#}");
    let told = place.run("audit query journal/audit.jsonl --json").code(0).json();
    let of =
        told["records"].as_array().unwrap().iter().filter(|one| one["action"] == "create secret report_password_v2");
    of.filter_map(|one| one["outcome"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_change_that_is_redirected_to_another_host_is_not_sent_there_nor_taken_for_done() {
    let place = Place::new();
    let served = Served::start(&place);
    let other = Arc::new(Host::always(Answer::of(200, "", "{\"ID\":\"made-up\"}")));
    let there = other.clone();
    let outcomes = rotated_behind(&place, &served, move |asked| Answer::elsewhere(307, &there, asked.path()));
    assert!(other.came().is_empty(), "{:?}", other.came());
    assert_eq!((outcomes.len(), outcomes[1].as_str()), (2, "done"), "{outcomes:?}");
    assert!(outcomes[0].starts_with("unknown: ") && outcomes[0].contains("was not followed"), "{outcomes:?}");
}

#[test]
fn a_huge_or_endless_answer_is_given_up() {
    let place = Place::new();
    for answer in [Answer::huge(), Answer::Endless] {
        let host = Host::always(answer);
        let run = host.run(&place, "inventory --json");
        assert!(run.code != 0 && run.json()["error"]["kind"] == "too_large", "{run:?}");
    }
}

#[test]
fn a_change_that_is_answered_with_a_huge_body_is_looked_for_whether_it_was_done_or_not() {
    for done in [false, true] {
        let place = Place::new();
        let served = Served::start(&place);
        let behind = served.address().to_owned();
        let outcomes = rotated_behind(&place, &served, move |asked| {
            if done {
                pass_on(asked, &behind, &mut std::io::sink()).unwrap();
            }
            Answer::huge()
        });
        assert_eq!(outcomes.len(), if done { 1 } else { 2 }, "it is made once: {outcomes:?}");
        assert!(outcomes[0].starts_with("unknown: ") && outcomes[0].contains("larger than"), "{outcomes:?}");
    }
}

/// An authority, and the file that has its certificate.
fn authority(place: &Place, name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(place.path(name), authority.pem()).unwrap();
    authority
}

/// A host with a certificate of this authority for `localhost`. It lets nobody in. Gives its port, and counts requests.
fn secured(authority: &CertifiedIssuer<'static, KeyPair>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let (config, came) = (Arc::new(config), Arc::<Mutex<Vec<String>>>::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), came.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            let Some(asked) = Asked::read(&mut stream) else { continue };
            seen.lock().unwrap().push(asked.line);
            let _ = Answer::of(401, "", "{\"message\":\"made up\"}").write(&mut stream);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (port, came)
}

#[test]
fn a_certificate_of_another_host_or_authority_gets_no_request() {
    let place = Place::new();
    let (ours, _) = (authority(&place, "ours.pem"), authority(&place, "theirs.pem"));
    let (port, came) = secured(&ours);
    automated(&place, "");
    for (host, ca) in [("127.0.0.1", "ours.pem"), ("localhost", "theirs.pem"), ("localhost", "")] {
        for line in ["inventory --json", ROTATE] {
            let run = run_at(&place, &format!("https://{host}:{port}"), ca, line).code(1);
            assert_eq!(run.json()["error"]["kind"], "unreachable", "{host} {ca}: {run:?}");
        }
    }
    assert!(came.lock().unwrap().is_empty(), "{came:?}");
    // The host that the certificate names is asked, and says that it does not know the key.
    let run = run_at(&place, &format!("https://localhost:{port}"), "ours.pem", "inventory --json").code(1);
    assert_eq!((run.json()["error"]["kind"].as_str(), came.lock().unwrap().len()), (Some("unauthorized"), 1));
}

//! The client against servers that do as they like, and tickets that somebody has changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use swarmsecrets_core::policy::FACTS;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_testkit::conformance::approver::sample_request;
use swarmsecrets_tickets::{Call, Credential, Method, Service, check_text, digest_of, fill, summary, ticket_text};
use wiremock::matchers::{any, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn token() -> SecretValue {
    SecretValue::new(b"made-up-token".to_vec()).unwrap()
}

async fn called(response: ResponseTemplate, limit: Duration) -> Result<u16, (ErrorKind, String)> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(response).mount(&server).await;
    let service = Service::builder("the service", &server.uri()).credential(Credential::Bearer(token())).limit(limit);
    let answer = service.build().unwrap().call(Call::new(Method::GET, &["a"])).await;
    answer.map(|answer| answer.status).map_err(|error| (error.kind(), format!("{error} {error:?}")))
}

#[tokio::test]
async fn a_credential_goes_nowhere_else() {
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&elsewhere).await;
    for status in [301, 302, 303, 307, 308] {
        let redirect = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        let (kind, text) = called(redirect, Duration::from_secs(5)).await.unwrap_err();
        assert!(kind == ErrorKind::Protocol && text.contains("redirect") && !text.contains("made-up"), "{text}");
    }
}

#[tokio::test]
async fn an_answer_has_an_end_in_time_and_size() {
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    let (kind, text) = called(late, Duration::from_millis(100)).await.unwrap_err();
    assert!(kind == ErrorKind::Timeout && !text.contains("made-up"), "{text}");
    let long = ResponseTemplate::new(200).set_body_bytes(vec![0; (4 << 20) + 1]);
    assert_eq!(called(long, Duration::from_secs(30)).await.unwrap_err().0, ErrorKind::TooLarge);
    assert_eq!(called(ResponseTemplate::new(404), Duration::from_secs(5)).await, Ok(404));
}

#[tokio::test]
async fn parts_of_paths_and_queries_are_encoded() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(7);
    Mock::given(path("/base/a%2F..%2Fb%3Fc"))
        .and(query_param("q", "x&y=z #"))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    let service = Service::builder("the service", &format!("{}/base/", server.uri())).build().unwrap();
    let call = Call::new(Method::GET, &["a/../b?c"]).query("q", "x&y=z #");
    assert_eq!(service.call(call).await.unwrap().wanted(&[200]).unwrap().json::<u8>().unwrap(), 7);
}

#[test]
fn what_would_give_the_credential_away_is_refused() {
    let build = |url: &str, credential| Service::builder("the service", url).credential(credential).build();
    for url in
        ["http://tickets.example.org", "http://127.0.0.1.example.org", "https://u:made-up-token@h", "https://h/#x", "h"]
    {
        let Err(error) = build(url, Credential::Bearer(token())) else { panic!("{url}") };
        assert!(error.kind() == ErrorKind::Settings && !error.to_string().contains("made-up"), "{error}");
    }
    let lines = SecretValue::new(b"made-up\ntoken: x".to_vec()).unwrap();
    let Err(error) = build("http://localhost", Credential::Bearer(lines)) else { panic!("two lines") };
    assert!(error.kind() == ErrorKind::Settings && !error.to_string().contains("made-up"), "{error}");
    assert!(!format!("{:?}", Credential::Basic("u".into(), token())).contains("made-up"));
}

#[tokio::test]
async fn a_ticket_says_what_was_asked_for_and_which_request_it_is() {
    let request = sample_request().await;
    assert!(summary(&request).starts_with("SIMULATED: Approve the change of sample"));
    for longest in [200, 100_000] {
        let text = ticket_text(&request, longest);
        assert!(text.len() <= longest, "{text}");
        assert_eq!(digest_of(&text, "T-1").unwrap(), *request.digest());
        check_text(&format!("\n{}  ", text.replace('\n', " \r\n")), &text, "T-1").unwrap();
        let changed = check_text(&text.replace("change", "chance"), &text, "T-1").unwrap_err();
        assert!(changed.kind() == ErrorKind::Denied && changed.to_string().contains("T-1"), "{changed}");
    }
    for none in ["", "approved", "change request 12", "see change request"] {
        assert_eq!(digest_of(none, "T-1").unwrap_err().kind(), ErrorKind::Denied);
    }
}

#[tokio::test]
async fn every_fact_fills_a_field() {
    let request = sample_request().await;
    let fields: BTreeMap<String, String> = FACTS.iter().map(|fact| (format!("f_{fact}"), (*fact).to_owned())).collect();
    let filled: BTreeMap<String, String> = fill(&request, &fields).unwrap().into_iter().collect();
    assert_eq!((filled["f_digest"].as_str(), filled["f_account"].as_str()), (request.digest().as_str(), "svc-agent"));
    assert_eq!(filled["f_secrets"], "sample");
    let text = fill(&request, &[("team".to_owned(), "=Database".to_owned())].into()).unwrap();
    assert_eq!(text, [("team".to_owned(), "Database".to_owned())]);
    let error = fill(&request, &[("team".to_owned(), "smell".to_owned())].into()).unwrap_err();
    assert!(error.kind() == ErrorKind::Settings && error.to_string().contains("`smell`"), "{error}");
}

//! `/events`: what has happened so far. The simulated stream ends there, whatever `until` says.

use jiff::Timestamp;

use super::answer::{Answer, Refused, parameter, raw};
use super::filters::Filters;
use crate::engine::EngineRequest;
use crate::sim::world::World;

pub(crate) fn list(world: &World, request: &EngineRequest) -> Answer {
    let filters = Filters::of(
        request,
        &["type", "event", "scope", "node", "service", "secret", "config", "container", "network", "daemon", "image"],
    )?;
    let since = moment(request, "since")?.unwrap_or(Timestamp::MIN);
    let until = moment(request, "until")?.unwrap_or(Timestamp::MAX);
    let mut body = String::new();
    let concerned = world
        .events
        .iter()
        .filter(|event| event.at >= since && event.at <= until)
        .filter(|event| filters.any("type", |kind| event.kind == kind))
        .filter(|event| filters.any("event", |action| event.action == action))
        .filter(|event| filters.any(&event.kind, |which| event.id == which || event.attributes["name"] == which));
    for event in concerned {
        body.push_str(&event.to_json().to_string());
        body.push('\n');
    }
    raw("application/json", body.into_bytes())
}

/// A moment in the query: seconds since 1970, with or without a fraction, or RFC 3339.
pub(super) fn moment(request: &EngineRequest, key: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = parameter(request, key).filter(|text| !text.is_empty() && *text != "0") else { return Ok(None) };
    let seconds = || {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let nanos: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        Timestamp::new(whole.parse().ok()?, nanos).ok()
    };
    match seconds().or_else(|| text.parse().ok()) {
        Some(moment) => Ok(Some(moment)),
        None => Err(Refused::new(400, format!("invalid value for \"{key}\": value must be a timestamp"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_three_forms() {
        let read = |text: &str| {
            let query = vec![("since".into(), text.into())];
            let request = EngineRequest { method: "GET".into(), path: "/events".into(), query, body: vec![] };
            moment(&request, "since")
        };
        assert_eq!(read("1767225600").unwrap().unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(read("1767225600.25").unwrap().unwrap().to_string(), "2026-01-01T00:00:00.25Z");
        assert_eq!(read("2026-01-01T00:00:01Z").unwrap().unwrap().as_second(), 1_767_225_601);
        assert_eq!(read("0").unwrap(), None);
        assert_eq!(read("yesterday").unwrap_err().status, 400);
    }
}

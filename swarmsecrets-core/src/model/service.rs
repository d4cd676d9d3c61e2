//! Services, as listed and as inspected, read in one pass: while the spec is read into its view, the place of its text
//! is worked out from the pointers of the keys around it.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::ownership::Portainer;
use super::service_spec::ServiceSpec;
use super::spec::places::range_in;
use super::text::{Text, or_default};
use super::unreadable::{for_each_seed, unreadable, utf8};
use crate::error::Result;

/// One service.
#[derive(Debug)]
pub struct Service<'a> {
    /// The Engine's id.
    pub id: Text<'a>,
    /// The version of the object.
    pub version: u64,
    /// When it was written last, also by Swarm itself.
    pub updated_at: Text<'a>,
    /// What the spec says.
    pub spec: ServiceSpec<'a>,
    /// The spec's text, exactly as it stands in the answer.
    pub spec_text: &'a str,
    /// Its last update, if Swarm says.
    pub update_status: Option<UpdateStatusText<'a>>,
    /// Whether there is a spec to roll back to. What it says is not read.
    pub has_previous: bool,
    /// Who may see it.
    pub portainer: Portainer<'a>,
}

/// A service's `UpdateStatus` as it stands in the answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStatusText<'a> {
    /// The state; empty for none.
    #[serde(borrow, default)]
    pub state: Text<'a>,
    /// When the update began.
    #[serde(borrow, default)]
    pub started_at: Option<Text<'a>>,
    /// The Engine's words.
    #[serde(borrow, default)]
    pub message: Text<'a>,
}

impl<'a> Service<'a> {
    /// Reads the answer to `services/{id}`.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol), quoting nothing of the answer.
    pub fn parse(body: &'a [u8]) -> Result<Self> {
        Self::parse_text(utf8("a service", body)?)
    }

    fn parse_text(input: &'a str) -> Result<Self> {
        let mut from = serde_json::Deserializer::from_str(input);
        let service = ServiceIn(input).deserialize(&mut from).and_then(|service| from.end().map(|()| service));
        service.map_err(|error| unreadable("a service", &error))
    }

    /// Reads the answer to `services`, handing each service to `each` as it is read, so that not all of them are held.
    ///
    /// # Errors
    /// As [`Service::parse`], and what `each` returns.
    pub fn for_each(body: &'a [u8], each: impl FnMut(Service<'a>) -> Result<()>) -> Result<()> {
        const WHAT: &str = "the list of services";
        let input = utf8(WHAT, body)?;
        for_each_seed(WHAT, input, ServiceIn(input), each)
    }
}

/// Reads a service that stands somewhere in this text.
#[derive(Clone, Copy)]
struct ServiceIn<'a>(&'a str);

impl<'a> DeserializeSeed<'a> for ServiceIn<'a> {
    type Value = Service<'a>;
    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<Service<'a>, D::Error> {
        from.deserialize_map(self)
    }
}

/// Where the spec's text begins, and as soon as it is known, all of it.
enum Place<'a> {
    From(usize),
    Known(&'a str),
}

impl<'a> Visitor<'a> for ServiceIn<'a> {
    type Value = Service<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a service")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Service<'a>, A::Error> {
        let mut fields = Fields::default();
        let mut place = None;
        while let Some(key) = map.next_key::<Text<'a>>()? {
            if let Some(Place::From(start)) = place {
                place = Some(self.text_before(start, &key)?);
            }
            match key.as_str() {
                "Spec" if place.is_some() => return Err(A::Error::duplicate_field("Spec")),
                "Spec" => match key.borrowed() {
                    Some(key) => {
                        fields.spec = map.next_value()?;
                        place = Some(Place::From(self.value_after(key)));
                    }
                    None => {
                        let raw: &'a RawValue = map.next_value()?;
                        fields.spec = serde_json::from_str(raw.get()).map_err(A::Error::custom)?;
                        place = Some(Place::Known(raw.get()));
                    }
                },
                other => fields.take(other, &mut map)?,
            }
        }
        let text = match place {
            Some(Place::Known(text)) => text,
            Some(Place::From(start)) => self.reread(start)?,
            None => return Err(A::Error::missing_field("Spec")),
        };
        Ok(fields.service(text))
    }
}

impl<'a> ServiceIn<'a> {
    /// Where the value of a key begins, given the key as a slice of the input: behind its quote, a colon and white space.
    fn value_after(&self, key: &'a str) -> usize {
        let rest = &self.0[range_in(self.0, key).end..];
        let value = rest.trim_start_matches(['"', ':', ' ', '\t', '\n', '\r']);
        // A string as the value would lose its quote; a spec is an object, and anything else was refused when it was read.
        self.0.len() - value.len()
    }

    /// The spec's text, now that the key behind it is known: it ends before that key's quote, a comma and white space.
    fn text_before<E: serde::de::Error>(&self, start: usize, next: &Text<'a>) -> Result<Place<'a>, E> {
        let Some(next) = next.borrowed() else {
            return Ok(Place::Known(self.reread(start)?));
        };
        let between = &self.0[start..range_in(self.0, next).start];
        let between = between.strip_suffix('"').unwrap_or(between).trim_end();
        Ok(Place::Known(between.strip_suffix(',').unwrap_or(between).trim_end()))
    }

    /// The text of the value at a place, found by reading it once more. For a spec that is last, or before an escaped key.
    fn reread<E: serde::de::Error>(&self, start: usize) -> Result<&'a str, E> {
        let mut values = serde_json::Deserializer::from_str(&self.0[start..]).into_iter::<&'a RawValue>();
        match values.next() {
            Some(Ok(raw)) => Ok(raw.get()),
            _ => Err(E::custom("the spec cannot be read again")),
        }
    }
}

#[derive(Default)]
struct Fields<'a> {
    id: Text<'a>,
    version: u64,
    updated_at: Text<'a>,
    spec: ServiceSpec<'a>,
    update_status: Option<UpdateStatusText<'a>>,
    has_previous: bool,
    portainer: Portainer<'a>,
}

impl<'a> Fields<'a> {
    fn take<A: MapAccess<'a>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "ID" => self.id = map.next_value()?,
            "Version" => self.version = map.next_value::<Version>()?.index,
            "UpdatedAt" => self.updated_at = map.next_value()?,
            "UpdateStatus" => self.update_status = map.next_value()?,
            "PreviousSpec" => self.has_previous = map.next_value::<Option<IgnoredAny>>()?.is_some(),
            "Portainer" => self.portainer = map.next_value::<Option<_>>()?.unwrap_or_default(),
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }

    fn service(self, spec_text: &'a str) -> Service<'a> {
        let Self { id, version, updated_at, spec, update_status, has_previous, portainer } = self;
        Service { id, version, updated_at, spec, spec_text, update_status, has_previous, portainer }
    }
}

/// The Engine's `Version` of an object.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// The number.
    #[serde(default, deserialize_with = "or_default")]
    pub index: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use proptest::prelude::*;

    /// The oracle: the same text cut out by serde_json itself.
    fn by_raw_value(input: &str) -> String {
        #[derive(Deserialize)]
        struct Oracle<'a> {
            #[serde(borrow, rename = "Spec")]
            spec: &'a RawValue,
        }
        serde_json::from_str::<Oracle<'_>>(input).unwrap().spec.get().to_owned()
    }

    fn spec_text(input: &str) -> String {
        Service::parse(input.as_bytes()).unwrap().spec_text.to_owned()
    }

    #[test]
    fn the_text_of_the_spec_is_found_wherever_it_stands() {
        for input in [
            r#"{"Spec":{"Name":"a"},"ID":"x"}"#,
            r#"{ "Spec" : { "Name" : "a" } , "ID" : "x" }"#,
            r#"{"ID":"x","Spec":{"Name":"a"}}"#,
            r#"{"ID":"x","Spec":{"Name":"a"} }"#,
            r#"{"ID":"x","Spec":{"Name":"a"}, "\u0055nknown":1}"#,
            "{\"Spec\":\n\t{\"Name\":\"a\"}\r\n,\n\"ID\":\"x\"}",
            r#"{"Spec":{},"":1}"#,
        ] {
            assert_eq!(spec_text(input), by_raw_value(input), "{input}");
        }
        assert_eq!(spec_text(r#"{"Sp\u0065c":{"Name":"a"},"ID":"x"}"#), r#"{"Name":"a"}"#);
    }

    #[test]
    fn a_service_without_a_spec_or_with_two_is_refused() {
        for bad in
            [r#"{"ID":"x"}"#, r#"{"Spec":{},"Spec":{}}"#, r#"{"Spec":null}"#, r#"{"Spec":"x"}"#, r#"{"Spec":{}} x"#]
        {
            assert_eq!(Service::parse(bad.as_bytes()).unwrap_err().kind(), ErrorKind::Protocol, "{bad}");
        }
    }

    #[test]
    fn a_list_is_read_one_by_one_and_stops_where_told() {
        let body = br#"[{"ID":"a","Spec":{"Name":"x"}},{"ID":"b","Spec":{"Name":"y"},"Version":{"Index":7}}]"#;
        let mut seen = Vec::new();
        Service::for_each(body, |service| {
            seen.push((service.id.to_string(), service.spec_text.to_owned(), service.version));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen[1], ("b".to_owned(), r#"{"Name":"y"}"#.to_owned(), 7));
        let stop = |_: Service<'_>| Err(crate::Error::new(ErrorKind::Stale, "enough"));
        assert_eq!(Service::for_each(body, stop).unwrap_err().kind(), ErrorKind::Stale);
        Service::for_each(b"null", |_| panic!("none")).unwrap();
    }

    proptest! {
        #[test]
        fn the_text_is_what_raw_value_cuts_out(
            before in any::<bool>(),
            after in prop::option::of(prop::sample::select(vec!["ID", "PreviousSpec", "", "\\u0061", "Ünï", "a\\\"b", ",", "}"])),
            space in "[ \t\r\n]{0,3}",
            name in "\\PC{0,12}",
        ) {
            let name = serde_json::to_string(&name).unwrap();
            let spec = format!("{{{space}\"Name\"{space}:{space}{name}{space},\"X\":[1.0,-0,{{}}]}}");
            let mut fields = Vec::new();
            if before { fields.push("\"CreatedAt\":\"2026-11-21T12:25:16Z\"".to_owned()); }
            fields.push(format!("\"Spec\"{space}:{space}{spec}{space}"));
            if let Some(key) = after { fields.push(format!("{space}\"{key}\":{}", if key == "ID" { "\"x\"" } else { "{}" })); }
            let input = format!("{{{}}}", fields.join(","));
            prop_assert_eq!(spec_text(&input), by_raw_value(&input));
        }
    }
}

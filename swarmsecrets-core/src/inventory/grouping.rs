//! Which secrets are versions of the same thing: by label, else by name, and never by guess.
//!
//! A label settles it. Without one, a name that ends in a version belongs with what stands before the version, whether or
//! not a secret of that bare name exists: `db_v2` alone is version 2 of `db`. A bare number is no version: `node_1` and
//! `node_2` beside `node` are three secrets. Names that leave it open are reported: two with the same number, two schemes
//! side by side.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::naming::{Order, Versioned, versioned};
use super::{Ambiguity, Grouping, LogicalSecret, NameScheme, SecretVersion, label};
use crate::ids::{quoted, quoted_list};

/// A secret, and what its label or name says.
struct Candidate {
    version: SecretVersion,
    labelled: bool,
    order: Order,
}

/// The logical secrets by name, without consumers or findings, and what could not be told.
pub(super) fn group(versions: Vec<SecretVersion>) -> (Vec<LogicalSecret>, Vec<Ambiguity>) {
    let mut sorted = Sorted::default();
    let mut places = places(&versions);
    let fill = |(version, place): (SecretVersion, &mut Place)| {
        Some(SecretVersion { scheme: std::mem::replace(&mut place.scheme, NameScheme::Plain), ..version })
    };
    let mut versions: Vec<Option<SecretVersion>> = versions.into_iter().zip(&mut places).map(fill).collect();
    // Numbers are sorted, not the versions, which are large.
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].logical.cmp(&places[*b].logical));
    for group in order.chunk_by(|a, b| places[*a].logical == places[*b].logical) {
        let mut candidates = Vec::with_capacity(group.len());
        for (version, place) in group.iter().filter_map(|at| Some((versions[*at].take()?, &places[*at]))) {
            match &place.contested {
                Some(base) => sorted.contested(base, version),
                None => candidates.push(Candidate { version, labelled: place.labelled, order: place.order.clone() }),
            }
        }
        if !candidates.is_empty() {
            sorted.group(&places[group[0]].logical, candidates);
        }
    }
    sorted.secrets.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.versions[0].name.cmp(&b.versions[0].name)));
    sorted.ambiguous.sort_by(|a, b| a.name.cmp(&b.name));
    (sorted.secrets, sorted.ambiguous)
}

/// What the other secrets say of a secret without a label.
struct Known<'a> {
    versions: &'a [SecretVersion],
    /// The names of secrets without a label, and the logical names that labels give. Seldom asked for.
    bases: OnceCell<HashSet<&'a str>>,
    /// The secrets that a labelled version names as the one before it, and its logical secret.
    predecessors: HashMap<&'a str, &'a str>,
}

impl<'a> Known<'a> {
    fn of(versions: &'a [SecretVersion]) -> Self {
        let predecessor = |v: &'a SecretVersion| Some((v.labels.get(label::PREVIOUS)?, v.labels.get(label::SECRET)?));
        Self { versions, bases: OnceCell::new(), predecessors: versions.iter().filter_map(predecessor).collect() }
    }

    fn is_base(&self, name: &str) -> bool {
        let base = |v: &'a SecretVersion| v.labels.get(label::SECRET).unwrap_or(v.name.as_str());
        self.bases.get_or_init(|| self.versions.iter().map(base).collect()).contains(name)
    }
}

/// Where a secret belongs, by its label or name alone.
struct Place {
    logical: String,
    labelled: bool,
    scheme: NameScheme,
    order: Order,
    /// The base, if that has a version in its own name and is a secret too: `api_v2_v3` beside `api_v2`.
    contested: Option<String>,
}

fn places(versions: &[SecretVersion]) -> Vec<Place> {
    let known = Known::of(versions);
    versions.iter().map(|version| placed(version, &known)).collect()
}

fn placed(version: &SecretVersion, known: &Known<'_>) -> Place {
    let name = version.name.as_str();
    let read = versioned(name);
    if let Some(logical) = version.labels.get(label::SECRET).filter(|name| !name.is_empty()) {
        let number = version.labels.get(label::VERSION).and_then(|n| n.parse().ok());
        let order = number.map(Order::Number).or_else(|| read.as_ref().map(|v| v.order.clone()));
        // The name of the next version follows this one's; where the label alone tells the number, it is read all the same.
        let scheme = read.map_or(NameScheme::Plain, |v| v.scheme);
        return Place {
            logical: logical.to_owned(),
            labelled: true,
            scheme,
            order: order.unwrap_or(Order::Plain),
            contested: None,
        };
    }
    let Versioned { base, scheme, order } =
        read.unwrap_or(Versioned { base: name, scheme: NameScheme::Plain, order: Order::Plain });
    if let Some(logical) = known.predecessors.get(name) {
        return Place { logical: (*logical).to_owned(), labelled: false, scheme, order, contested: None };
    }
    let contested = (base != name && versioned(base).is_some() && known.is_base(base)).then(|| base.to_owned());
    Place { logical: base.to_owned(), labelled: false, scheme, order, contested }
}

#[derive(Default)]
struct Sorted {
    secrets: Vec<LogicalSecret>,
    ambiguous: Vec<Ambiguity>,
}

impl Sorted {
    /// A name with two versions in it, beside a secret of the name with one.
    fn contested(&mut self, base: &str, version: SecretVersion) {
        let text = format!(
            "{} may be a version of {}, or of what that is a version of: {}",
            quoted(version.name.as_str()),
            quoted(base),
            advice()
        );
        let candidates = vec![base.to_owned(), version.name.to_string()];
        self.ambiguous.push(Ambiguity { name: version.name.to_string(), candidates, text });
        self.alone(version);
    }

    fn group(&mut self, name: &str, candidates: Vec<Candidate>) {
        if candidates.len() == 1 {
            return self.logical(name, numbered(candidates));
        }
        let (labelled, unlabelled): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| c.labelled);
        if labelled.is_empty() {
            return self.by_stack(name, unlabelled);
        }
        let labelled = numbered(labelled);
        if has_doubles(&labelled) {
            let all = labelled.into_iter().chain(numbered(unlabelled)).collect();
            return self.undecided(name, all, "have the same number by their labels or names");
        }
        let same = one_scheme(&unlabelled);
        let mut unlabelled = numbered(unlabelled);
        if !same || has_doubles(&unlabelled) {
            let why = if same { "have the same number" } else { "follow different naming schemes" };
            self.undecided(name, std::mem::take(&mut unlabelled), why);
        }
        let taken: HashSet<u64> = labelled.iter().map(|v| v.version).collect();
        let (open, told): (Vec<_>, Vec<_>) = unlabelled.into_iter().partition(|v| taken.contains(&v.version));
        self.undecided(name, open, "have the number of a version that a label names");
        self.logical(name, labelled.into_iter().chain(told).collect());
    }

    /// Stacks tell secrets apart: `db` of one stack and `db_v2` of another are not versions of one thing.
    fn by_stack(&mut self, name: &str, candidates: Vec<Candidate>) {
        let stack = |c: &Candidate| c.version.labels.get(label::STACK).map(str::to_owned);
        let stacks: BTreeSet<Option<String>> = candidates.iter().map(stack).collect();
        if stacks.iter().flatten().count() < 2 {
            return self.unlabelled(name, name, candidates);
        }
        let mut parts: BTreeMap<Option<String>, Vec<Candidate>> = BTreeMap::new();
        for candidate in candidates {
            parts.entry(stack(&candidate)).or_default().push(candidate);
        }
        for (stack, part) in parts {
            if stack.is_none() {
                self.undecided(name, numbered(part), "may belong with any of several stacks");
                continue;
            }
            let bare = part.iter().any(|c| c.order == Order::Plain);
            let own = if bare { name.to_owned() } else { part[0].version.name.to_string() };
            self.unlabelled(&own, name, part);
        }
    }

    fn unlabelled(&mut self, name: &str, base: &str, candidates: Vec<Candidate>) {
        let same = one_scheme(&candidates);
        let versions = numbered(candidates);
        if !same {
            self.undecided(base, versions, "follow different naming schemes");
        } else if has_doubles(&versions) {
            self.undecided(base, versions, "have the same number");
        } else {
            self.logical(name, versions);
        }
    }

    fn logical(&mut self, name: &str, mut versions: Vec<SecretVersion>) {
        versions.sort_by_key(|version| version.version);
        versions.shrink_to_fit();
        let Some(current) = versions.len().checked_sub(1) else { return };
        let labelled = versions[current].labels.get(label::SECRET).is_some_and(|logical| logical == name);
        self.secrets.push(LogicalSecret {
            name: name.to_owned(),
            grouped_by: if labelled { Grouping::Label } else { Grouping::Name },
            versions,
            current,
            consumers: Vec::new(),
            findings: Vec::new(),
        });
    }

    fn undecided(&mut self, name: &str, versions: Vec<SecretVersion>, why: &str) {
        if versions.is_empty() {
            return;
        }
        let mut candidates: Vec<String> = versions.iter().map(|v| v.name.to_string()).collect();
        candidates.sort();
        let list = quoted_list(&candidates);
        let text = format!("{list} may be versions of {} but {why}: {}", quoted(name), advice());
        self.ambiguous.push(Ambiguity { name: name.to_owned(), candidates, text });
        versions.into_iter().for_each(|version| self.alone(version));
    }

    /// A secret that is nobody's version for certain stands alone, under its own name.
    fn alone(&mut self, version: SecretVersion) {
        let name = version.name.to_string();
        self.logical(&name, vec![version]);
    }
}

fn advice() -> String {
    format!("say which it is with the labels {} and {}", label::SECRET, label::VERSION)
}

/// Whether all versions are written in one way; a bare name goes with any.
fn one_scheme(candidates: &[Candidate]) -> bool {
    let mut schemes = candidates.iter().map(|c| &c.version.scheme).filter(|s| **s != NameScheme::Plain);
    let first = schemes.next();
    schemes.all(|scheme| Some(scheme) == first)
}

/// The versions with their numbers filled in: a bare name is 1, dates count in order of time.
fn numbered(mut candidates: Vec<Candidate>) -> Vec<SecretVersion> {
    candidates.sort_by(|a, b| a.order.cmp(&b.order).then_with(|| a.version.name.cmp(&b.version.name)));
    let place = |(at, candidate): (usize, Candidate)| {
        let number = match candidate.order {
            Order::Plain => 1,
            Order::Number(number) => number,
            Order::Time(_) => at as u64 + 1,
        };
        SecretVersion { version: number, ..candidate.version }
    };
    candidates.into_iter().enumerate().map(place).collect()
}

fn has_doubles(versions: &[SecretVersion]) -> bool {
    let mut numbers: Vec<u64> = versions.iter().map(|v| v.version).collect();
    numbers.sort_unstable();
    numbers.windows(2).any(|pair| pair[0] == pair[1])
}

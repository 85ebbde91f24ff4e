//! Reads `cases.txt`: how each endpoint is asked.

use std::collections::BTreeSet;

use chatledger_api::{RouteInfo, route_table};

use super::things::Kind;

const CASES: &str = include_str!("cases.txt");

/// One way of asking an endpoint.
#[derive(Clone, Debug)]
pub struct Case {
    /// The endpoint.
    pub route: RouteInfo,
    /// What tells it from other cases of the same endpoint; may be empty.
    pub variant: String,
    /// The path with placeholders.
    pub path: String,
    /// The JSON body with placeholders, where there is one.
    pub body: Option<String>,
    /// Whether it is a row of the matrix of roles.
    pub in_matrix: bool,
    /// Whether what is there and what is not are answered alike, so that there is nothing to tell apart.
    pub is_blind: bool,
    /// Whether what stands in its path is a secret, which leads to its tenant by itself.
    pub is_secret: bool,
    /// Whether what was deleted is still told of, to those who audit.
    pub remembers: bool,
}

impl Case {
    /// The operation and, where it has one, the variant.
    pub fn name(&self) -> String {
        if self.variant.is_empty() {
            self.route.operation.to_owned()
        } else {
            format!("{} ({})", self.route.operation, self.variant)
        }
    }

    /// What is named in it, probed or as a help.
    pub fn placeholders(&self) -> BTreeSet<Placeholder> {
        let text = format!("{} {}", self.path, self.body.as_deref().unwrap_or_default());
        let names = text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(name, _)| name.to_owned());
        names.map(|name| Placeholder::read(&name)).collect()
    }

    /// What the case probes with ids that are another's or nobody's.
    pub fn probed(&self) -> BTreeSet<Kind> {
        let probed = |placeholder| match placeholder {
            Placeholder::Probed(kind) => Some(kind),
            _ => None,
        };
        self.placeholders().into_iter().filter_map(probed).collect()
    }
}

/// A placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// `<tag>`: in turn one of our own, another's, one that is not there, one that was deleted.
    Probed(Kind),
    /// `<my tag>`: always our own.
    Own(Kind),
    /// `<new>`: a name that nothing has yet.
    New,
}

impl Placeholder {
    fn read(name: &str) -> Self {
        match name.strip_prefix("my ") {
            Some(kind) => Self::Own(Kind::read(kind)),
            None if name == "new" => Self::New,
            None => Self::Probed(Kind::read(name)),
        }
    }

    /// As it stands in a case.
    pub fn text(self) -> String {
        match self {
            Self::Probed(kind) => format!("<{}>", kind.name()),
            Self::Own(kind) => format!("<my {}>", kind.name()),
            Self::New => "<new>".to_owned(),
        }
    }
}

/// All cases, in the order of the file.
pub fn cases() -> Vec<Case> {
    let table = route_table();
    let lines = CASES.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| read(line, &table)).collect()
}

fn read(line: &str, table: &[RouteInfo]) -> Case {
    let (flags, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no case: {line}"));
    let rest = rest.trim_start();
    let (name, rest) = rest.split_once(' ').unwrap_or_else(|| panic!("no path: {line}"));
    let (operation, variant) = name.split_once(':').unwrap_or((name, ""));
    let rest = rest.trim();
    let (path, body) = match rest.find(" {") {
        Some(at) => (rest[..at].trim(), Some(rest[at + 1..].to_owned())),
        None => (rest, None),
    };
    let route = table.iter().find(|route| route.operation == operation);
    Case {
        route: *route.unwrap_or_else(|| panic!("no endpoint is called {operation}")),
        variant: variant.replace('_', " "),
        path: path.to_owned(),
        body,
        in_matrix: flags.contains('@'),
        is_blind: flags.contains('='),
        is_secret: flags.contains('!'),
        remembers: flags.contains('~'),
    }
}

/// The endpoints that take credentials of users.
pub fn endpoints() -> Vec<RouteInfo> {
    let is_ours = |route: &RouteInfo| {
        let below = |root: &str| route.path.starts_with(root);
        !below("/hooks/") && !below("/api/v1/whatsapp/") && (below("/api/v1/") || below("/login") || below("/ws/"))
    };
    route_table().into_iter().filter(is_ours).collect()
}

#[test]
fn every_endpoint_has_a_case_and_a_row_in_the_matrix() {
    let all = cases();
    for route in endpoints() {
        let named = |case: &&Case| case.route.operation == route.operation;
        assert!(all.iter().any(|case| named(&case)), "cases.txt has no case of {}", route.operation);
        let rows = all.iter().filter(|case| case.in_matrix && named(case)).count();
        assert!(rows > 0, "cases.txt has no row of the matrix (`@`) for {}", route.operation);
        let parameters = route.path.matches('{').count();
        let probes = all.iter().filter(named).any(|case| case.is_secret || !case.probed().is_empty());
        assert!(parameters == 0 || probes, "{} has an id in its path that no case probes", route.operation);
    }
}

#[test]
fn every_case_fits_the_path_of_its_endpoint() {
    for case in cases() {
        let path = case.path.split('?').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") };
        let (asked, listed) = (segments(&path), segments(case.route.path));
        let fits = asked.len() == listed.len() && asked.iter().zip(&listed).all(|(a, l)| l.starts_with('{') || a == l);
        assert!(fits, "{}: {path} is not {}", case.name(), case.route.path);
    }
}

fn segments(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(str::to_owned).collect()
}

//! Who works at the shop, and what belongs to whom.

/// A user of the demo's Portainer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoUser {
    /// The number.
    pub id: u64,
    /// The name.
    pub name: &'static str,
    /// Whether the user is an administrator.
    pub administrator: bool,
}

/// A team of the demo's Portainer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoTeam {
    /// The number.
    pub id: u64,
    /// The name.
    pub name: &'static str,
    /// The users in it.
    pub members: Vec<u64>,
    /// Those of them who lead it.
    pub leaders: Vec<u64>,
}

/// What an owned thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnedKind {
    /// A secret.
    Secret,
    /// A config.
    Config,
    /// A service that belongs to no stack of Portainer's.
    Service,
    /// A stack.
    Stack,
}

/// Who may see and change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Administrators only.
    Administrators,
    /// The members of one team.
    Team(u64),
    /// Everybody.
    Public,
}

/// Something that Portainer knows an owner of. What is not listed was made outside Portainer: only administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// What it is.
    pub kind: OwnedKind,
    /// The Engine's id, or the name of a stack.
    pub id: String,
    /// The name.
    pub name: &'static str,
    /// Who may see it.
    pub access: Access,
}

/// The number of the team that runs the shop.
pub(super) const SHOP_TEAM: u64 = 1;
/// The number of the team that runs everything else.
pub(super) const PLATFORM_TEAM: u64 = 2;

pub(super) fn users() -> Vec<DemoUser> {
    [(1, "admin"), (2, "svc-agent"), (3, "alice"), (4, "bob")]
        .map(|(id, name)| DemoUser { id, name, administrator: id == 1 })
        .to_vec()
}

pub(super) fn teams() -> Vec<DemoTeam> {
    vec![
        DemoTeam { id: SHOP_TEAM, name: "shop", members: vec![2, 3], leaders: vec![3] },
        DemoTeam { id: PLATFORM_TEAM, name: "platform", members: vec![4], leaders: vec![] },
    ]
}

/// Who owns what, by name.
pub(super) const OWNERS: &[(OwnedKind, &str, Access)] = &[
    (OwnedKind::Secret, "site.key", Access::Team(PLATFORM_TEAM)),
    (OwnedKind::Secret, "site.crt", Access::Team(PLATFORM_TEAM)),
    (OwnedKind::Secret, "db_password", Access::Team(SHOP_TEAM)),
    (OwnedKind::Secret, "redis_password", Access::Team(SHOP_TEAM)),
    (OwnedKind::Secret, "payment_api_key", Access::Team(SHOP_TEAM)),
    (OwnedKind::Secret, "report_password", Access::Team(PLATFORM_TEAM)),
    (OwnedKind::Secret, "agent_token", Access::Administrators),
    (OwnedKind::Secret, "legacy_ftp_password", Access::Administrators),
    (OwnedKind::Secret, "newsletter_smtp_password", Access::Team(SHOP_TEAM)),
    (OwnedKind::Secret, "campaign_api_key", Access::Team(SHOP_TEAM)),
    (OwnedKind::Config, "site.conf", Access::Team(PLATFORM_TEAM)),
    (OwnedKind::Service, "pay", Access::Team(SHOP_TEAM)),
    (OwnedKind::Service, "reports", Access::Team(PLATFORM_TEAM)),
    (OwnedKind::Service, "agent", Access::Administrators),
    (OwnedKind::Service, "legacy-admin", Access::Public),
    (OwnedKind::Stack, "shop", Access::Team(SHOP_TEAM)),
    (OwnedKind::Stack, "newsletter", Access::Team(SHOP_TEAM)),
    (OwnedKind::Stack, "campaign", Access::Team(SHOP_TEAM)),
];

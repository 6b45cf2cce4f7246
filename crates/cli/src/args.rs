//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use grantd_node::realm::basis::Delegation;

use crate::admin::AdminCommand;
use crate::app::AppCommand;
use crate::ask::AskArgs;
use crate::catalogue::CatalogueCommand;
use crate::check::CheckArgs;
use crate::completions::CompletionsArgs;
use crate::consent::ConsentCommand;
use crate::export::ExportArgs;
use crate::grant::{GrantArgs, RevokeArgs};
use crate::import::ImportArgs;
use crate::key::KeyCommand;
use crate::ledger::LedgerCommand;
use crate::mcp::McpArgs;
use crate::organization::OrganizationCommand;
use crate::ready::ReadyArgs;
use crate::realm::RealmCommand;
use crate::role::RoleCommand;
use crate::rule::RuleCommand;
use crate::schema::SchemaCommand;
use crate::ssh::{AuthorizedKeysArgs, CaArgs, CertificateArgs, PrincipalsArgs, SshKeyCommand};
use crate::store::StoreArgs;
use crate::user::UserCommand;
use crate::vm::VmCommand;
use crate::webhook::WebhookCommand;
use crate::who::WhoCommand;

/// One permission server for people, machines, apps and AI agents.
#[derive(Debug, Parser)]
#[command(name = "grantd", version, about, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// `grantd` alone is `grantd serve`.
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Box<ServeArgs>),
    /// Ask a server whether a subject may do something; exits with 0 when allowed, 1 when denied, 2 on an error
    Check(CheckArgs),
    /// People
    #[command(subcommand)]
    User(UserCommand),
    /// Roles, and who is in them
    #[command(subcommand)]
    Role(RoleCommand),
    /// Grant something on a resource: one relationship
    Grant(GrantArgs),
    /// Take back what was granted
    Revoke(RevokeArgs),
    /// Who may do something and why, and what somebody may do
    #[command(subcommand)]
    Who(WhoCommand),
    /// Ask for a permission and wait until somebody decides; exits with 0 when granted, 1 when denied, 3 when nobody did in time
    Ask(AskArgs),
    /// Standing answers to requests
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Who is told of what happens, by signed HTTP requests
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Machines behind the SSH gateway
    #[command(subcommand)]
    Vm(VmCommand),
    /// By which SSH keys identities are known to a VM's own sshd
    #[command(subcommand)]
    SshKey(SshKeyCommand),
    /// Have an SSH key certified, to log in to a VM with; it counts for minutes
    SshCertificate(CertificateArgs),
    /// Print whose certificates VMs are to trust, for sshd's TrustedUserCAKeys
    SshCa(CaArgs),
    /// For sshd's AuthorizedKeysCommand: print a key if who holds it may log in
    SshAuthorizedKeys(AuthorizedKeysArgs),
    /// For sshd's AuthorizedPrincipalsCommand: print what a certificate must have, if who holds it may log in
    SshPrincipals(PrincipalsArgs),
    /// Permissions as records, for applications that keep theirs here
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
    /// Programs that ask organizations for permissions
    #[command(subcommand)]
    App(AppCommand),
    /// Who agrees to what apps ask for
    #[command(subcommand)]
    Organization(OrganizationCommand),
    /// What organizations let apps do
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// Write relationships from a file of JSON lines or CSV to a server; the same again changes nothing
    Import(ImportArgs),
    /// Read the relationships of a server into a file, all at one revision
    Export(ExportArgs),
    /// Realms: each has its own people, keys, relationships and ledger
    #[command(subcommand)]
    Realm(RealmCommand),
    /// Ask a server whether it is ready, for service managers and containers; exits with 0 when it is, 1 when not
    Ready(ReadyArgs),
    /// Serve the Model Context Protocol on stdin and stdout, for agents that ask a server for permission
    Mcp(McpArgs),
    /// API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Permission models: check, show, load, test
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// The ledgers themselves: verify, show, copy, erase, sign; no server needed
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// For who lost the password or the key; no server needed
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// What stands before the address of the SSH gateway.
const SSH: &str = "ssh";

/// An address to listen on, perhaps for one dialect alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenArg {
    pub(crate) dialect: Option<String>,
    pub(crate) addr: SocketAddr,
}

impl ListenArg {
    /// Whether it is the SSH gateway's, where no HTTP is spoken.
    pub(crate) fn is_ssh(&self) -> bool {
        self.dialect.as_deref() == Some(SSH)
    }
}

impl std::str::FromStr for ListenArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (dialect, addr) = match text.split_once('=') {
            Some((dialect, addr)) => (Some(dialect), addr),
            None => (None, text),
        };
        if let Some(dialect) = dialect
            && dialect != SSH
            && grantd_server::dispatch::FaceName::of_dialect(dialect).is_none()
        {
            return Err(format!(
                "`{dialect}` is no dialect that can be served alone; known: freestyle, git, mix, mollie, pulp, ssh, tdp"
            ));
        }
        let addr = addr.parse().map_err(|_| format!("`{addr}` is no address like 127.0.0.1:7070"))?;
        Ok(Self { dialect: dialect.map(Into::into), addr })
    }
}

/// What may be granted in the users-and-roles dialect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DelegationArg {
    // Comments for readers of the help would make its whole layout a longer one.
    #[default]
    Free,
    Held,
}

impl From<DelegationArg> for Delegation {
    fn from(arg: DelegationArg) -> Self {
        match arg {
            DelegationArg::Free => Self::Free,
            DelegationArg::Held => Self::Held,
        }
    }
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Address to listen on; may be given again; DIALECT=ADDR serves one dialect at the root of that address,
    /// ssh=ADDR the SSH gateway [default: 127.0.0.1:7070]
    #[arg(long, env = "GRANTD_LISTEN", value_name = "[DIALECT=]ADDR", value_delimiter = ',')]
    pub(crate) listen: Vec<ListenArg>,
    /// Where the world reaches this server [default: scheme and address of the first --listen]
    #[arg(long, env = "GRANTD_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Certificate chain (PEM)
    #[arg(long, env = "GRANTD_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, env = "GRANTD_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Serve TLS with a certificate made here and kept in the data directory
    #[arg(long, env = "GRANTD_TLS_SELF_SIGNED", conflicts_with = "tls_cert")]
    pub(crate) tls_self_signed: bool,
    /// A proxy in front does TLS: allows addresses other than loopback without it, and trusts its X-Forwarded-For
    #[arg(long, env = "GRANTD_BEHIND_PROXY")]
    pub(crate) behind_proxy: bool,
    /// Serve the dialects under their mounts only, not at their documented paths at the root
    #[arg(long, env = "GRANTD_NO_ROOT_PATHS")]
    pub(crate) no_root_paths: bool,
    /// Write who asked what and the answer to this file, as JSON lines
    #[arg(long, env = "GRANTD_DECISION_LOG", value_name = "FILE")]
    pub(crate) decision_log: Option<PathBuf>,
    /// Write one question in so many [default: 1]
    #[arg(long, env = "GRANTD_DECISION_LOG_EVERY", value_name = "N")]
    pub(crate) decision_log_every: Option<u64>,
    /// Unload a realm that nobody used for so many seconds; 0 never does [default: 900]
    #[arg(long, env = "GRANTD_REALM_IDLE", value_name = "SECONDS")]
    pub(crate) realm_idle: Option<u64>,
    /// On a store that other nodes share: look for what they wrote every so many seconds; fractions may be given [default: 1]
    #[arg(long, env = "GRANTD_POLL", value_name = "SECONDS")]
    pub(crate) poll: Option<f64>,
    /// On a shared store: mark answers with Grantd-Stale when their state has not been known to be the newest for so many seconds
    /// [default: 5]
    #[arg(long, env = "GRANTD_STALE_AFTER", value_name = "SECONDS")]
    pub(crate) stale_after: Option<u64>,
    /// On a shared store: let /readyz say no after so many such seconds; 0 never does [default: 60]
    #[arg(long, env = "GRANTD_MAX_LAG", value_name = "SECONDS")]
    pub(crate) max_lag: Option<u64>,
    /// End a session that nobody used for so many seconds [default: 43200]
    #[arg(long, env = "GRANTD_SESSION_IDLE", value_name = "SECONDS")]
    pub(crate) session_idle: Option<u64>,
    /// End a session so many seconds after its sign-in [default: 604800]
    #[arg(long, env = "GRANTD_SESSION_ABSOLUTE", value_name = "SECONDS")]
    pub(crate) session_absolute: Option<u64>,
    /// In the Pulp API, who may grant at all may grant anything (free) or what they hold there themselves (held) [default: free]
    #[arg(long, env = "GRANTD_PULP_DELEGATION", value_name = "MODE")]
    pub(crate) pulp_delegation: Option<DelegationArg>,
    /// Let callers without a credential make and decide permission requests at /mix: on loopback only, as everybody on this
    /// machine is trusted then
    #[arg(long, env = "GRANTD_MIX_OPEN")]
    pub(crate) mix_open: bool,
    /// Origins whose pages may call /mix from a browser, such as https://app.example; * for all
    #[arg(long, env = "GRANTD_MIX_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) mix_cors_origins: Vec<String>,
    /// What a method is, where a proxy asks at /authz/forward: `METHODS HOST/PATH ACTION`, such as `* shop.example/admin admin`;
    /// the first that fits counts
    #[arg(long = "forward-rule", env = "GRANTD_FORWARD_RULES", value_name = "RULE", value_delimiter = ',')]
    pub(crate) forward_rules: Vec<grantd_server::forward::Rule>,
    /// Where the documentation is that answers at /mollie name [default: /docs below the public address]
    #[arg(long, env = "GRANTD_MOLLIE_DOCS_URL", value_name = "URL")]
    pub(crate) mollie_docs_url: Option<String>,
    /// Where the bare git repositories are [default: git in the data directory]
    #[arg(long, env = "GRANTD_GIT_DIRECTORY", value_name = "DIR")]
    pub(crate) git_directory: Option<PathBuf>,
    /// The program that serves them [default: git]
    #[arg(long, env = "GRANTD_GIT_PROGRAM", value_name = "FILE")]
    pub(crate) git_program: Option<PathBuf>,
    /// How many clones, fetches and pushes may be at work at a time; others wait, but not for long [default: 32]
    #[arg(long, env = "GRANTD_GIT_PROCESSES", value_name = "N")]
    pub(crate) git_processes: Option<u16>,
    /// End a clone, fetch or push in which nothing moved for so many seconds [default: 60]
    #[arg(long, env = "GRANTD_GIT_IDLE", value_name = "SECONDS")]
    pub(crate) git_idle: Option<u64>,
    /// Megabytes of one push at most; 0: no limit [default: 2048]
    #[arg(long, env = "GRANTD_GIT_MAX_PUSH", value_name = "MIB")]
    pub(crate) git_max_push: Option<u32>,
    /// The private key by which SSH clients know the gateway of --listen ssh=ADDR [default: ssh_host_ed25519_key in the data
    /// directory, made at the first start]
    #[arg(long, env = "GRANTD_SSH_HOST_KEY", value_name = "FILE")]
    pub(crate) ssh_host_key: Option<PathBuf>,
    /// How many connections the gateway takes at a time [default: 1000]
    #[arg(long, env = "GRANTD_SSH_CONNECTIONS", value_name = "N")]
    pub(crate) ssh_connections: Option<u32>,
    /// How many of them from one address [default: 100]
    #[arg(long, env = "GRANTD_SSH_CONNECTIONS_PER_SOURCE", value_name = "N")]
    pub(crate) ssh_connections_per_source: Option<u32>,
    /// How many seconds a client of the gateway may take to sign in [default: 60]
    #[arg(long, env = "GRANTD_SSH_SIGN_IN", value_name = "SECONDS")]
    pub(crate) ssh_sign_in: Option<u64>,
    /// End a connection through the gateway in which nothing moved for so many seconds; 0 never does [default: 43200]
    #[arg(long, env = "GRANTD_SSH_IDLE", value_name = "SECONDS")]
    pub(crate) ssh_idle: Option<u64>,
    /// How many seconds an SSH certificate counts at most, 30 to 3600 [default: 3600]
    #[arg(long, env = "GRANTD_SSH_CERTIFICATE_TTL", value_name = "SECONDS")]
    pub(crate) ssh_certificate_ttl: Option<u64>,
    /// Let webhooks lead to private addresses and to this machine, to any port, and without TLS
    #[arg(long, env = "GRANTD_WEBHOOK_ALLOW_PRIVATE")]
    pub(crate) webhook_allow_private: bool,
    /// Certificates (PEM) that webhooks' receivers may be signed by, besides the public authorities
    #[arg(long, env = "GRANTD_WEBHOOK_CA_FILE", value_name = "FILE")]
    pub(crate) webhook_ca_file: Option<PathBuf>,
    /// How many deliveries of one webhook may wait [default: 10000]
    #[arg(long, env = "GRANTD_WEBHOOK_QUEUE", value_name = "N")]
    pub(crate) webhook_queue: Option<usize>,
    /// Seconds between the attempts of a delivery [default: 5,300,1800,7200,18000,36000,50400,72000,86400]
    #[arg(long, env = "GRANTD_WEBHOOK_RETRIES", value_name = "SECONDS", value_delimiter = ',')]
    pub(crate) webhook_retries: Vec<u32>,
    /// The OpenID provider by which people sign in: its issuer URL
    #[arg(long, env = "GRANTD_OIDC_ISSUER", value_name = "URL")]
    pub(crate) oidc_issuer: Option<String>,
    /// By which the provider knows this server
    #[arg(long, env = "GRANTD_OIDC_CLIENT_ID", value_name = "ID")]
    pub(crate) oidc_client_id: Option<String>,
    /// File that holds the client's secret; without one it is a public client
    #[arg(long, env = "GRANTD_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub(crate) oidc_client_secret_file: Option<PathBuf>,
    /// What people call the provider: the button says `Sign in with NAME` [default: the issuer's host]
    #[arg(long, env = "GRANTD_OIDC_NAME", value_name = "NAME")]
    pub(crate) oidc_name: Option<String>,
    /// Make a user for whoever signs in and is nobody yet; the login is the verified e-mail address
    #[arg(long, env = "GRANTD_OIDC_CREATE_USERS")]
    pub(crate) oidc_create_users: bool,
    /// Domains of the e-mail addresses by which users are found or made [default: any]
    #[arg(long, env = "GRANTD_OIDC_EMAIL_DOMAINS", value_name = "DOMAIN", value_delimiter = ',')]
    pub(crate) oidc_email_domains: Vec<String>,
    /// Realms whose people sign in by the provider [default: default]
    #[arg(long, env = "GRANTD_OIDC_REALMS", value_name = "REALM", value_delimiter = ',')]
    pub(crate) oidc_realms: Vec<String>,
    /// Ask the provider for these authentication contexts (acr_values), separated by spaces
    #[arg(long, env = "GRANTD_OIDC_ACR_VALUES", value_name = "VALUES")]
    pub(crate) oidc_acr_values: Option<String>,
    /// Authorities (PEM) that the provider's certificate may be of, besides the public ones
    #[arg(long, env = "GRANTD_OIDC_CA_FILE", value_name = "FILE")]
    pub(crate) oidc_ca_file: Option<PathBuf>,
    /// Answer the TANF Data Portal API as its old page says, where that differs: 200 and a list for what was written, 500 for who is
    /// no admin
    #[arg(long, env = "GRANTD_TDP_AS_DOCUMENTED")]
    pub(crate) tdp_as_documented: bool,
    /// End a session of the TANF Data Portal API that nobody used for so many seconds [default: 1800]
    #[arg(long, env = "GRANTD_TDP_SESSION_IDLE", value_name = "SECONDS")]
    pub(crate) tdp_session_idle: Option<u64>,
    /// End a session of the TANF Data Portal API so many seconds after its sign-in [default: 1209600]
    #[arg(long, env = "GRANTD_TDP_SESSION_ABSOLUTE", value_name = "SECONDS")]
    pub(crate) tdp_session_absolute: Option<u64>,
    /// Log lines: auto (text on a terminal, else JSON), text or json [default: auto]
    #[arg(long, env = "GRANTD_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// What to log; `info` also logs each request [default: info without requests]
    #[arg(long, env = "GRANTD_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Serve POST /bench/constant, which measurements compare with
    #[arg(long, env = "GRANTD_BENCH_ROUTE")]
    pub(crate) bench_route: bool,
    /// Settings file (TOML); flags and GRANTD_* win over it
    #[arg(long, env = "GRANTD_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Do not wait for the disk: a power cut loses answered writes. Only so that a test of durability can fail.
    #[arg(long, env = "GRANTD_UNSAFE_SYNCHRONOUS", value_name = "off", hide = true)]
    pub(crate) unsafe_synchronous: Option<String>,
}

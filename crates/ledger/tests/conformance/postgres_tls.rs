//! Protected connections to a real server with certificates made here.

use std::path::{Path, PathBuf};

use grantd_ledger::postgres::{PostgresOptions, PostgresStore};
use grantd_ledger::store::{Store, StoreError};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use crate::postgres::connect;
use crate::private::{Private, give};

/// An authority, with what it signed for the server (`db.test`) and for a user.
struct Papers {
    authority: String,
    server: (String, String),
    user: (String, String),
}

fn params(name: &str, common: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    params
}

fn papers() -> Papers {
    let key = KeyPair::generate().unwrap();
    let mut authority = params("authority", "the authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let signed = |name: &str, usage| {
        let key = KeyPair::generate().unwrap();
        let mut params = params(name, name);
        params.extended_key_usages = vec![usage];
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    Papers {
        authority: pem,
        server: signed("db.test", ExtendedKeyUsagePurpose::ServerAuth),
        user: signed("bycert", ExtendedKeyUsagePurpose::ClientAuth),
    }
}

fn put(dir: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    give(&path);
    path
}

const ACCESS: &str = "hostssl all bycert 127.0.0.1/32 cert
hostssl all bypassword 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
";

async fn open(server: &Private, host: &str, user: &str, settings: &str) -> Result<PostgresStore, StoreError> {
    let port = server.port;
    let address =
        format!("host={host} hostaddr=127.0.0.1 port={port} dbname=postgres user={user} {settings}");
    PostgresStore::open(&address, PostgresOptions { connections: 1, ..PostgresOptions::default() }).await
}

/// Whether grantd's sessions are protected, as the server sees it.
async fn protected(server: &Private, store: &PostgresStore) -> bool {
    store.now().await.unwrap();
    let rows = connect(&server.url())
        .await
        .query(
            "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
             WHERE a.application_name = 'grantd' AND a.state = 'idle' ORDER BY a.backend_start DESC LIMIT 1",
            &[],
        )
        .await
        .unwrap();
    rows[0].get(0)
}

fn refused(opened: Result<PostgresStore, StoreError>, says: &str) {
    let Err(error) = opened else { panic!("was let in, instead of: {says}") };
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn connections_are_as_protected_as_asked() {
    let papers = papers();
    let ssl = ["ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key", "ssl_ca_file=authority.crt"];
    let server = Private::start(&ssl, |data| {
        put(data, "server.crt", &papers.server.0);
        put(data, "server.key", &papers.server.1);
        put(data, "authority.crt", &papers.authority);
        put(data, "pg_hba.conf", ACCESS);
    })
    .await;
    let ours = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| put(ours.path(), name, text).display().to_string();
    let root = file("root.crt", &papers.authority);
    let wrong = file("wrong.crt", &self::papers().authority);
    let itself = file("server.crt", &papers.server.0);

    let full = format!("sslmode=verify-full sslrootcert={root}");
    let store = open(&server, "db.test", "postgres", &full).await.unwrap();
    assert!(protected(&server, &store).await);
    drop(store);

    // The name.
    refused(
        open(&server, "other.test", "postgres", &full).await,
        "use a host name that its certificate is for",
    );
    let authority = format!("sslmode=verify-ca sslrootcert={root}");
    assert!(protected(&server, &open(&server, "other.test", "postgres", &authority).await.unwrap()).await);

    // The authority.
    for mode in ["verify-full", "verify-ca", "require"] {
        let settings = format!("sslmode={mode} sslrootcert={wrong}");
        refused(open(&server, "db.test", "postgres", &settings).await, "set `sslrootcert=FILE`");
    }
    refused(open(&server, "db.test", "postgres", "sslmode=verify-full").await, "set `sslrootcert=FILE`");
    assert!(
        protected(&server, &open(&server, "any.test", "postgres", "sslmode=require").await.unwrap()).await
    );

    // The server's own certificate is word enough for it, and for its name alone.
    let pinned = format!("sslmode=verify-full sslrootcert={itself}");
    assert!(protected(&server, &open(&server, "db.test", "postgres", &pinned).await.unwrap()).await);
    refused(open(&server, "other.test", "postgres", &pinned).await, "use a host name");

    // Nothing said: here it is this machine, so whatever is offered.
    assert!(protected(&server, &open(&server, "db.test", "postgres", "").await.unwrap()).await);
    assert!(
        !protected(&server, &open(&server, "db.test", "postgres", "sslmode=disable").await.unwrap()).await
    );

    // Who we are, by certificate, and by a password that is bound to the channel.
    let admin = connect(&server.url()).await;
    admin
        .batch_execute(
            "CREATE ROLE bycert LOGIN SUPERUSER; CREATE ROLE bypassword LOGIN SUPERUSER PASSWORD 'very secret'",
        )
        .await
        .unwrap();
    let (certificate, key) = (file("user.crt", &papers.user.0), file("user.key", &papers.user.1));
    let shown = format!("{full} sslcert={certificate} sslkey={key}");
    open(&server, "db.test", "bycert", &shown).await.unwrap();
    refused(open(&server, "db.test", "bycert", &full).await, "28000");
    let bound = format!("{full} channel_binding=require");
    open(&server, "db.test", "bypassword", &format!("{bound} password='very secret'")).await.unwrap();
    let Err(error) = open(&server, "db.test", "bypassword", &format!("{bound} password='very wrong'")).await
    else {
        panic!("a wrong password")
    };
    assert!(error.to_string().contains("28P01") && !error.to_string().contains("very"), "{error}");
}

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_server_without_tls_is_not_taken_for_one() {
    let server = Private::start(&[], |_| {}).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let settings = format!("sslmode={mode}");
        refused(open(&server, "db.test", "postgres", &settings).await, "set `sslmode=disable`");
    }
    assert!(!protected(&server, &open(&server, "db.test", "postgres", "").await.unwrap()).await);
}

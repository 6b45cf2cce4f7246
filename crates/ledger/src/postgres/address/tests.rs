use super::*;

fn ours(address: &str) -> (String, Settings) {
    take_ours(address).unwrap()
}

fn all(address: &str) -> Vec<(String, SslMode, Vec<Host>, Vec<u16>)> {
    places(address, &PostgresOptions::default())
        .unwrap()
        .into_iter()
        .map(|place| {
            let config = place.config;
            (place.name, config.get_ssl_mode(), config.get_hosts().to_vec(), config.get_ports().to_vec())
        })
        .collect()
}

fn refused(address: &str) -> String {
    match places(address, &PostgresOptions::default()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("`{address}` was taken"),
    }
}

#[test]
fn our_settings_are_taken_out_of_a_url() {
    let (rest, settings) = ours(
        "postgres://u:p%3Fx?y@h/db?sslmode=verify-ca&connect_timeout=3&sslrootcert=%2Fa%20b.pem\
         &target_session_attrs=any",
    );
    assert_eq!(rest, "postgres://u:p%3Fx?y@h/db?connect_timeout=3");
    assert_eq!(settings.mode, Some(Protection::VerifyCa));
    assert_eq!(settings.files.root.as_deref(), Some(std::path::Path::new("/a b.pem")));
    assert!(settings.any_session);
    assert_eq!(ours("postgres://h/db").0, "postgres://h/db");
    assert_eq!(ours("postgres://h/db?sslmode=disable").0, "postgres://h/db");
}

#[test]
fn our_settings_are_taken_out_of_pairs() {
    let (rest, settings) =
        ours(r"host=h  password='it\'s sslmode=x' sslmode = require sslrootcert='/a b' user=u");
    assert_eq!(rest, r"host=h password='it\'s sslmode=x' user=u ");
    assert_eq!(settings.mode, Some(Protection::Require));
    assert_eq!(settings.files.root.as_deref(), Some(std::path::Path::new("/a b")));
    let config: Config = rest.parse().unwrap();
    assert_eq!(config.get_password(), Some(&b"it's sslmode=x"[..]));
    assert!(take_ours("host='h").is_err());
    assert!(take_ours("host").is_err());
}

#[test]
fn each_host_has_its_place() {
    let places = all("postgres://u@one,two:7/db?sslmode=require");
    assert_eq!(
        places[0],
        ("one:5432".to_owned(), SslMode::Require, vec![Host::Tcp("one".to_owned())], vec![5432])
    );
    assert_eq!(places[1], ("two:7".to_owned(), SslMode::Require, vec![Host::Tcp("two".to_owned())], vec![7]));
    let names: Vec<_> = all("host=a,b port=6").into_iter().map(|place| place.0).collect();
    assert_eq!(names, ["a:6", "b:6"]);
}

/// What leaves the machine is protected unless somebody says otherwise.
#[test]
fn far_hosts_are_verified_and_near_ones_are_not() {
    let mode = |address: &str| all(address).remove(0).1;
    assert_eq!(mode("postgres://db.example/x"), SslMode::Require);
    assert_eq!(mode("postgres://10.0.0.7/x"), SslMode::Require);
    for near in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
        assert_eq!(mode(&format!("postgres://{near}/x")), SslMode::Prefer, "{near}");
    }
    assert_eq!(mode("host=db.example hostaddr=127.0.0.1"), SslMode::Prefer);
    assert_eq!(mode("host=localhost hostaddr=10.0.0.7"), SslMode::Require, "a name says little");
    assert_eq!(mode("postgres:///x?host=/run/pg"), SslMode::Disable);
    assert_eq!(mode("postgres:///x?host=/run/pg&sslmode=require"), SslMode::Disable, "sockets have none");
    let mixed: Vec<_> = all("postgres://localhost,db.example/x").into_iter().map(|place| place.1).collect();
    assert_eq!(mixed, [SslMode::Prefer, SslMode::Require]);
    assert_eq!(mode("postgres://db.example/x?sslmode=disable"), SslMode::Disable);
}

#[test]
fn a_session_must_be_able_to_write() {
    let attrs = |address: &str| {
        places(address, &PostgresOptions::default()).unwrap().remove(0).config.get_target_session_attrs()
    };
    assert_eq!(attrs("postgres://h/x"), TargetSessionAttrs::ReadWrite);
    assert_eq!(attrs("postgres://h/x?target_session_attrs=primary"), TargetSessionAttrs::ReadWrite);
    assert_eq!(attrs("postgres://h/x?target_session_attrs=any"), TargetSessionAttrs::Any);
    assert!(refused("postgres://h/x?target_session_attrs=standby").contains("grantd writes"));
}

#[test]
fn what_is_wrong_is_said_without_the_password() {
    for (address, says) in [
        ("postgres://u:secret@h/x?sslmode=full", "verify-full"),
        ("postgres://u:secret@h/x?sslsecret=1", "settings that grantd knows"),
        ("password=secret sslmode=require", "names no host"),
        ("host=a,b hostaddr=10.0.0.1 password=secret", "hostaddr"),
        ("host=a,b,c port=1,2 password=secret", "one port"),
        ("mysql://u:secret@h/x", "neither a PostgreSQL URL"),
        ("postgres://u:secret@h/x?sslrootcert=/no/such/secret.pem", "/no/such/secret.pem"),
        ("postgres://u:secret@h/x?sslcert=/a", "sslkey"),
        ("postgres://u:secret@localhost/x?sslnegotiation=direct", "sslmode=require"),
    ] {
        let text = refused(address);
        assert!(text.contains(says), "{address}: {text}");
        assert!(!text.replace("secret.pem", "").contains("secret"), "{text}");
    }
}

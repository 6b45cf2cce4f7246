//! `grantd serve`: its settings, and what it refuses to start with.

use std::fs;

use crate::support::{KEY, Place, Server};

/// Which of three servers' decision logs (named by flag, environment and file) is made.
fn log_of(flag: bool, env: bool, file: bool) -> Vec<&'static str> {
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("GRANTD_BOOTSTRAP_API_KEY", KEY).env("GRANTD_LOG", "warn");
    if flag {
        command.args(["--decision-log", "flag"]);
    }
    if env {
        command.env("GRANTD_DECISION_LOG", "env");
    }
    if file {
        fs::write(place.path("settings.toml"), "decision_log = \"file\"\n").unwrap();
        command.args(["--config", "settings.toml"]);
    }
    Server::start(&place, command);
    ["flag", "env", "file"].into_iter().filter(|name| place.path(name).exists()).collect()
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    assert_eq!(log_of(true, true, true), ["flag"]);
    assert_eq!(log_of(false, true, true), ["env"]);
    assert_eq!(log_of(false, false, true), ["file"]);
    assert!(log_of(false, false, false).is_empty());
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_its_line() {
    let place = Place::new();
    fs::write(place.path("settings.toml"), "log = \"warn\"\n\nlisten_to = \"127.0.0.1:1\"\n").unwrap();
    let said = place.run(&["serve", "--config", "settings.toml"]).error();
    assert!(
        said.contains("settings.toml") && said.contains("listen_to") && said.contains("line 3"),
        "{said}"
    );
    assert!(!place.path("grantd-data").exists());
}

#[test]
fn an_address_of_the_file_that_is_none_is_named() {
    let place = Place::new();
    fs::write(place.path("settings.toml"), "listen = [\"nowhere\"]\n").unwrap();
    let said = place.run(&["serve", "--config", "settings.toml"]).error();
    assert!(said.contains("`listen`") && said.contains("`nowhere`"), "{said}");
}

#[test]
fn plain_http_beyond_this_machine_is_refused() {
    let place = Place::new();
    let said = place.run(&["serve", "--listen", "0.0.0.0:0"]).error();
    assert!(said.contains("without TLS") && said.contains("--tls-self-signed"), "{said}");
    place.serve(&["--listen", "0.0.0.0:0", "--behind-proxy"]);
}

#[test]
fn a_second_server_names_the_first() {
    let place = Place::new();
    let first = place.serve(&[]);
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]).error();
    assert!(said.contains(&format!("process {} on ", first.pid())), "{said}");
    assert!(said.contains("grantd-data"), "{said}");
}

#[test]
fn short_bootstrap_secrets_are_refused_and_not_shown() {
    for (name, short) in
        [("GRANTD_BOOTSTRAP_PASSWORD", "nineteen-characters"), ("GRANTD_BOOTSTRAP_API_KEY", "gdk_short")]
    {
        let place = Place::new();
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        let said = crate::support::ran({
            command.env(name, short);
            command
        })
        .error();
        assert!(said.contains(name) && said.contains("20 characters"), "{said}");
        assert!(!said.contains(short), "{said}");
    }
}

#[test]
fn the_first_start_shows_its_secrets_once() {
    let place = Place::new();
    let first = place.serve(&[]);
    assert!(first.greeting.contains("password of user `admin`"), "{}", first.greeting);
    assert!(!first.greeting.contains(KEY), "a given key is not printed: {}", first.greeting);
    first.stop();
    assert_eq!(place.serve(&[]).greeting, "");
}

#[test]
fn a_taken_address_costs_no_secret() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let said = place.run(&["serve", "--listen", &addr]).error();
    assert!(said.contains(&addr), "{said}");
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("GRANTD_LOG", "warn");
    let greeting = &Server::start(&place, command).greeting;
    assert!(greeting.contains("gdk_") && greeting.contains("password of user `admin`"), "{greeting}");
}

#[test]
fn a_first_start_with_a_certificate_of_its_own() {
    assert!(Place::new().serve(&["--tls-self-signed"]).url.starts_with("https://127.0.0.1:"));
}

#[test]
fn a_lost_master_key_is_not_made_anew() {
    let place = Place::with_store();
    fs::rename(place.path("grantd-data/master.key"), place.path("elsewhere")).unwrap();
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]).error();
    assert!(said.contains("grantd-data/master.key"), "{said}");
    assert!(!place.path("grantd-data/master.key").exists());
    place.serve(&["--master-key-file", "elsewhere"]);
}

#[test]
fn the_master_key_of_another_store_is_refused() {
    let (place, other) = (Place::with_store(), Place::with_store());
    let key = other.path("grantd-data/master.key");
    let key = key.to_str().unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["admin", "reset"]] {
        let said = place.run(&[command, &["--master-key-file", key]].concat()).error();
        assert!(said.contains("name the right key file"), "{said}");
    }
    assert_eq!(place.verified(&[]).1["revision"], 5);
}

#[test]
fn a_master_key_that_others_can_read_is_refused_by_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with_store();
    let key = place.path("grantd-data/master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]).error();
    assert!(said.contains("grantd-data/master.key") && said.contains("chmod 600"), "{said}");
}

#[test]
fn a_password_in_the_address_of_a_store_is_never_shown() {
    let place = Place::new();
    for command in
        [&["serve"][..], &["ledger", "verify"], &["admin", "reset"], &["ledger", "backup", "--to", "x"]]
    {
        let url = "postgres://grantd:hunter2@127.0.0.1:1/none?connect_timeout=1";
        let said = place.run(&[command, &["--store", url]].concat()).error();
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn ready_says_whether_a_server_is() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ready = |args: &[&str]| {
        let mut command = place.command(&[&["ready"], args].concat());
        command.env("GRANTD_URL", &server.url);
        crate::support::ran(command)
    };
    assert_eq!(ready(&[]).good(), "ready\n");
    assert_eq!(ready(&["--alive", "--wait", "5"]).good(), "ok\n");
    let said = ready(&["--url", "http://127.0.0.1:1"]).error();
    assert!(said.contains("nobody listens at http://127.0.0.1:1"), "{said}");
}

#[test]
fn a_service_manager_is_told() {
    let place = Place::new();
    let path = place.path("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("GRANTD_BOOTSTRAP_API_KEY", KEY).env("GRANTD_LOG", "warn").env("NOTIFY_SOCKET", &path);
    let server = Server::start(&place, command);
    let told = || {
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    // Assignments, a line each (sd_notify(3)).
    assert_eq!(told(), "READY=1\n");
    server.stop();
    assert_eq!(told(), "STOPPING=1\n");
}

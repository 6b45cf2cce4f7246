//! The cases of `cases/rules`.

use std::fs;
use std::path::PathBuf;

use grantd_realm::caller::Authority::{Approver, Requester};
use grantd_realm::engine::{Properties, Value};
use grantd_realm::request::{CreateRequest, NewRequest, Status};
use grantd_realm::rule::{CreateRule, Effect, RuleDraft, Scope};

use crate::support::{World, with};

const SECOND: i64 = 1_000_000;

/// A request to use `Bash` for a command.
fn asking(command: &str) -> CreateRequest {
    let new = NewRequest {
        session: "s".into(),
        tool: "Bash".into(),
        action: "Run".into(),
        description: String::new(),
        params: Properties::from_iter([("command".to_owned(), Value::Text(command.into()))]).to_string(),
        path: None,
        parent_tool_call: None,
        timeout: 30 * SECOND,
    };
    CreateRequest::new(new).unwrap()
}

enum Section {
    Rules,
    Asked,
}

/// Says what is wrong with a file, and how many commands are in it.
fn run(text: &str) -> (usize, Vec<String>) {
    let (mut world, mut section, mut wrong, mut commands) = (World::new(), Section::Rules, Vec::new(), 0);
    let approver = with(&[Approver]);
    let mut agent = world.user_with("agent", &[Requester]);
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match (line, &section) {
            ("rules:", _) => {
                (world, section) = (World::new(), Section::Rules);
                agent = world.user_with("agent", &[Requester]);
            }
            ("asked:", _) => section = Section::Asked,
            (line, Section::Rules) => {
                let (effect, command) = line.split_once(' ').unwrap();
                let draft = RuleDraft {
                    effect: Effect::of_name(effect).unwrap(),
                    tool: "Bash".into(),
                    command: Some(command.into()),
                    path: None,
                    scope: Scope::Realm,
                    expires: None,
                };
                world.tries(&approver, CreateRule { draft }).unwrap();
            }
            (line, Section::Asked) => {
                let (answer, command) = line.split_once('|').unwrap();
                let command = command.strip_prefix(' ').unwrap_or(command).replace(" ⏎ ", "\n");
                let id = world.tries(&agent, asking(&command)).unwrap();
                let status = match Effect::of_name(answer.trim()).unwrap() {
                    Effect::Allow => Status::Granted,
                    Effect::Ask => Status::Pending,
                    Effect::Deny => Status::Denied,
                };
                let found = world.state.requests().get(id).unwrap().status;
                if found != status {
                    wrong.push(format!("`{command}` is {}, not {}", found.name(), answer.trim()));
                }
                commands += 1;
            }
        }
    }
    (commands, wrong)
}

#[test]
fn every_case_holds() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../cases/rules");
    let (mut commands, mut wrong) = (0, Vec::new());
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let (ran, found) = run(&fs::read_to_string(&path).unwrap());
            commands += ran;
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            wrong.extend(found.into_iter().map(|problem| format!("{name}: {problem}")));
        }
    }
    assert!(wrong.is_empty(), "{} of {commands}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(commands >= 200, "only {commands} cases were found");
}

/// What nests deep, or makes a parser go back and forth, is asked, and soon.
#[test]
fn hostile_commands_are_asked() {
    let mut world = World::new();
    let draft = RuleDraft {
        effect: Effect::Allow,
        tool: "Bash".into(),
        command: Some("echo *".into()),
        path: None,
        scope: Scope::Realm,
        expires: None,
    };
    world.tries(&with(&[Approver]), CreateRule { draft }).unwrap();
    let agent = world.user_with("agent", &[Requester]);
    let hostile = [
        "(".repeat(5_000),
        "((".repeat(8),
        format!("{}echo{}", "(".repeat(8), ")".repeat(8)),
        "$(".repeat(8),
        "$((".repeat(4),
        "`".repeat(24),
        "{ ".repeat(8),
        "${x:-".repeat(8),
        "if ".repeat(24),
        "while if case x in ".repeat(8),
        "echo \"$(echo \"".repeat(8),
        "echo 'x".repeat(1_000),
        "<<A ".repeat(500),
        "echo {1..99999999999999999999}".into(),
        "a=(".repeat(8),
        "[[ ".repeat(24),
        "! ".repeat(24),
        "x[".repeat(2_000),
        "\\\n".repeat(8_000),
        "echo \u{a0}x\u{2003}y".into(),
        "echo x\u{0}y".into(),
        "echo x\ry".into(),
        "e".repeat(200_000),
    ];
    for command in hostile {
        let begun = std::time::Instant::now();
        let start: String = command.chars().take(40).collect();
        let id = world.tries(&agent, asking(&command)).unwrap();
        let status = world.state.requests().get(id).unwrap().status;
        // These are no more than an `echo`.
        let may_pass = ["((((((((echo", "echo 'x", "echo {1.."].iter().any(|plain| start.starts_with(plain));
        assert!(status == Status::Pending || may_pass, "{start}");
        assert!(begun.elapsed().as_secs() < 5, "{start} took {:?}", begun.elapsed());
    }
}

/// Any mixture of what means something to a shell is read or asked, and soon.
#[test]
fn mixtures_are_read_soon() {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    const PARTS: [&str; 42] = [
        "(", ")", "((", "))", "$(", "$((", "${", "}", "{", "`", "'", "\"", "\\", ";", "&", "|", "&&", "||",
        "<", ">", "<<A", "<(", "\n", " ", "if ", "then ", "fi", "while ", "do ", "done ", "case ", " in ",
        "esac", "[[ ", " ]]", "x", "=", "*", "x[", "@(", "#", "!",
    ];
    // Few at a time: what nests goes deeper so.
    let mixture = proptest::sample::subsequence(PARTS.to_vec(), 1..6)
        .prop_flat_map(|parts| proptest::collection::vec(proptest::sample::select(parts), 1..60));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..5_000 {
        let text = mixture.new_tree(&mut runner).unwrap().current().concat();
        let begun = std::time::Instant::now();
        let _ = asking(&text);
        assert!(begun.elapsed().as_millis() < 2_000, "{text:?} took {:?}", begun.elapsed());
    }
}

//! The command line says what it can do and what is wrong. That this file needs the program also has `cargo test` build
//! it, for the tests that start it as a process.

use std::process::{Command, Output};

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatledger"));
    command.args(arguments).envs(environment.iter().copied()).env_remove("DATABASE_URL");
    command.output().expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn every_command_has_help() {
    let commands: [&[&str]; 57] = [
        &[],
        &["serve"],
        &["demo"],
        &["simulate", "serve"],
        &["simulate", "inbound"],
        &["simulate", "behave"],
        &["ledger", "verify"],
        &["ledger", "show"],
        &["ledger", "checkpoint"],
        &["ledger", "check-checkpoint"],
        &["ledger", "prove"],
        &["ledger", "check-proof"],
        &["ledger", "key", "create"],
        &["ledger", "key", "show"],
        &["audit", "chat"],
        &["audit", "user"],
        &["audit", "tag"],
        &["audit", "state"],
        &["projections", "list"],
        &["projections", "lag"],
        &["projections", "rebuild"],
        &["projections", "compare"],
        &["projections", "discard"],
        &["projections", "drop-before"],
        &["projections", "parked"],
        &["projections", "park"],
        &["projections", "retry"],
        &["quarantine", "list"],
        &["quarantine", "retry"],
        &["tenant", "create"],
        &["tenant", "show"],
        &["tenant", "set"],
        &["tenant", "add-user"],
        &["tenant", "connect"],
        &["tenant", "export"],
        &["tenant", "import"],
        &["tenant", "delete"],
        &["contact", "upsert"],
        &["contact", "import"],
        &["contact", "erase"],
        &["user", "list"],
        &["user", "create"],
        &["user", "activation-link"],
        &["user", "set-password"],
        &["user", "deactivate"],
        &["webhooks", "list"],
        &["webhooks", "enable"],
        &["deliveries", "list"],
        &["deliveries", "show"],
        &["deliveries", "replay"],
        &["analytics", "views"],
        &["analytics", "grant"],
        &["analytics", "revoke"],
        &["analytics", "list"],
        &["analytics", "url"],
        &["analytics", "export"],
        &["config", "check"],
    ];
    for command in commands {
        let output = run(&[command, &["--help"]].concat(), &[]);
        assert!(output.status.success() && said(&output).contains("Usage: chatledger"), "{command:?}");
    }
}

#[test]
fn a_wrong_configuration_is_refused_with_every_error_named() {
    let environment = [("CHATLEDGER_SERVER__LISTEN", "nowhere"), ("CHATLEDGER_LOGS__FORMAT", "xml")];
    let output = run(&["config", "check"], &environment);
    assert!(!output.status.success());
    let text = said(&output);
    assert!(text.contains("server.listen") && text.contains("logs.format"), "{text}");
}

#[test]
fn the_printed_defaults_are_a_valid_configuration() {
    let defaults = run(&["config", "defaults"], &[]);
    let file = std::env::temp_dir().join(format!("chatledger-defaults-{}.toml", std::process::id()));
    std::fs::write(&file, &defaults.stdout).expect("a file");
    let output = run(&["config", "check", "--config", &file.to_string_lossy()], &[]);
    std::fs::remove_file(&file).expect("removed");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn an_unknown_read_model_is_refused_with_the_names_there_are() {
    let output = run(&["projections", "rebuild", "nonsense"], &[]);
    assert!(!output.status.success());
    assert!(said(&output).contains("there are: "), "{}", said(&output));
}

//! This program as the one that `ssh` asks for a password.

use std::process::{Command, Output};

fn asked(words: &[&str], password: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_installer"));
    command.args(words).env_remove("KUBEFERRY_SSH_PASSWORD");
    if let Some(password) = password {
        command.env("KUBEFERRY_SSH_PASSWORD", password);
    }
    command.output().unwrap()
}

#[test]
fn ssh_is_answered_if_it_asks_for_a_password_and_for_nothing_else() {
    const QUESTION: &str = "root@10.0.0.1's password: ";
    let said = asked(&[QUESTION], Some("a  b$(c)"));
    assert!(said.status.success());
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "a  b$(c)\n");
    let said = asked(&["Are you sure you want to continue connecting (yes/no)? "], Some("abc"));
    assert_eq!((said.status.code(), said.stdout.is_empty()), (Some(1), true));
    // Whoever types such a thing gets the usual answer.
    let said = asked(&[QUESTION], None);
    assert_eq!((said.status.code(), said.stdout.is_empty()), (Some(2), true));
}

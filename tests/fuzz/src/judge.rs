//! Programs of others that say what an input means: what ours makes of it is compared.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lab::built;

/// A program that answers each line with a line. It ends when this is dropped.
pub(crate) struct Judge {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// Starts the newest of this name that `scripts/tools` has built. `None` if there is
    /// none.
    pub(crate) fn start(name: &str) -> Option<Self> {
        let (_, program) = built::programs(name).pop()?;
        let mut command = Command::new(program);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it can be started");
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it was asked for"));
        Some(Self { process, questions, answers })
    }

    /// Its answer to a line.
    pub(crate) fn ask(&mut self, question: &str) -> String {
        let questions = self.questions.as_mut().expect("it takes them until it is dropped");
        writeln!(questions, "{question}").expect("it reads until it is dropped");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.questions = None;
        drop(self.process.wait());
    }
}

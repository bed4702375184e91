//! Answers that several steps need.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::exec::{Command, Output};

/// What came of a question: the answer, or the kind and the words of the error.
type Answer = OnceLock<Result<Output, (io::ErrorKind, String)>>;

/// Questions, by their words, and what came of them.
#[derive(Default)]
pub(super) struct Shared(Mutex<BTreeMap<Vec<String>, Arc<Answer>>>);

impl Shared {
    /// The answer to a question. Only the first who wants it calls `ask`; the others wait.
    pub(super) fn answer(
        &self,
        question: &Command,
        ask: impl FnOnce() -> io::Result<Output>,
    ) -> io::Result<Output> {
        let answer = {
            let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asked.entry(question.words().to_vec()).or_default())
        };
        let told = answer.get_or_init(|| ask().map_err(|error| (error.kind(), error.to_string())));
        told.clone().map_err(|(kind, words)| io::Error::new(kind, words))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tempfile::TempDir;

    use crate::exec::{Command, Exec, Input, Output};
    use crate::host::Host;

    /// Answers with the number of questions so far.
    #[derive(Default)]
    struct Counts(AtomicUsize);

    impl Exec for Counts {
        fn run(&self, _: &Command, _: Option<Input<'_>>) -> io::Result<Output> {
            let stdout = self.0.fetch_add(1, Ordering::Relaxed).to_string();
            Ok(Output { status: Some(0), stdout, stderr: String::new() })
        }

        fn ask(&self, command: &Command, _: Duration) -> io::Result<Output> {
            self.run(command, None)
        }
    }

    #[test]
    fn a_question_is_asked_once_until_the_node_is_opened() {
        let folder = TempDir::new().unwrap();
        let host = Host::look(folder.path(), Box::new(Counts::default())).unwrap();
        let ask = |host: &Host, question| host.ask_once(&Command::of(question)).stdout;
        assert_eq!(
            (ask(&host, "a"), ask(&host, "b"), ask(&host, "a")),
            ("0".into(), "1".into(), "0".into())
        );
        let host = host.open().unwrap();
        assert_eq!((ask(&host, "a"), ask(&host, "a")), ("2".to_owned(), "3".to_owned()));
    }
}

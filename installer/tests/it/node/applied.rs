//! What a cluster has of the manifests that were applied: their texts, in files,
//! with the way by which they came.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use installer::exec::Output;
use serde_json::json;

use super::commands::said;

/// kubectl's answer; none where it is asked something else.
pub(super) fn answer(root: &Path, words: &[&str]) -> Option<Output> {
    let of_all = |of: &dyn Fn(&str) -> Option<String>| {
        let files = words.iter().filter_map(|word| word.strip_prefix("--filename="));
        let texts: Option<Vec<String>> = files.map(of).collect();
        // What the server writes by itself differs each time.
        let version = json!({"resourceVersion": words.len()});
        let object = |text: &String| json!({"metadata": version, "text": text});
        let list = |texts: Vec<String>| Vec::from_iter(texts.iter().map(object));
        let list = |texts| json!({"items": list(texts)}).to_string();
        said(texts.is_some(), &texts.map(list).unwrap_or_default())
    };
    let is_ours = |word: &&str| ["apply", "get", "wait"].contains(word);
    let at = words.iter().position(is_ours).filter(|_| words[0] == "kubectl")?;
    let options = words.get(at + 1..)?;
    let has_files = options.iter().any(|word| word.starts_with("--filename="));
    Some(match words[at] {
        "apply" if options.contains(&"--dry-run=server") => {
            of_all(&|path| text(root, path, way(options)))
        }
        "get" if has_files => {
            // The number of the object that a controller has just written to. The next time, it
            // is the one before.
            let file = root.join("run/written");
            let written = fs::read_to_string(&file).map_or(0, |text| text.parse().unwrap());
            if written > 0 {
                fs::write(file, (written - 1).to_string()).unwrap();
            }
            let number = Cell::new(0);
            of_all(&|path| {
                number.set(number.get() + 1);
                let more = if number.get() == written { "revision: 1" } else { "" };
                Some(fs::read_to_string(kept(root, path)).ok()? + more)
            })
        }
        "wait" if options.contains(&"--for=condition=Established") => {
            // A kind is served a moment after it was defined.
            let path = options.last()?;
            let seen = root.join("run/asked");
            let was_asked = seen.exists();
            fs::write(seen, "").unwrap();
            said(was_asked && kept(root, path).exists(), "")
        }
        _ => return None,
    })
}

/// Does it; gives whether it was one of these.
pub(super) fn change(root: &Path, words: &[&str]) -> bool {
    let Some(at) = words.iter().position(|word| *word == "apply") else { return false };
    let ["apply", options @ .., "--filename", path] = &words[at..] else { return false };
    let kept = kept(root, path);
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::write(kept, text(root, path, way(options)).unwrap()).unwrap();
    true
}

fn way(options: &[&str]) -> &'static str {
    match options.contains(&"--server-side") {
        true => {
            assert!(options.contains(&"--force-conflicts"));
            assert!(options.contains(&"--field-manager=kubeferry"));
            "the server"
        }
        false => "kubectl",
    }
}

fn text(root: &Path, path: &str, way: &str) -> Option<String> {
    let text = fs::read_to_string(root.join(path.trim_start_matches('/'))).ok()?;
    Some(format!("by {way}\n{text}"))
}

fn kept(root: &Path, path: &str) -> PathBuf {
    root.join("run/applied").join(path.rsplit('/').next().unwrap_or(path))
}

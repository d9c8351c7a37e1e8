//! The Pythons that are on this machine, beside the one called `python3`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Each by its version, such as `3.8`: those on `PATH`, those of pyenv, and those whose folders of
/// programs are in `WIRESPOOL_PYTHONS`, as `PATH` has them.
pub fn found() -> BTreeMap<String, PathBuf> {
    let mut candidates: Vec<PathBuf> = vec!["python2.7".into()];
    candidates.extend((8..=13).map(|minor| format!("python3.{minor}").into()));
    let given = std::env::var_os("WIRESPOOL_PYTHONS").unwrap_or_default();
    candidates.extend(std::env::split_paths(&given).map(|folder| folder.join("python")));
    if let Some(home) = std::env::home_dir()
        && let Ok(versions) = home.join(".pyenv/versions").read_dir()
    {
        candidates.extend(versions.flatten().map(|version| version.path().join("bin/python")));
    }
    candidates.into_iter().filter_map(|path| Some((version(&path)?, path))).collect()
}

/// What a program says of itself, if it is one of the Pythons that pickles are compared with: a pyenv
/// that has none under a name has a program of that name that fails.
fn version(interpreter: &PathBuf) -> Option<String> {
    let program = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(interpreter).args(["-c", program]).stderr(Stdio::null()).output();
    let version = String::from_utf8(output.ok()?.stdout).ok()?.trim().to_owned();
    let is_known = version == "2.7"
        || version
            .strip_prefix("3.")
            .and_then(|minor| minor.parse().ok())
            .is_some_and(|minor: u8| (8..=13).contains(&minor));
    is_known.then_some(version)
}

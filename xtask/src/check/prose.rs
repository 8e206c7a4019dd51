//! What is written reads the same on any machine: no folder of one, no host of a package registry.

use anyhow::Result;

use crate::{
    sources::{self, Source},
    workspace::Workspace,
};

/// Folders of one machine. They count where a path may begin, so `/v1/work/…` is no finding.
const FOLDERS: [&str; 3] = ["/work/", "/tmp/", "/root/"];
/// Hosts of package registries, each with its top-level domain set apart, so that this list names none.
const HOSTS: [(&str, &str); 9] = [
    ("index.crates", "io"),
    ("static.crates", "io"),
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("registry.npmjs", "org"),
    ("repo.maven.apache", "org"),
    ("repo1.maven", "org"),
    ("proxy.golang", "org"),
    ("deb.debian", "org"),
];
/// The list itself.
const THIS_FILE: &str = "xtask/src/check/prose.rs";

/// Every line that names one is a finding.
pub fn check(workspace: &Workspace) -> Result<()> {
    let findings: Vec<String> = sources::all(workspace)?.iter().flat_map(findings_in).collect();
    sources::none_of(&findings, "no file names a machine's own folders or a package registry's host")
}

fn findings_in(source: &Source) -> Vec<String> {
    if source.path == THIS_FILE {
        return Vec::new();
    }
    let lines = source.text.lines().enumerate().filter(|(_, line)| is_finding(line));
    lines.map(|(index, line)| format!("{}:{}: {}", source.path, index + 1, line.trim())).collect()
}

fn is_finding(line: &str) -> bool {
    FOLDERS.iter().any(|folder| names_folder(line, folder))
        || HOSTS.iter().any(|host| names_host(line, *host))
}

fn names_host(line: &str, (name, domain): (&str, &str)) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let rest = line[at + name.len()..].strip_prefix('.');
        rest.is_some_and(|rest| rest.starts_with(domain))
    })
}

fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before
            .is_none_or(|before| !before.is_alphanumeric() && !matches!(before, '.' | '_' | '-' | '}' | '/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_machine_and_hosts_are_found() {
        assert!(is_finding("built in /work/sentri"));
        assert!(is_finding("--data=/tmp/sandbox"));
        assert!(is_finding("\"/root/.cargo\""));
        assert!(is_finding(&format!("https://{}.{}/simple", HOSTS[2].0, HOSTS[2].1)));
    }

    #[test]
    fn other_paths_are_not() {
        assert!(!is_finding("GET /v1/work/orders"));
        assert!(!is_finding("{root}/tmp/data"));
        assert!(!is_finding("./tmp/data"));
        assert!(!is_finding("cargo install from crates.io"));
    }
}

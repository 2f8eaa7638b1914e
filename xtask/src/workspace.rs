//! The workspace as its manifests describe it, and the files in it.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::failure::Failure;

/// Folders that hold nothing a person wrote.
const PASSED_OVER: &[&str] = &["target", ".git", "node_modules"];

/// The root manifest and its members.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) manifest: Table,
    pub(crate) members: Vec<Member>,
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the root, with `/` between the parts.
    pub(crate) folder: String,
    pub(crate) manifest: Table,
}

impl Workspace {
    /// Reads the root manifest and those of all members.
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let manifest = read_manifest(&root.join("Cargo.toml"))?;
        let patterns = lookup(&manifest, &["workspace", "members"])
            .and_then(Value::as_array)
            .ok_or_else(|| Failure::new("Cargo.toml: no workspace.members"))?;
        let mut members = Vec::new();
        for pattern in patterns.iter().filter_map(Value::as_str) {
            for folder in expand(root, pattern)? {
                members.push(Member::read(root, folder)?);
            }
        }
        Ok(Self {
            root: root.to_path_buf(),
            manifest,
            members,
        })
    }

    /// The members that are published: those under `crates/`.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .filter(|member| member.folder.starts_with("crates/"))
    }

    /// All files with this extension, relative to the root, in order.
    pub(crate) fn files(&self, extension: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        walk(&self.root, "", extension, &mut found)?;
        found.sort();
        Ok(found)
    }

    /// The text of a file, named relative to the root.
    pub(crate) fn text(&self, file: &str) -> Result<String, Failure> {
        read(&self.root.join(file))
    }
}

impl Member {
    fn read(root: &Path, folder: String) -> Result<Self, Failure> {
        let file = root.join(&folder).join("Cargo.toml");
        let manifest = read_manifest(&file)?;
        let name = lookup(&manifest, &["package", "name"])
            .and_then(Value::as_str)
            .ok_or_else(|| Failure::new(format!("{}: no package.name", file.display())))?
            .to_owned();
        Ok(Self {
            name,
            folder,
            manifest,
        })
    }
}

/// The value under a path of keys.
pub(crate) fn lookup<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, key| value.get(*key))
}

fn read_manifest(file: &Path) -> Result<Table, Failure> {
    read(file)?
        .parse()
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}

/// The folders that a member pattern means: itself, or for `folder/*` all packages in it.
fn expand(root: &Path, pattern: &str) -> Result<Vec<String>, Failure> {
    let Some(parent) = pattern.strip_suffix("/*") else {
        return Ok(vec![pattern.to_owned()]);
    };
    let mut folders: Vec<String> = names(&root.join(parent))?
        .into_iter()
        .map(|name| format!("{parent}/{name}"))
        .filter(|folder| root.join(folder).join("Cargo.toml").is_file())
        .collect();
    folders.sort();
    Ok(folders)
}

fn walk(
    root: &Path,
    folder: &str,
    extension: &str,
    found: &mut Vec<String>,
) -> Result<(), Failure> {
    for name in names(&root.join(folder))? {
        let relative = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        let path = root.join(&relative);
        if path.is_symlink() || PASSED_OVER.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(root, &relative, extension, found)?;
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(relative);
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
    fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| {
            entry
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .map_err(failed)
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Writes files into a temporary folder and reads them as a workspace.
    pub(crate) fn workspace(files: &[(&str, &str)]) -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        if !folder.path().join("Cargo.toml").exists() {
            fs::create_dir_all(folder.path().join("crates")).unwrap();
            let root = "[workspace]\nmembers = [\"crates/*\"]\n";
            fs::write(folder.path().join("Cargo.toml"), root).unwrap();
        }
        let workspace = Workspace::read(folder.path()).unwrap();
        (folder, workspace)
    }

    #[test]
    fn members_come_from_patterns_and_names() {
        let (_folder, workspace) = workspace(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\", \"xtask\"]",
            ),
            ("crates/b/Cargo.toml", "[package]\nname = \"b\""),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\""),
            ("crates/not-a-package/README.md", ""),
            ("xtask/Cargo.toml", "[package]\nname = \"xtask\""),
        ]);
        let names: Vec<_> = workspace.members.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "xtask"]);
        assert_eq!(workspace.crates().count(), 2);
    }

    #[test]
    fn built_files_are_passed_over() {
        let (_folder, workspace) = workspace(&[
            ("target/debug/x.rs", ""),
            ("fuzz/target/y.rs", ""),
            ("crates/a/src/lib.rs", ""),
        ]);
        assert_eq!(workspace.files("rs").unwrap(), ["crates/a/src/lib.rs"]);
    }

    #[test]
    fn this_workspace_can_be_read() {
        let workspace = Workspace::read(&crate::root()).unwrap();
        assert!(workspace.members.iter().any(|m| m.name == "xtask"));
    }
}

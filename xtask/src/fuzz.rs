//! `cargo xtask fuzz`: the parsers on inputs that are nearly right.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;

use crate::command::{cargo, cargo_output, run_within};
use crate::failure::Failure;
use crate::step::{Outcome, Step};

/// How many mutations of its corpus each target gets.
const RUNS: u64 = 5_000;

/// How long the mutations of one target may take.
const TARGET_ENDS_WITHIN: Duration = Duration::from_secs(20);

/// How much longer the process may take that runs a target, before it counts as hanging.
const GRACE: Duration = Duration::from_secs(20);

/// How the other fuzzing is done.
const HOW_TO: &str = "\
`cargo xtask fuzz --smoke` runs the corpus of each target and some mutations, on any Rust.
To look further, for as long as you like, with nightly Rust and libFuzzer:

    cargo install cargo-fuzz
    cargo +nightly fuzz list
    mkdir -p target/fuzz-corpus/order
    cargo +nightly fuzz run order target/fuzz-corpus/order fuzz/corpus/order

What it finds goes to the first folder; what is worth keeping, small, to `fuzz/corpus`.
An input that panics goes there too, once it is mended.";

/// What of it is wanted.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Run the corpus of each target and mutations of it, the same ones each time.
    #[arg(long)]
    smoke: bool,
    /// How many mutations of its corpus each target gets.
    #[arg(long, value_name = "N", default_value_t = RUNS, requires = "smoke")]
    runs: u64,
}

/// Runs the smoke test, or says how to run cargo-fuzz.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<Outcome, Failure> {
    if wanted.smoke {
        return smoke(root, wanted.runs);
    }
    println!("{HOW_TO}");
    Ok(Outcome::Done)
}

/// What `ci` does for `fuzz/`, which is a workspace of its own.
pub(crate) fn plan() -> Vec<Step> {
    // `--all` would go on to the crates above.
    let packages = "-p acme-fuzz -p acme-fuzz-parsers -p acme-fuzz-smoke";
    // Without the targets themselves: these need libFuzzer, hence a C++ compiler.
    let stable = "-p acme-fuzz-parsers -p acme-fuzz-smoke";
    let place = "--manifest-path fuzz/Cargo.toml";
    vec![
        Step::cargo(
            "fuzz, format",
            &format!("fmt {place} {packages} -- --check"),
        ),
        Step::cargo(
            "fuzz, lints",
            &format!(
                "clippy {place} {stable} --all-targets --target-dir target --locked -- -D warnings"
            ),
        ),
        Step::cargo(
            "fuzz, tests",
            &format!("test {place} {stable} --target-dir target --locked"),
        ),
        Step::verb("fuzz --smoke", |root| smoke(root, RUNS)),
    ]
}

/// Runs every target in a process of its own; all of them run, also after one failed.
fn smoke(root: &Path, runs: u64) -> Result<Outcome, Failure> {
    let program = build(root)?;
    let ran = run_within(GRACE, &mut Command::new(&program));
    if !ran.succeeded() {
        return Err(Failure::new(format!("{}: {ran}", program.display())));
    }
    let mut failed = Vec::new();
    let targets: Vec<&str> = ran.output().split_whitespace().collect();
    for target in &targets {
        let ran = run_within(
            TARGET_ENDS_WITHIN + GRACE,
            Command::new(&program)
                .arg(target)
                .arg(root.join("fuzz/corpus").join(target))
                .arg(failures(root))
                .arg(runs.to_string())
                .arg(TARGET_ENDS_WITHIN.as_secs().to_string()),
        );
        if ran.succeeded() {
            println!("{}", ran.output().trim());
        } else {
            let said = ran.output().trim();
            let left = left_behind(root, target);
            println!("{target}: FAILED: {ran}\n{said}{left}");
            failed.push(*target);
        }
    }
    verdict(&targets, &failed, root)
}

fn verdict(targets: &[&str], failed: &[&str], root: &Path) -> Result<Outcome, Failure> {
    if targets.is_empty() {
        return Err(Failure::new("there is no fuzz target"));
    }
    if failed.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(Failure::new(format!(
        "fuzz: {} failed, above; the inputs are in {}",
        failed.join(", "),
        failures(root).display()
    )))
}

/// Where inputs are kept that a target cannot take.
fn failures(root: &Path) -> PathBuf {
    root.join("target/fuzz-failures")
}

/// What a target was at when its process was ended, or ended itself, without a word.
fn left_behind(root: &Path, target: &str) -> String {
    let running = failures(root).join(format!("{target}.running"));
    match std::fs::read(&running) {
        Ok(input) => format!(
            "\n  the input of {} bytes, saved to {}:\n  {}",
            input.len(),
            running.display(),
            input
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        ),
        Err(_) => String::new(),
    }
}

/// Builds the program that runs targets on stable Rust; says where it is.
fn build(root: &Path) -> Result<PathBuf, Failure> {
    let arguments = [
        "build",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "-p",
        "acme-fuzz-smoke",
        "--target-dir",
        "target",
        "--locked",
    ];
    // Once for people, with what cargo tells of it; once more for the answer.
    let status = cargo(root)
        .args(arguments)
        .status()
        .map_err(|error| Failure::new(format!("cargo does not start: {error}")))?;
    if !status.success() {
        let failure = Failure::new(format!("the fuzz targets do not build: {status}"));
        return Err(failure.with_exit_code(status.code()));
    }
    let mut for_answer = arguments.to_vec();
    for_answer.push("--message-format=json");
    executable(&cargo_output(root, &for_answer)?)
        .ok_or_else(|| Failure::new("cargo built no acme-fuzz-smoke"))
}

/// The program among what cargo says it built, one JSON object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_ours = message["target"]["name"] == "acme-fuzz-smoke";
        let executable = message["executable"].as_str().filter(|_| is_ours)?;
        Some(PathBuf::from(executable))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use toml::{Table, Value};

    use super::*;
    use crate::step::Work;

    #[test]
    fn every_build_is_locked_and_shares_the_target_folder() {
        for step in plan() {
            let Work::Cargo { arguments, .. } = &step.work else {
                continue;
            };
            let arguments = arguments.join(" ");
            assert!(arguments.contains("--manifest-path fuzz/Cargo.toml"));
            if !arguments.starts_with("fmt") {
                assert!(arguments.contains("--locked"), "{arguments}");
                assert!(arguments.contains("--target-dir target"), "{arguments}");
            }
        }
    }

    #[test]
    fn the_smoke_test_comes_last() {
        let names: Vec<String> = plan().into_iter().map(|step| step.name).collect();
        assert_eq!(
            names,
            ["fuzz, format", "fuzz, lints", "fuzz, tests", "fuzz --smoke"]
        );
    }

    #[test]
    fn the_program_is_found_in_what_cargo_says() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","target":{"name":"x"},"executable":"/t/x"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"acme-fuzz-smoke"},"executable":"/t/s"}"#,
            "\n"
        );
        assert_eq!(executable(messages), Some(PathBuf::from("/t/s")));
        assert_eq!(executable("{}"), None);
    }

    #[test]
    fn a_failed_target_is_named_and_none_at_all_is_a_failure() {
        let root = Path::new("/r");
        assert_eq!(verdict(&["a", "b"], &[], root).unwrap(), Outcome::Done);
        let failure = verdict(&["a", "b"], &["b"], root).unwrap_err().to_string();
        assert!(failure.contains("b failed"), "{failure}");
        assert!(failure.contains("fuzz-failures"), "{failure}");
        assert!(verdict(&[], &[], root).is_err());
    }

    #[test]
    fn the_input_of_a_process_that_ended_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(left_behind(folder.path(), "jws"), "");
        fs::create_dir_all(failures(folder.path())).unwrap();
        let running = failures(folder.path()).join("jws.running");
        fs::write(running, [0, 255]).unwrap();
        let left = left_behind(folder.path(), "jws");
        assert!(left.contains("jws.running"), "{left}");
        assert!(left.ends_with("00ff"), "{left}");
    }

    /// A target is a program, a file and a folder of small inputs, all under one name.
    #[test]
    fn every_target_is_complete() {
        let fuzz = crate::root().join("fuzz");
        let manifest: Table = fs::read_to_string(fuzz.join("Cargo.toml"))
            .unwrap()
            .parse()
            .unwrap();
        let programs: BTreeSet<String> = manifest["bin"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|bin| bin.get("name").and_then(Value::as_str))
            .map(str::to_owned)
            .collect();
        let entries = |folder: &str| -> BTreeSet<String> {
            fs::read_dir(fuzz.join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect()
        };
        let files = programs.iter().map(|name| format!("{name}.rs")).collect();
        assert_eq!(entries("fuzz_targets"), files);
        assert_eq!(entries("corpus"), programs);
        let bodies = fs::read_to_string(fuzz.join("parsers/src/lib.rs")).unwrap();
        for name in &programs {
            assert!(bodies.contains(&format!("(\"{name}\", {name}),")), "{name}");
            for seed in entries(&format!("corpus/{name}")) {
                let path = fuzz.join("corpus").join(name).join(&seed);
                let length = fs::metadata(&path).unwrap().len();
                assert!(length < 2048, "{name}/{seed}: {length} bytes");
            }
        }
    }
}

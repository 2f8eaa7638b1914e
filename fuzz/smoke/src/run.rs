//! A target and its inputs: what ran, and the first input that it could not take.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Seek, Write as _};
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use acme_fuzz_parsers::Target;

use crate::mutation::{Random, mutate};

/// Where a run ends, whichever comes first.
#[derive(Debug)]
pub(crate) struct Bounds {
    /// How many mutations are made.
    pub(crate) mutations: u64,
    /// How long they may take altogether; the corpus itself always runs.
    pub(crate) time: Duration,
}

/// What ran.
#[derive(Debug)]
pub(crate) struct Report {
    corpus: usize,
    mutations: u64,
    wanted: u64,
    took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, corpus of {}, {:.1} s",
            self.mutations + self.corpus as u64,
            self.corpus,
            self.took.as_secs_f32()
        )?;
        if self.mutations < self.wanted {
            write!(f, ", stopped by the clock before {}", self.wanted)?;
        }
        Ok(())
    }
}

/// A target, and where the inputs go that it cannot take.
#[derive(Debug)]
pub(crate) struct Run {
    target: Target,
    failures: PathBuf,
}

impl Run {
    pub(crate) fn new(target: Target, failures: &Path) -> Self {
        Self {
            target,
            failures: failures.to_path_buf(),
        }
    }

    /// Runs every file of the corpus, then mutations of them.
    pub(crate) fn all(&self, corpus: &Path, bounds: &Bounds) -> Result<Report, String> {
        let seeds = seeds(corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
        if seeds.is_empty() {
            return Err(format!("{}: the corpus is empty", corpus.display()));
        }
        let name = self.target.0;
        let running = self.failures.join(format!("{name}.running"));
        let told = |error: io::Error| format!("{}: {error}", running.display());
        fs::create_dir_all(&self.failures).map_err(told)?;
        let mut file = File::create(&running).map_err(told)?;

        let began = Instant::now();
        let words = panic_words();
        let mut run = |input: &[u8]| {
            note(&mut file, input).map_err(told)?;
            match panic::catch_unwind(|| self.target.1(input)) {
                Ok(()) => Ok(()),
                Err(_) => {
                    Err(self.save(input, &words.lock().unwrap_or_else(PoisonError::into_inner)))
                }
            }
        };
        let mut random = Random::of(name);
        let mut made = 0;
        let mut outcome = seeds.iter().try_for_each(|seed| run(seed));
        while outcome.is_ok() && made < bounds.mutations && began.elapsed() < bounds.time {
            let seed = &seeds[random.below(seeds.len())];
            let other = &seeds[random.below(seeds.len())];
            outcome = run(&mutate(&mut random, seed, other));
            made += 1;
        }
        fs::remove_file(&running).map_err(told)?;
        outcome.map(|()| Report {
            corpus: seeds.len(),
            mutations: made,
            wanted: bounds.mutations,
            took: began.elapsed(),
        })
    }

    /// Keeps an input, and says where it is and what it is.
    fn save(&self, input: &[u8], words: &str) -> String {
        let hex = input.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let file = self.failures.join(format!("{}.input", self.target.0));
        let saved = match fs::write(&file, input) {
            Ok(()) => format!("saved to {}", file.display()),
            Err(error) => format!("not saved to {}: {error}", file.display()),
        };
        format!(
            "{words}\n  the input of {} bytes, {saved}:\n  {hex}",
            input.len()
        )
    }
}

/// Leaves the input where it is found if the process ends with it.
fn note(file: &mut File, input: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(input)?;
    file.set_len(input.len() as u64)
}

/// Every file of the folder, in the order of their names.
fn seeds(corpus: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut files: Vec<PathBuf> = fs::read_dir(corpus)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    files.sort();
    files.iter().map(fs::read).collect()
}

/// Keeps what a panic says, instead of printing it.
fn panic_words() -> Arc<Mutex<String>> {
    let words = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&words);
    panic::set_hook(Box::new(move |panicked| {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = panicked.to_string();
    }));
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]
mod tests {
    use super::*;

    /// A folder that is gone at the end of a test.
    #[derive(Debug)]
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = format!("acme-fuzz-smoke-{}-{name}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            fs::create_dir_all(folder.join("corpus")).unwrap();
            Self(folder)
        }

        fn run(&self, body: fn(&[u8]), time: Duration) -> Result<Report, String> {
            let bounds = Bounds {
                mutations: 500,
                time,
            };
            let failures = self.0.join("failures");
            Run::new(("body", body), &failures).all(&self.0.join("corpus"), &bounds)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_first_bad_input_is_kept_and_named() {
        let folder = Folder::new("bad");
        fs::write(folder.0.join("corpus/one"), "good").unwrap();
        let body = |input: &[u8]| assert!(input.starts_with(b"go"), "no go");
        let failure = folder.run(body, Duration::from_secs(60)).unwrap_err();
        assert!(failure.contains("no go"), "{failure}");
        let input = fs::read(folder.0.join("failures/body.input")).unwrap();
        assert!(!input.starts_with(b"go"));
        let hex: String = input.iter().map(|it| format!("{it:02x}")).collect();
        assert!(failure.ends_with(&hex), "{failure}");
        assert!(!folder.0.join("failures/body.running").exists());
    }

    #[test]
    fn what_ran_is_told() {
        let folder = Folder::new("told");
        fs::write(folder.0.join("corpus/one"), "1").unwrap();
        fs::write(folder.0.join("corpus/two"), "2").unwrap();
        let report = folder.run(|_| (), Duration::from_secs(60)).unwrap();
        let report = report.to_string();
        assert!(report.starts_with("502 runs, corpus of 2, "), "{report}");

        let report = folder.run(|_| (), Duration::ZERO).unwrap().to_string();
        assert!(report.starts_with("2 runs, corpus of 2, "), "{report}");
        assert!(report.ends_with("before 500"), "{report}");
    }

    #[test]
    fn an_empty_corpus_is_a_failure() {
        let folder = Folder::new("empty");
        let failure = folder.run(|_| (), Duration::from_secs(60)).unwrap_err();
        assert!(failure.contains("empty"), "{failure}");
    }

    #[test]
    fn the_input_that_runs_is_noted() {
        let folder = Folder::new("noted");
        let path = folder.0.join("note");
        let mut file = File::create(&path).unwrap();
        note(&mut file, b"a longer one").unwrap();
        note(&mut file, b"short").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }
}

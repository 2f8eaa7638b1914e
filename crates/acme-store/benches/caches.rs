//! The processor's caches, emptied: what a program finds that comes by once in an hour.

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

/// Something to push everything else out of the caches with.
pub(crate) struct Caches {
    filler: Vec<u64>,
}

/// What a cache takes in at a time, in words of the filler.
const LINE: usize = 8;

impl Caches {
    pub(crate) fn new() -> Self {
        let bytes = 4 * largest().unwrap_or(1 << 25);
        Self {
            filler: vec![0; bytes / size_of::<u64>()],
        }
    }

    /// How long something takes, so often, that finds the caches empty each time.
    pub(crate) fn without(&mut self, times: u64, mut what: impl FnMut()) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..times {
            self.empty();
            let began = Instant::now();
            what();
            took += began.elapsed();
        }
        took
    }

    fn empty(&mut self) {
        for line in self.filler.iter_mut().step_by(LINE) {
            *line = line.wrapping_add(1);
        }
        black_box(&self.filler);
    }
}

/// The size of the largest cache, in bytes, where the system tells it.
fn largest() -> Option<usize> {
    let text = fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index3/size").ok()?;
    Some(text.trim().strip_suffix('K')?.parse::<usize>().ok()? << 10)
}

//! By what leases and lives end: a time that all processes share and nobody sets.

use std::{fs, sync::Arc, time::Duration};

use acme_messages::{Clock, Timestamp};
use rustix::time::{ClockId, clock_gettime};

use super::EndsBy;

/// What names one run of the machine, on Linux.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The era of a run of the machine; its name follows, if this process may see it.
const BOOT: &str = "boot";

/// A time, and the era whose moments it can compare.
#[derive(Debug)]
pub(super) struct Timeline {
    clock: Arc<dyn Clock>,
    ends_by: EndsBy,
    era: String,
}

/// An end, as it is written into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) era: String,
    /// In the era's time.
    pub(super) at: Duration,
    /// What it was granted for: nothing ever lasts longer from now.
    pub(super) span: Duration,
    /// The wall clock's milliseconds when it was written.
    pub(super) written: i64,
}

impl Timeline {
    pub(super) fn new(clock: Arc<dyn Clock>, ends_by: EndsBy) -> Self {
        let era = match ends_by {
            EndsBy::Clock => "clock".to_owned(),
            EndsBy::Machine => {
                let id = fs::read_to_string(BOOT_ID).unwrap_or_default();
                let id: String = id.chars().filter(char::is_ascii_hexdigit).collect();
                format!("{BOOT}{id}")
            }
        };
        Self {
            clock,
            ends_by,
            era,
        }
    }

    pub(super) const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The shared time.
    fn now(&self) -> Duration {
        match self.ends_by {
            EndsBy::Clock => self.clock.monotonic(),
            EndsBy::Machine => machine_time(),
        }
    }

    /// The end of a span that begins now.
    pub(super) fn end(&self, span: Duration) -> End {
        // What a file keeps is nanoseconds in 64 bits: five hundred years.
        let span = span.min(Duration::from_nanos(u64::MAX / 2));
        End {
            era: self.era.clone(),
            at: self.now().saturating_add(span),
            span,
            written: self.clock.now().as_millisecond(),
        }
    }

    /// Whether a lease has ended: with its span, or with the run of the machine,
    /// which no holder outlives.
    pub(super) fn lease_has_ended(&self, end: &End) -> bool {
        self.remaining(end).is_none_or(|it| it.is_zero())
    }

    /// Whether a record has ended; across a restart of the machine only the wall
    /// clock can tell, and one set back behind the writing tells nothing good.
    pub(super) fn life_has_ended(&self, end: &End) -> bool {
        if self.is_comparable(end) {
            return self.lease_has_ended(end);
        }
        let now = self.clock.now().as_millisecond();
        let span = i64::try_from(end.span.as_millis()).unwrap_or(i64::MAX);
        now < end.written || now >= end.written.saturating_add(span)
    }

    /// What is left; `None` when this era cannot tell.
    fn remaining(&self, end: &End) -> Option<Duration> {
        let left = end.at.saturating_sub(self.now());
        (self.is_comparable(end) && left <= end.span).then_some(left)
    }

    /// Whether the era is this one, as far as can be seen: from one process of a machine
    /// the name of its run may be hidden, and from another not.
    fn is_comparable(&self, end: &End) -> bool {
        let (own, other) = (&self.era, &end.era);
        let runs = own.starts_with(BOOT) && other.starts_with(BOOT);
        own == other || runs && (own == BOOT || other == BOOT)
    }

    /// The wall clock's time.
    pub(super) fn wall(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The time since the machine was started, with that of its suspension where it is
/// counted.
fn machine_time() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let id = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let id = ClockId::Monotonic;
    let time = clock_gettime(id);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

impl End {
    /// As one field of a file.
    pub(super) fn to_field(&self) -> String {
        let (at, span) = (self.at.as_nanos(), self.span.as_nanos());
        format!("{} {at} {span} {}", self.era, self.written)
    }

    pub(super) fn from_field(field: &str) -> Option<Self> {
        let mut parts = field.split(' ');
        let end = Self {
            era: parts.next()?.to_owned(),
            at: Duration::from_nanos(parts.next()?.parse().ok()?),
            span: Duration::from_nanos(parts.next()?.parse().ok()?),
            written: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use acme_messages::jose::BoxFuture;

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Hand(Arc<Mutex<(Timestamp, Duration)>>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            self.0.lock().expect("nothing panics").0
        }

        fn monotonic(&self) -> Duration {
            self.0.lock().expect("nothing panics").1
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn steps_and_restarts() {
        let clock = Hand::default();
        let wall: Timestamp = "2026-11-26T00:00:00Z".parse().expect("a moment");
        *clock.0.lock().expect("nothing panics") = (wall, HOUR);
        let line = Timeline::new(Arc::new(clock.clone()), EndsBy::Clock);
        let end = line.end(HOUR);
        assert_eq!(End::from_field(&end.to_field()), Some(end.clone()));
        let ended = |wall: Timestamp, monotonic| {
            *clock.0.lock().expect("nothing panics") = (wall, monotonic);
            (line.lease_has_ended(&end), line.life_has_ended(&end))
        };
        assert_eq!(ended(wall, HOUR), (false, false));
        // The wall clock is set: nothing happens.
        assert_eq!(ended(wall + 10 * HOUR, 2 * HOUR - HOUR / 9), (false, false));
        assert_eq!(ended(wall - 10 * HOUR, HOUR), (false, false));
        assert_eq!(ended(wall, 2 * HOUR), (true, true));
        // Without a name for the run, a restart shows in an end too far away.
        assert_eq!(ended(wall, HOUR - HOUR / 2), (true, true));
    }

    #[test]
    fn another_run_of_the_machine() {
        let clock = Hand::default();
        let wall: Timestamp = "2026-11-26T00:00:00Z".parse().expect("a moment");
        *clock.0.lock().expect("nothing panics") = (wall, HOUR);
        let line = Timeline::new(Arc::new(clock.clone()), EndsBy::Clock);
        let mut end = line.end(HOUR);
        end.era = "boot1".to_owned();
        let life = |wall: Timestamp| {
            clock.0.lock().expect("nothing panics").0 = wall;
            line.life_has_ended(&end)
        };
        assert!(line.lease_has_ended(&end));
        assert!(!life(wall) && !life(wall + HOUR / 2));
        assert!(life(wall + HOUR) && life(wall - HOUR));
    }

    // `ProcSubset=pid` keeps it from a service, and not from who looks after it.
    #[test]
    fn a_process_that_cannot_see_the_name_of_the_run() {
        let line = Timeline::new(Arc::new(Hand::default()), EndsBy::Machine);
        let named = Timeline {
            era: "boot1".to_owned(),
            ..Timeline::new(Arc::new(Hand::default()), EndsBy::Machine)
        };
        let nameless = Timeline {
            era: BOOT.to_owned(),
            ..line
        };
        for (one, other) in [(&named, &nameless), (&nameless, &named)] {
            let end = one.end(HOUR);
            assert!(!other.lease_has_ended(&end) && !other.life_has_ended(&end));
            let end = one.end(Duration::ZERO);
            assert!(other.lease_has_ended(&end) && other.life_has_ended(&end));
        }
        let before = End {
            era: "boot0".to_owned(),
            ..named.end(HOUR)
        };
        assert!(named.lease_has_ended(&before));
    }

    #[test]
    fn the_machines_time_does_not_fall() {
        let first = machine_time();
        assert!(machine_time() >= first);
    }
}

//! What a frame was spent on, noted where somebody wants to know: in a session that is measured.

use std::time::Duration;

/// What was done since the last frame, and how long the processor worked on each.
#[derive(Debug, Default)]
pub(crate) struct Doings {
    is_wanted: bool,
    noted: Vec<(String, Duration)>,
}

impl Doings {
    /// From now on it is noted.
    pub(crate) fn begin(&mut self) {
        self.is_wanted = true;
    }

    /// When something starts; nothing if nobody wants to know.
    pub(crate) fn start(&self) -> Option<Duration> {
        if self.is_wanted { worked_by_thread() } else { None }
    }

    /// Notes what was done since `start`.
    pub(crate) fn note(&mut self, start: Option<Duration>, what: impl FnOnce() -> String) {
        if let Some(worked) = start.zip(worked_by_thread()).map(|(start, end)| end.saturating_sub(start)) {
            self.noted.push((what(), worked));
        }
    }

    /// What was noted since the last call, the longest first.
    pub(crate) fn take(&mut self) -> Vec<(String, Duration)> {
        let mut noted = std::mem::take(&mut self.noted);
        noted.sort_by_key(|(_, worked)| std::cmp::Reverse(*worked));
        noted
    }
}

/// How long the processor has worked for this thread (Unix).
pub(crate) fn worked_by_thread() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
    }
    #[cfg(not(unix))]
    None
}

/// How long this thread had something to do and waited for a core (Linux).
pub(crate) fn waited_by_thread() -> Option<Duration> {
    waited(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

/// Nanoseconds on a core, nanoseconds waiting for one, turns: Linux, `Documentation/scheduler/sched-stats.rst`.
fn waited(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// The same as [`worked_by_thread`] of all threads of this process.
pub(crate) fn worked_by_process() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn the_time_without_a_core_is_read_as_linux_tells_it() {
        assert_eq!(super::waited("1492925 2988988 2\n"), Some(Duration::from_nanos(2_988_988)));
        assert_eq!(super::waited("1492925"), None);
        assert_eq!(super::waited("1 -1 2"), None);
    }
}

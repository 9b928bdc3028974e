//! What Linux tells about a process.

use std::time::Duration;

use anyhow::Context as _;

/// Ticks per second in `/proc`, on every Linux.
const TICKS: u64 = 100;

/// The memory a process holds, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// At this moment.
    pub(crate) resident: u64,
    /// The most so far.
    pub(crate) peak: u64,
}

/// The memory of a process.
///
/// # Errors
/// There is no such process, or this is no Linux.
pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("memory is read from /proc, which only Linux has")?;
    let figure = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    Ok(Memory { resident: figure("VmRSS:").context("no VmRSS")?, peak: figure("VmHWM:").context("no VmHWM")? })
}

/// The processor time a process has used.
///
/// # Errors
/// There is no such process, or this is no Linux.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("processor time is read from /proc, which only Linux has")?;
    let ticks = ticks(&stat).context("/proc has another form than expected")?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// The sum of `utime` and `stime`. The name before them may hold anything, even parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        assert_eq!(ticks("1 (a) b (c) S 0 1 1 0 -1 4194560 1 2 3 4 70 30 5 6 20 0"), Some(100));
        assert_eq!(ticks("nonsense"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(memory(std::process::id()).is_ok_and(|memory| memory.resident > 0 && memory.peak >= memory.resident));
    }
}

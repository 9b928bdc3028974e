//! Lines of the log, gathered for a moment and written by a thread of their own, many at once.
//!
//! Writing each by itself was a fifth of what an answer from memory cost, and waking another thread for each (as `tracing-appender` does)
//! costs as much. So the thread is woken by the first line and lets more come for [`GATHER`]; a warning or an error is written at once.
//! Nothing is dropped: when more than [`ROOM`] waits, whoever logs waits too, as if they wrote it themselves.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long lines are gathered: what `kill -9` can take.
const GATHER: Duration = Duration::from_millis(20);
/// How many bytes may wait to be written.
const ROOM: usize = 1024 * 1024;
/// How long [`Lines::flush`] waits for somebody who does not take the lines, such as a pipe nobody reads.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where lines are gathered. Clones share them.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    gathered: Mutex<Gathered>,
    /// Something is to be done for the thread that writes.
    news: Condvar,
    /// Something was written.
    written: Condvar,
}

#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// Lines wait that should not.
    is_urgent: bool,
    /// The thread has taken lines and has not written them yet.
    is_writing: bool,
}

impl Lines {
    /// Gathers lines for `to`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn to(to: impl Write + Send + 'static) -> io::Result<Self> {
        let lines = Self(Arc::default());
        let shared = Arc::clone(&lines.0);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_for_ever(to))?;
        Ok(lines)
    }

    /// Waits until everything that was logged so far is written.
    pub(super) fn flush(&self) {
        let Shared { news, written, .. } = &*self.0;
        let mut gathered = self.0.gathered();
        gathered.is_urgent = true;
        news.notify_one();
        let waiting = |gathered: &mut Gathered| !gathered.bytes.is_empty() || gathered.is_writing;
        drop(written.wait_timeout_while(gathered, PATIENCE, waiting));
    }

    fn put(&self, line: &[u8], is_urgent: bool) {
        let Shared { news, written, .. } = &*self.0;
        let gathered = self.0.gathered();
        let mut gathered = written.wait_while(gathered, |gathered| gathered.bytes.len() > ROOM).unwrap_or_else(PoisonError::into_inner);
        if gathered.bytes.is_empty() || is_urgent {
            gathered.is_urgent |= is_urgent;
            news.notify_one();
        }
        gathered.bytes.extend_from_slice(line);
    }
}

impl Shared {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_for_ever(&self, mut to: impl Write) {
        let mut taken = Vec::new();
        loop {
            self.take(&mut taken);
            // There is nobody to tell that lines cannot be written.
            drop(to.write_all(&taken).and_then(|()| to.flush()));
            taken.clear();
            self.gathered().is_writing = false;
            self.written.notify_all();
        }
    }

    /// Waits for lines, lets more come, and takes them all.
    fn take(&self, taken: &mut Vec<u8>) {
        let gathered = self.news.wait_while(self.gathered(), |gathered| gathered.bytes.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let more = |gathered: &mut Gathered| !gathered.is_urgent && gathered.bytes.len() < ROOM / 2;
        let (mut gathered, _) = self.news.wait_timeout_while(gathered, GATHER, more).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut gathered.bytes, taken);
        (gathered.is_urgent, gathered.is_writing) = (false, true);
    }
}

/// Takes one line.
pub(super) struct Line<'lines> {
    lines: &'lines Lines,
    is_urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.put(line, self.is_urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'lines> MakeWriter<'lines> for Lines {
    type Writer = Line<'lines>;

    fn make_writer(&'lines self) -> Line<'lines> {
        Line { lines: self, is_urgent: true }
    }

    fn make_writer_for(&'lines self, meta: &Metadata<'_>) -> Line<'lines> {
        Line { lines: self, is_urgent: *meta.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::mpsc;

    use super::*;

    /// Tells each time it is written to; a receiver that is not read holds the writing up.
    struct Paper(mpsc::SyncSender<Vec<u8>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn paper(room: usize) -> (Lines, mpsc::Receiver<Vec<u8>>) {
        let (sheet, read) = mpsc::sync_channel(room);
        (Lines::to(Paper(sheet)).unwrap(), read)
    }

    #[test]
    fn lines_of_a_moment_are_written_together_and_in_order() {
        let (lines, read) = paper(1_000);
        let all: String = (0..100).map(|number| format!("line {number}\n")).collect();
        all.split_inclusive('\n').for_each(|line| lines.put(line.as_bytes(), false));
        lines.flush();
        let written: Vec<_> = read.try_iter().collect();
        assert_eq!(String::from_utf8(written.concat()).unwrap(), all);
        assert!(written.len() < 50, "{} writes", written.len());
    }

    #[test]
    fn a_warning_does_not_wait() {
        let (lines, read) = paper(1);
        let begun = std::time::Instant::now();
        for _ in 0..20 {
            lines.put(b"!", true);
            assert_eq!(read.recv_timeout(Duration::from_secs(5)).unwrap(), b"!");
        }
        assert!(begun.elapsed() < GATHER * 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn who_logs_more_than_can_be_written_waits_and_nothing_is_lost() {
        let (lines, read) = paper(0);
        let line = vec![b'x'; ROOM / 4];
        let put = std::thread::spawn(move || (0..20).for_each(|_| lines.put(&line, false)));
        std::thread::sleep(Duration::from_millis(100));
        assert!(!put.is_finished(), "there is no room for all of it");
        let mut written = 0;
        while written < 20 * (ROOM / 4) {
            written += read.recv_timeout(Duration::from_secs(5)).unwrap().len();
        }
        put.join().unwrap();
        assert_eq!(written, 20 * (ROOM / 4));
    }
}

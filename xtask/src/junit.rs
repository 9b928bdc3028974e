//! `cargo xtask junit --into FILE [--suite NAME] -- COMMAND`: runs a command, shows what it prints, and writes what `cargo test` told in it as
//! JUnit XML, which every build server reads; with a suite's name, what the house's own tests tell in lines. The exit is the command's.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::say;

/// What to run, and where to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file to write.
    #[arg(long)]
    into: PathBuf,
    /// The command tells each test in a line, `ok` or `FAILED`, a name, and words; together they are called this.
    #[arg(long)]
    suite: Option<String>,
    /// The command, such as `cargo test --workspace`.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Runs the command, and fails as it does.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // Errors and tests in the order they were written: cargo names a test program on one stream, the program its tests on the other.
    let mut child = Command::new("sh")
        .args(["-c", "exec \"$@\" 2>&1", "sh"])
        .args(&arguments.command)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("running {:?}", arguments.command))?;
    let mut report = Report::of(arguments.suite.clone());
    let mut output = BufReader::new(child.stdout.take().context("no output to read")?);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        say(&line)?;
        report.read(&line);
        bytes.clear();
    }
    let status = child.wait()?;
    report.end(status.success());
    if let Some(folder) = arguments.into.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&arguments.into, report.xml()).with_context(|| format!("writing {}", arguments.into.display()))?;
    if !status.success() {
        bail!("{}: {status}; the tests are told in {}", arguments.command.join(" "), arguments.into.display());
    }
    Ok(())
}

/// What was told so far.
#[derive(Debug, Default)]
struct Report {
    suites: Vec<Suite>,
    /// The test whose output is being told.
    telling: Option<String>,
    /// The last lines outside any test, for a failure that no test had.
    last: Vec<String>,
    /// Each test is told in a line, and what is said before it belongs to it.
    is_in_lines: bool,
}

/// One test program.
#[derive(Debug, Default)]
struct Suite {
    name: String,
    tests: Vec<Test>,
    seconds: String,
}

#[derive(Debug)]
struct Test {
    name: String,
    outcome: Outcome,
    output: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Ignored,
}

/// How many lines are kept to explain a failure that no test had.
const LAST: usize = 60;

impl Report {
    fn of(suite: Option<String>) -> Self {
        let is_in_lines = suite.is_some();
        Self { suites: suite.into_iter().map(|name| Suite { name, seconds: "0".to_owned(), ..Suite::default() }).collect(), is_in_lines, ..Self::default() }
    }

    fn read(&mut self, line: &str) {
        if self.last.len() == LAST {
            self.last.remove(0);
        }
        self.last.push(line.to_owned());
        if self.is_in_lines {
            self.read_in_lines(line);
        } else if let Some(name) = program(line) {
            self.telling = None;
            self.suites.push(Suite { name, ..Suite::default() });
        } else if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.telling = Some(name.to_owned());
        } else if line == "failures:" {
            self.telling = None;
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.telling = None;
            let seconds = result.rsplit("finished in ").next().and_then(|time| time.strip_suffix('s')).unwrap_or("0");
            if let Some(suite) = self.suites.last_mut() {
                seconds.clone_into(&mut suite.seconds);
            }
        } else if let Some(name) = &self.telling {
            if let Some(test) = self.suites.last_mut().and_then(|suite| suite.tests.iter_mut().find(|test| test.name == *name)) {
                test.output.push_str(line);
                test.output.push('\n');
            }
        } else if let (Some((name, outcome)), Some(suite)) = (told(line), self.suites.last_mut()) {
            suite.tests.push(Test { name, outcome, output: String::new() });
        }
    }

    fn read_in_lines(&mut self, line: &str) {
        let Some(suite) = self.suites.last_mut() else { return };
        if let Some((name, outcome)) = told_in_a_line(line) {
            let output = self.last.drain(..).collect::<Vec<_>>().join("\n");
            suite.tests.push(Test { name, outcome, output });
        } else if let Some(test) = suite.tests.last_mut().filter(|_| line.starts_with("  ")) {
            // More about the test before.
            test.output.push('\n');
            test.output.push_str(line);
        }
    }

    /// A command that failed without a failed test (it did not compile, a program was killed) is a failure of its own.
    fn end(&mut self, succeeded: bool) {
        let has_failure = self.suites.iter().flat_map(|suite| &suite.tests).any(|test| test.outcome == Outcome::Failed);
        if !succeeded && !has_failure {
            let test = Test { name: "the command itself".to_owned(), outcome: Outcome::Failed, output: self.last.join("\n") };
            self.suites.push(Suite { name: "command".to_owned(), tests: vec![test], seconds: "0".to_owned() });
        }
    }

    fn xml(&self) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
        for suite in self.suites.iter().filter(|suite| !suite.tests.is_empty()) {
            let count = |outcome: &Outcome| suite.tests.iter().filter(|test| test.outcome == *outcome).count();
            let (name, tests, seconds) = (escaped(&suite.name), suite.tests.len(), escaped(&suite.seconds));
            let (failures, skipped) = (count(&Outcome::Failed), count(&Outcome::Ignored));
            text.push_str(&format!(
                "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{seconds}\">\n"
            ));
            for test in &suite.tests {
                text.push_str(&format!("    <testcase classname=\"{name}\" name=\"{}\"", escaped(&test.name)));
                match test.outcome {
                    Outcome::Passed => text.push_str("/>\n"),
                    Outcome::Ignored => text.push_str("><skipped/></testcase>\n"),
                    Outcome::Failed => text.push_str(&format!("><failure message=\"failed\">{}</failure></testcase>\n", escaped(&test.output))),
                }
            }
            text.push_str("  </testsuite>\n");
        }
        text.push_str("</testsuites>\n");
        text
    }
}

/// The test program that cargo says it runs: `Running tests/cart/main.rs (target/debug/deps/cart-0f3a)` is `cart tests/cart/main.rs`.
fn program(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(package) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{package} examples"));
    }
    let (root, file) = line.strip_prefix("Running ")?.strip_suffix(')')?.split_once(" (")?;
    let name = file.rsplit('/').next()?.rsplit_once('-')?.0;
    Some(format!("{name} {}", root.trim_start_matches("unittests ")))
}

/// A test and how it ended, from a line such as `test cart::is_empty ... ok`.
fn told(line: &str) -> Option<(String, Outcome)> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let outcome = match outcome {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        _ if outcome.starts_with("ignored") => Outcome::Ignored,
        _ => return None,
    };
    Some((name.trim_end_matches(" - should panic").to_owned(), outcome))
}

/// The same from a line such as `ok      lint           helm lint (3 s)`.
fn told_in_a_line(line: &str) -> Option<(String, Outcome)> {
    let (outcome, rest) = line.split_once(' ')?;
    let outcome = match outcome {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        _ => return None,
    };
    let rest = rest.rsplit_once(" (").filter(|(_, time)| time.ends_with(" s)")).map_or(rest, |(words, _)| words);
    let (name, words) = rest.trim().split_once(' ')?;
    Some((format!("{name}: {}", words.trim()), outcome))
}

/// Fit for an attribute or a text of XML 1.0, which knows no other control characters than these.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(character),
            _ if character.is_control() => drop(write!(safe, "\\u{:04x}", u32::from(character))),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "   Compiling cart v0.1.0
     Running unittests src/lib.rs (target/debug/deps/cart-0f3a)

running 3 tests
test domain::a_price_is_kept ... ok
test domain::slow ... ignored, takes an hour
test domain::a_line_is_cut ... FAILED

failures:

---- domain::a_line_is_cut stdout ----
thread panicked: 1 < 2 & \"so\"
test of words ... ok

failures:
    domain::a_line_is_cut

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.25s

   Doc-tests cart

running 1 test
test cart/src/lib.rs - Line (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    fn report(text: &str, succeeded: bool) -> Report {
        let mut report = Report::default();
        text.lines().for_each(|line| report.read(line));
        report.end(succeeded);
        report
    }

    #[test]
    fn every_test_is_told_with_how_it_ended() {
        let xml = report(TOLD, false).xml();
        for part in [
            "<testsuite name=\"cart src/lib.rs\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"0.25\">",
            "name=\"domain::a_price_is_kept\"/>",
            "name=\"domain::slow\"><skipped/>",
            "name=\"domain::a_line_is_cut\"><failure message=\"failed\">thread panicked: 1 &lt; 2 &amp; &quot;so&quot;\ntest of words ... ok\n\n</failure>",
            "<testsuite name=\"cart examples\" tests=\"1\" failures=\"0\"",
        ] {
            assert!(xml.contains(part), "{part} is missing in\n{xml}");
        }
    }

    #[test]
    fn a_command_that_fails_without_a_failed_test_is_a_failure() {
        let xml = report("error[E0425]: cannot find value `x`\n", false).xml();
        assert!(xml.contains("the command itself") && xml.contains("E0425") && xml.contains("failures=\"1\""), "{xml}");
        assert!(!report("", true).xml().contains("testcase"));
    }

    #[test]
    fn tests_told_in_lines_are_told_with_what_was_said_about_them() {
        let mut report = Report::of(Some("chart".to_owned()));
        let lines = [
            "ok      lint           the values (3 s)",
            "a.yaml: no such kind",
            "FAILED  schemas        every object (12 s)",
            "  see there",
            "words",
            "ok      readme         says so",
        ];
        lines.into_iter().for_each(|line| report.read(line));
        report.end(false);
        let xml = report.xml();
        for part in [
            "<testsuite name=\"chart\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"0\">",
            "name=\"lint: the values\"/>",
            "name=\"schemas: every object\"><failure message=\"failed\">a.yaml: no such kind\nFAILED  schemas        every object (12 s)\n  see there</failure>",
            "name=\"readme: says so\"/>",
        ] {
            assert!(xml.contains(part), "{part} is missing in\n{xml}");
        }
        let mut broken = Report::of(Some("chart".to_owned()));
        broken.read("helm is missing");
        broken.end(false);
        assert!(broken.xml().contains("the command itself\"><failure message=\"failed\">helm is missing"), "{}", broken.xml());
    }

    #[test]
    fn control_characters_do_not_spoil_the_document() {
        assert_eq!(escaped("\u{1b}[1mred\u{0}"), "\\u001b[1mred\\u0000");
    }
}

//! Text to standard output and standard error, whoever still reads them.

use std::io::{self, IsTerminal, Write};

use otcore::export::Look;

/// Results, on standard output.
///
/// # Errors
/// If they cannot be written; [`io::ErrorKind::BrokenPipe`] if nobody reads any more.
pub fn results(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A line for the person in front, on standard error. Nobody has to read it.
pub fn notice(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// How a table looks best where standard output leads: wide as the terminal, in colours unless
/// `NO_COLOR` is set; plain and as wide as it takes anywhere else.
#[must_use]
pub fn look() -> Look {
    if !io::stdout().is_terminal() {
        return Look::default();
    }
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let dumb = set("TERM").is_some_and(|term| term == "dumb");
    let width = console::Term::stdout().size_checked().map(|(_, columns)| columns.into());
    Look { colours: set("NO_COLOR").is_none() && !dumb, width }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks the C preprocessor what the included files hold: their macros, and their definitions.
//!
//! The file itself is not taken from the preprocessor's output: its lines, comments and conditionals would be lost. Only names that
//! it uses where a definition needs them are taken over as macros, with the place in the header where they are defined.
//! The headers of the tracer are replaced by empty ones, so that its words stay words, and it need not be installed.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::c::Dialect;
use crate::compiler;
use crate::expand;
use crate::lexer::{self, Lexed};
use crate::macros::{self, Macro, Table};
use crate::options::Options;
use crate::problem::Problems;
use crate::source::{Sources, Span};
use crate::token::Token;
use crate::words;

/// The headers of the tracer, in both spellings.
const TRACER_HEADERS: [&str; 4] =
    ["lttng/tracepoint.h", "lttng/tracepoint-event.h", "ust/tracepoint.h", "ust/tracepoint-event.h"];

/// A line of an included file, after the preprocessor.
#[derive(Debug)]
struct Line {
    path: PathBuf,
    number: usize,
    text: String,
}

/// What the included files hold.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    /// The last definition of each macro: the name, and what stands after `#define`.
    defines: HashMap<String, Line>,
    /// Lines with definitions of tracepoints, by file.
    lines: Vec<Line>,
    /// The command that was run.
    pub(crate) command: String,
    /// The tracer is among these.
    pub(crate) includes_tracer: bool,
    /// All files that were included.
    pub(crate) files: BTreeSet<PathBuf>,
}

/// Runs the preprocessor over `text`, the content of the file `path`.
///
/// # Errors
/// Says what is missing: a compiler, or what the compiler itself says.
pub(crate) fn read(path: &Path, text: &str, lexed: &Lexed, options: &Options) -> Result<Headers, String> {
    let shims = Shims::new().map_err(|error| format!("cannot make a temporary directory: {error}"))?;
    let mut input = text.to_owned();
    for comment in &lexed.hash_comments {
        let range = comment.start as usize..comment.end as usize;
        let blank: String = text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        input.replace_range(range, &blank);
    }
    let input = format!("# 1 \"{}\"\n{input}", path.display());
    for compiler in compiler::compilers(Dialect::C) {
        let mut command = Command::new(&compiler[0]);
        command.args(&compiler[1..]).args(arguments(path, text, &shims.0, options));
        match run(&mut command, &input) {
            Ok(output) => {
                let shown: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
                let mut headers = parse(&output, path);
                headers.includes_tracer = headers.files.iter().any(|file| file.starts_with(&shims.0));
                headers.files.retain(|file| !file.starts_with(&shims.0));
                headers.command = format!("{} {}", compiler[0].to_string_lossy(), shown.join(" "));
                return Ok(headers);
            }
            Err(RunError::Missing) => {}
            Err(RunError::Failed(said)) => return Err(said),
        }
    }
    Err(compiler::none_found(Dialect::C))
}

fn arguments(path: &Path, text: &str, shims: &Path, options: &Options) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-E", "-dD", "-I"].map(OsString::from).to_vec();
    args.push(shims.into());
    for dir in &options.include_dirs {
        args.extend([OsString::from("-I"), dir.into()]);
    }
    args.extend(options.defines.iter().map(|define| OsString::from(format!("-D{define}"))));
    args.extend(compiler::variable("CPPFLAGS"));
    let dir = compiler::directory(path);
    args.extend([OsString::from("-I."), OsString::from("-iquote"), dir.into()]);
    args.extend(["-x", language(path, text), "-"].map(OsString::from));
    args
}

/// C++ if the file's name or a header without `.h` says so.
fn language(path: &Path, text: &str) -> &'static str {
    let is_cpp = |line: &str| {
        let header =
            line.trim_start().strip_prefix('#').map(str::trim_start).and_then(|rest| rest.strip_prefix("include"));
        let name = header.and_then(|rest| rest.trim_start().strip_prefix('<')?.split('>').next());
        name.is_some_and(|name| !name.contains('.'))
    };
    let is_named_so = path.extension().is_some_and(|suffix| suffix == "hpp");
    if is_named_so || text.lines().any(is_cpp) { "c++" } else { "c" }
}

enum RunError {
    Missing,
    Failed(String),
}

fn run(command: &mut Command, input: &str) -> Result<String, RunError> {
    let failed = |error: io::Error| RunError::Failed(format!("the C preprocessor cannot be run: {error}"));
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(RunError::Missing),
        other => other.map_err(failed)?,
    };
    let mut stdin = child.stdin.take();
    let text = input.to_owned();
    // The compiler may write before it has read all of the input.
    let writer = std::thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(text.as_bytes())));
    let output = child.wait_with_output().map_err(failed)?;
    let _ = writer.join();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(RunError::Failed(format!("the C preprocessor failed ({}):\n{said}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn parse(output: &str, main: &Path) -> Headers {
    let mut headers = Headers::default();
    let (mut path, mut number) = (PathBuf::new(), 0);
    for line in output.lines() {
        if let Some((to, marked)) = line_marker(line) {
            if marked != main && !marked.to_string_lossy().starts_with('<') {
                headers.files.insert(marked.clone());
            }
            (number, path) = (to, marked);
            continue;
        }
        let is_of_header = path != main && !path.to_string_lossy().starts_with('<');
        let is_given = path.as_os_str() == "<command-line>";
        if let Some(define) = line.strip_prefix("#define ") {
            let name: String = define.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if is_of_header || is_given {
                headers.defines.insert(name, Line { path: path.clone(), number, text: define.to_owned() });
            }
        } else if is_of_header && !line.starts_with('#') && !line.trim().is_empty() {
            headers.lines.push(Line { path: path.clone(), number, text: line.to_owned() });
        }
        number += 1;
    }
    headers
}

/// `# 12 "file.h" 2`
fn line_marker(line: &str) -> Option<(usize, PathBuf)> {
    let (number, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    let quoted = rest.strip_prefix('"')?;
    Some((number.parse().ok()?, PathBuf::from(&quoted[..quoted.rfind('"')?])))
}

impl Headers {
    /// Returns the macros that `wanted` need: those, and the ones in them that matter for the form of a definition.
    pub(crate) fn macros(&self, wanted: &BTreeSet<String>, sources: &mut Sources, table: &mut Table) -> Vec<String> {
        let mut files = Files::default();
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut queue: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let mut shapes = HashMap::new();
        while let Some(name) = queue.pop() {
            if words::is_known(name) || found.contains(name) {
                continue;
            }
            let Some((name, line)) = self.defines.get_key_value(name) else { continue };
            let span = files.span(line, sources);
            let Some(mut definition) = definition(&line.text, span) else { continue };
            definition.body.iter_mut().for_each(|token| token.span = span);
            found.insert(name);
            let names: BTreeSet<String> = expand::names(&definition.body).map(str::to_owned).collect();
            for inner in names {
                if let Some((inner, _)) = self.defines.get_key_value(&inner)
                    && self.shapes_definitions(inner, &mut shapes)
                {
                    queue.push(inner);
                }
            }
            table.define(definition, &[]);
        }
        found.into_iter().map(str::to_owned).collect()
    }

    /// Whether a macro stands for more than one value: for a word of definition files, or for several parts.
    fn shapes_definitions(&self, name: &str, known: &mut HashMap<String, bool>) -> bool {
        if let Some(known) = known.get(name) {
            return *known;
        }
        known.insert(name.to_owned(), false);
        let Some(line) = self.defines.get(name) else { return false };
        let Some(definition) = definition(&line.text, Span { file: 0, start: 0, end: 0 }) else { return false };
        let shapes = expand::has_outer_comma(&definition.body)
            || expand::names(&definition.body)
                .any(|name| words::is_known(name) || self.shapes_definitions(name, known));
        known.insert(name.to_owned(), shapes);
        shapes
    }

    /// Returns all macros, for the values of constants.
    pub(crate) fn constants(&self) -> Table {
        let mut table = Table::default();
        let nowhere = Span { file: 0, start: 0, end: 0 };
        for line in self.defines.values() {
            if let Some(definition) = definition(&line.text, nowhere).filter(|found| found.params.is_none()) {
                table.define(definition, &[]);
            }
        }
        table
    }

    /// Tells whether a name is a macro of a header.
    pub(crate) fn defines(&self, name: &str) -> bool {
        self.defines.contains_key(name)
    }

    /// Returns the tokens of the included files that have definitions, each where its line stands.
    pub(crate) fn tokens(&self, sources: &mut Sources) -> Vec<Vec<Token>> {
        let has_item = |line: &&Line| {
            let words = line.text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            words.into_iter().any(|word| words::item(word).is_some())
        };
        let paths: BTreeSet<&Path> = self.lines.iter().filter(has_item).map(|line| line.path.as_path()).collect();
        let mut files = Files::default();
        let mut all = Vec::new();
        for path in paths {
            let mut tokens = Vec::new();
            for line in self.lines.iter().filter(|line| line.path == path) {
                let span = files.span(line, sources);
                tokens
                    .extend(lexer::lex(span.file, &line.text).tokens.into_iter().map(|token| Token { span, ..token }));
            }
            all.push(tokens);
        }
        all
    }
}

fn definition(text: &str, span: Span) -> Option<Macro> {
    let tokens = lexer::lex(span.file, text).tokens;
    Some(Macro { span, ..macros::parse_define(&tokens, span, &mut Problems::default())? })
}

/// The headers that were read again, to show places in them.
#[derive(Default)]
struct Files(HashMap<PathBuf, u32>);

impl Files {
    fn span(&mut self, line: &Line, sources: &mut Sources) -> Span {
        let file = *self.0.entry(line.path.clone()).or_insert_with(|| {
            let text = fs::read(&line.path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            sources.add(&line.path, text.unwrap_or_default())
        });
        sources.line_span(file, line.number).unwrap_or(Span { file, start: 0, end: 0 })
    }
}

/// A directory with empty headers of the tracer.
struct Shims(PathBuf);

impl Shims {
    fn new() -> io::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Relaxed: each number is only taken once, nothing else depends on it.
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("ust-gen-tp-{}-{number}", std::process::id()));
        fs::create_dir(&dir)?;
        let shims = Self(dir);
        for header in TRACER_HEADERS {
            let path = shims.0.join(header);
            fs::create_dir_all(path.parent().unwrap_or(&shims.0))?;
            fs::write(path, "")?;
        }
        Ok(shims)
    }
}

impl Drop for Shims {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

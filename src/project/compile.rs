//! Compiling schemas, from files that may be anything.
//!
//! protox and prost-reflect go down recursively into imports and options, and some of what no compiler would
//! write makes them panic. So they work within bounds, on a thread of their own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use prost_reflect::DescriptorPool;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, UninterpretedOption};
use protox::file::{
    ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver,
};

/// How many files one compilation may read. Each that is imported by another takes some 8 KiB of stack.
const MAXIMUM_FILES: usize = 4096;

/// How deep the value or the name of an option may be nested: far more than anyone writes, and each takes
/// no more stack than a file.
const MAXIMUM_DEPTH: usize = 1000;

/// Enough for both; the system gives only what is used of it.
const STACK: usize = 64 << 20;

/// What `work` makes of a schema, or why it could not.
pub(super) fn apart<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("schema".to_owned()).stack_size(STACK);
        let started = builder.spawn_scoped(scope, work);
        let worker = started.map_err(|error| format!("no thread can be started: {error}"))?;
        worker.join().unwrap_or_else(|_| Err("the compiler gave up on it".to_owned()))
    })
}

/// The messages of these files, whose imports are looked for in these folders.
pub(super) fn compile(
    files: &[PathBuf],
    include: &[PathBuf],
) -> Result<DescriptorPool, protox::Error> {
    let mut resolver = ChainFileResolver::new();
    for folder in include {
        resolver.add(IncludeFileResolver::new(folder.clone()));
    }
    resolver.add(GoogleFileResolver::new());
    let resolver = Bounded { resolver, opened: AtomicUsize::new(0) };
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    Ok(compiler.open_files(files)?.descriptor_pool())
}

/// Whether the options of a file are nested no deeper than is reasonable.
///
/// # Errors
/// The reason why not.
pub(super) fn check_options(file: &FileDescriptorProto) -> Result<(), String> {
    match options_of_file(file).into_iter().flatten().find(|option| is_too_deep(option)) {
        Some(_) => {
            let name = file.name();
            Err(format!("{name}: an option in it is nested more than {MAXIMUM_DEPTH} times"))
        }
        None => Ok(()),
    }
}

/// Brackets in strings are counted, too: nobody has so many that do not close.
fn is_too_deep(option: &UninterpretedOption) -> bool {
    let mut depth = option.name.len();
    option.aggregate_value().bytes().any(|byte| {
        match byte {
            b'{' | b'<' | b'[' => depth += 1,
            b'}' | b'>' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAXIMUM_DEPTH
    }) || depth > MAXIMUM_DEPTH
}

type Options<'a> = Vec<&'a [UninterpretedOption]>;

/// The options of whatever has some.
macro_rules! options {
    ($all:ident, $($each:expr),+) => {
        $($all.extend($each.iter().filter_map(|one| one.options.as_ref()).map(|options| {
            options.uninterpreted_option.as_slice()
        }));)+
    };
}

fn options_of_file(file: &FileDescriptorProto) -> Options<'_> {
    let mut all = Vec::new();
    options!(all, std::slice::from_ref(file), file.extension, file.service);
    options!(all, file.service.iter().flat_map(|service| &service.method).collect::<Vec<_>>());
    options_of_enums(&file.enum_type, &mut all);
    // prost and protox bound how deep messages may be nested.
    let mut messages: Vec<&DescriptorProto> = file.message_type.iter().collect();
    while let Some(message) = messages.pop() {
        options!(all, std::slice::from_ref(message), message.field, message.extension);
        options!(all, message.oneof_decl, message.extension_range);
        options_of_enums(&message.enum_type, &mut all);
        messages.extend(&message.nested_type);
    }
    all
}

fn options_of_enums<'a>(enums: &'a [EnumDescriptorProto], all: &mut Options<'a>) {
    options!(all, enums);
    options!(all, enums.iter().flat_map(|one| &one.value).collect::<Vec<_>>());
}

/// A resolver that opens neither too many files nor those whose options are nested too deep.
struct Bounded<R> {
    resolver: R,
    opened: AtomicUsize,
}

impl<R: FileResolver> FileResolver for Bounded<R> {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        self.resolver.resolve_path(path)
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let file = self.resolver.open_file(name)?;
        let refuse = |reason| protox::Error::new(Refusal(reason));
        check_options(file.file_descriptor_proto()).map_err(refuse)?;
        let count = self.opened.fetch_add(1, Ordering::Relaxed);
        if count >= MAXIMUM_FILES {
            return Err(refuse(format!("{name} is one file too many: {MAXIMUM_FILES} are read")));
        }
        Ok(file)
    }
}

/// What protox hands on; it shows errors by their Debug.
struct Refusal(String);

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

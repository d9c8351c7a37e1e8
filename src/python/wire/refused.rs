//! Names that no allow-list takes.
//!
//! What keeps a reader safe is that only what stands in the list is called. These are refused against
//! a slip: who lists one of them lets the bytes choose what is run, whatever else the list says.

use pyo3::prelude::*;
use pyo3::types::PyType;

/// Modules of which nothing is called: each can reach, load or run other code.
const MODULES: &[(&str, &str)] = &[
    ("operator", LOOKS_UP),
    ("_operator", LOOKS_UP),
    ("importlib", IMPORTS),
    ("_frozen_importlib", IMPORTS),
    ("_imp", IMPORTS),
    ("imp", IMPORTS),
    ("pkgutil", IMPORTS),
    ("pydoc", IMPORTS),
    ("runpy", RUNS),
    ("os", SYSTEM),
    ("posix", SYSTEM),
    ("nt", SYSTEM),
    ("pty", SYSTEM),
    ("shutil", SYSTEM),
    ("subprocess", SYSTEM),
    ("_posixsubprocess", SYSTEM),
    ("_winapi", SYSTEM),
    ("ctypes", SYSTEM),
    ("_ctypes", SYSTEM),
    ("sys", INTERPRETER),
    ("gc", INTERPRETER),
    ("inspect", INTERPRETER),
    ("code", RUNS),
    ("codeop", RUNS),
    ("timeit", RUNS),
    ("pdb", RUNS),
    ("bdb", RUNS),
    ("marshal", LOADS),
    ("pickle", LOADS),
    ("_pickle", LOADS),
    ("cPickle", LOADS),
    ("shelve", LOADS),
    ("copyreg", CALLS),
    ("copy_reg", CALLS),
];

/// Single names, in modules of which others are harmless.
const NAMES: &[(&str, &[&str], &str)] = &[
    ("builtins", &["eval", "exec", "execfile", "compile", "apply"], RUNS),
    ("builtins", &["__import__", "reload"], IMPORTS),
    ("builtins", &["getattr", "setattr", "delattr", "hasattr"], LOOKS_UP),
    ("builtins", &["vars", "globals", "locals", "dir"], INTERPRETER),
    ("builtins", &["input", "raw_input", "breakpoint", "help", "exit", "quit"], INTERPRETER),
    ("builtins", &["open", "file"], SYSTEM),
    ("builtins", &["map", "filter", "reduce", "iter", "type", "super"], CALLS),
    ("functools", &["partial", "partialmethod", "reduce"], CALLS),
    ("_functools", &["partial", "reduce"], CALLS),
    ("io", &["open", "open_code", "FileIO"], SYSTEM),
    ("_io", &["open", "open_code", "FileIO"], SYSTEM),
    ("types", &["CodeType", "FunctionType", "LambdaType", "MethodType", "ModuleType"], RUNS),
    ("types", &["new_class", "prepare_class", "resolve_bases"], RUNS),
];

const LOOKS_UP: &str = "it would reach any attribute of what it is given";
const IMPORTS: &str = "it would import what the bytes name";
const RUNS: &str = "it would run code that the bytes bring";
const SYSTEM: &str = "it would let the bytes act on this system";
const INTERPRETER: &str = "it would open the interpreter to the bytes";
const LOADS: &str = "it would read what the bytes bring without any list";
const CALLS: &str = "it would call what it is given";

/// Why nothing may be called by this name; `None` if something may.
pub(super) fn reason(module: &str, name: &str) -> Option<&'static str> {
    let module = if module == "__builtin__" { "builtins" } else { module };
    let whole = MODULES.iter().find(|(refused, _)| {
        module.strip_prefix(refused).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    if let Some(&(_, why)) = whole {
        return Some(why);
    }
    // `type.__call__` is a way to call, whatever it is found in.
    match name.rsplit('.').next() {
        Some("__getattribute__" | "__getattr__" | "__setattr__" | "__delattr__") => {
            return Some(LOOKS_UP);
        }
        Some("__call__") => return Some(CALLS),
        _ => {}
    }
    let one = NAMES.iter().find(|(refused, names, _)| *refused == module && names.contains(&name));
    one.map(|&(_, _, why)| why)
}

/// Why this object itself may not be called for any name, by what it says it is.
pub(super) fn reason_of(callable: &Bound<'_, PyAny>) -> Option<&'static str> {
    let mut callable = callable.clone();
    // What a partial object or a bound `__call__` calls is what counts.
    for _ in 0..WRAPPED {
        match wrapped(&callable) {
            Some(inner) => callable = inner,
            None => break,
        }
    }
    if let Some(why) = reason_of_type(&callable) {
        return Some(why);
    }
    let text = |attribute| -> Option<String> { callable.getattr(attribute).ok()?.extract().ok() };
    let name = text("__qualname__")?;
    reason(&text("__module__").unwrap_or_default(), &name)
}

/// How many wrappers are looked through.
const WRAPPED: usize = 32;

/// What calling this one calls.
fn wrapped<'py>(callable: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let functools = callable.py().import("functools").ok()?;
    if callable.is_instance(&functools.getattr("partial").ok()?).ok()? {
        return callable.getattr("func").ok();
    }
    let name: String = callable.getattr_opt("__name__").ok()??.extract().ok()?;
    let bound = callable.getattr_opt("__self__").ok()??;
    (name == "__call__" && bound.is_callable()).then_some(bound)
}

/// Types that do not say by their name what they are, and objects of those that look up.
fn reason_of_type(callable: &Bound<'_, PyAny>) -> Option<&'static str> {
    let py = callable.py();
    if let Ok(class) = callable.cast::<PyType>() {
        if class.is_subclass_of::<PyType>().ok()? {
            return Some(RUNS);
        }
        let types = py.import("types").ok()?;
        let is_code = ["FunctionType", "MethodType", "CodeType", "ModuleType"]
            .iter()
            .any(|name| types.getattr(*name).is_ok_and(|known| known.is(class)));
        return is_code.then_some(RUNS);
    }
    let operator = py.import("operator").ok()?;
    let looks_up = ["attrgetter", "itemgetter", "methodcaller"].iter().any(|name| {
        operator.getattr(*name).is_ok_and(|known| callable.is_instance(&known).unwrap_or(false))
    });
    looks_up.then_some(LOOKS_UP)
}

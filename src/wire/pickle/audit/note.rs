//! What is known of names that pickles ask for. Nothing is judged by this: what is not in the table is
//! no better or worse for it.

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// What calling it does.
    pub text: &'static str,
    /// Whether it is known from pickles that do harm. That another one is not says nothing.
    pub gadget: bool,
}

/// What is known of a name in a module, as any version of Python calls it.
pub fn note(module: &str, name: &str) -> Option<Note> {
    // `os` holds `path` holds `join`: what is known of the beginning holds of the rest.
    let first = name.split('.').next().unwrap_or(name);
    let find = |table: &[(&[&str], &[&str], &'static str)]| {
        table
            .iter()
            .find(|(modules, names, _)| {
                modules.iter().any(|known| is_module(known, module))
                    && (names.is_empty() || names.contains(&name) || names.contains(&first))
            })
            .map(|&(_, _, text)| text)
    };
    let gadget = find(GADGETS).map(|text| Note { text, gadget: true });
    gadget.or_else(|| find(ORDINARY).map(|text| Note { text, gadget: false }))
}

/// `x.*` is a module and all in it.
fn is_module(known: &str, module: &str) -> bool {
    match known.strip_suffix(".*") {
        Some(package) => module
            .strip_prefix(package)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        None => known == module,
    }
}

type Rows = [(&'static [&'static str], &'static [&'static str], &'static str)];

const BUILTINS: &[&str] = &["builtins", "__builtin__"];
const SYSTEM: &[&str] = &["os", "posix", "nt"];
const ALL: &[&str] = &[];

/// The more exact row comes first.
static GADGETS: &Rows = &[
    (SYSTEM, &["system", "popen", "popen2", "popen3", "popen4"], "runs a command in a shell"),
    (
        SYSTEM,
        &[
            "execl",
            "execle",
            "execlp",
            "execlpe",
            "execv",
            "execve",
            "execvp",
            "execvpe",
            "posix_spawn",
            "posix_spawnp",
            "spawnl",
            "spawnle",
            "spawnlp",
            "spawnlpe",
            "spawnv",
            "spawnve",
            "spawnvp",
            "spawnvpe",
            "startfile",
            "fork",
            "forkpty",
        ],
        "starts a program",
    ),
    (SYSTEM, &["remove", "unlink", "rmdir", "removedirs"], "deletes files"),
    (
        SYSTEM,
        &[
            "rename", "replace", "chmod", "chown", "link", "symlink", "truncate", "mkdir",
            "makedirs",
        ],
        "changes files",
    ),
    (SYSTEM, &["open", "write", "read", "listdir", "scandir", "walk"], "reads or writes files"),
    (SYSTEM, &["putenv", "unsetenv", "environ", "getenv"], "reads or changes the environment"),
    (SYSTEM, &["kill", "killpg", "abort", "_exit"], "ends processes"),
    (
        &["subprocess", "_posixsubprocess", "commands", "popen2", "asyncio.subprocess"],
        ALL,
        "starts a program",
    ),
    (&["pty"], ALL, "starts a program in a terminal"),
    (&["pexpect.*", "sh", "fabric.*", "paramiko.*"], ALL, "starts a program, here or elsewhere"),
    (BUILTINS, &["eval", "exec", "execfile"], "runs source text as Python"),
    (BUILTINS, &["compile"], "compiles source text to code"),
    (BUILTINS, &["__import__", "reload"], "imports a module"),
    (BUILTINS, &["getattr"], "reaches any attribute of an object"),
    (BUILTINS, &["setattr", "delattr"], "changes any attribute of an object"),
    (BUILTINS, &["globals", "locals", "vars", "dir"], "reaches the names of a scope"),
    (BUILTINS, &["open", "file"], "opens a file"),
    (
        BUILTINS,
        &["input", "raw_input", "breakpoint", "help"],
        "waits for a person, or starts a debugger",
    ),
    (BUILTINS, &["map", "filter", "apply"], "calls what it is given"),
    (BUILTINS, &["type"], "makes a class"),
    (
        &["io", "_io", "codecs", "tempfile"],
        &["open", "open_code", "FileIO", "NamedTemporaryFile", "mkstemp"],
        "opens a file",
    ),
    (&["importlib.*", "imp", "zipimport", "pkgutil", "runpy"], ALL, "imports or runs a module"),
    (
        &["pydoc"],
        &["locate", "safeimport", "pipepager", "tempfilepager"],
        "imports a module, or starts a program",
    ),
    (
        &["operator", "_operator"],
        &["attrgetter", "methodcaller"],
        "reaches or calls any attribute of an object",
    ),
    (&["operator", "_operator"], &["call"], "calls what it is given"),
    (
        &["operator", "_operator"],
        &["itemgetter", "setitem", "delitem"],
        "reaches into or changes a container",
    ),
    (
        &["functools", "_functools"],
        &["partial", "partialmethod"],
        "binds arguments to a function, to be called",
    ),
    (&["functools", "_functools"], &["reduce"], "calls what it is given"),
    (&["itertools"], &["starmap", "accumulate"], "calls what it is given"),
    (
        &["types", "new"],
        &["CodeType", "FunctionType", "LambdaType", "code", "function"],
        "makes a function of byte code",
    ),
    (
        &["code", "codeop", "bdb", "pdb", "cProfile", "profile", "trace", "timeit", "doctest"],
        ALL,
        "runs source text as Python",
    ),
    (&["marshal"], ALL, "reads byte code"),
    (
        &[
            "pickle",
            "_pickle",
            "cPickle",
            "dill.*",
            "cloudpickle.*",
            "joblib.*",
            "shelve",
            "jsonpickle.*",
        ],
        &["loads", "load", "_loads", "_load", "Unpickler", "open", "decode", "DbfilenameShelf"],
        "loads another pickle, which may ask for anything",
    ),
    (&["dill.*", "cloudpickle.*"], ALL, "makes functions and classes of byte code"),
    (
        &["torch.*"],
        &["load", "_load", "_load_from_bytes"],
        "loads another pickle, which may ask for anything",
    ),
    (&["torch.*"], &["_inductor", "compile_file", "load_inline"], "compiles or runs code"),
    (&["numpy.*"], &["load", "loads"], "loads another pickle, which may ask for anything"),
    (&["numpy.testing.*"], &["runstring"], "runs source text as Python"),
    (&["pandas.*"], &["read_pickle", "eval"], "loads another pickle, or evaluates text"),
    (&["sklearn.*"], &["load"], "loads another pickle, which may ask for anything"),
    (
        &["yaml.*"],
        &["load", "load_all", "unsafe_load", "full_load"],
        "loads YAML, which may ask for anything",
    ),
    (&["ctypes.*", "_ctypes", "cffi.*"], ALL, "reaches into memory and system libraries"),
    (&["socket", "_socket", "ssl", "asyncio.*"], ALL, "opens a connection, or runs what does"),
    (
        &[
            "urllib.*",
            "urllib2",
            "http.*",
            "httplib",
            "requests.*",
            "httpx.*",
            "aiohttp.*",
            "ftplib",
            "smtplib",
            "telnetlib",
            "imaplib",
            "poplib",
            "xmlrpc.*",
        ],
        ALL,
        "speaks to other machines",
    ),
    (&["webbrowser"], ALL, "opens a browser"),
    (&["shutil"], ALL, "copies, moves or deletes files"),
    (
        &["pathlib.*"],
        &["Path.unlink", "Path.write_text", "Path.write_bytes", "Path.rmdir", "Path.open"],
        "changes files",
    ),
    (
        &["sys"],
        &[
            "modules",
            "path",
            "meta_path",
            "path_hooks",
            "settrace",
            "setprofile",
            "exit",
            "_getframe",
        ],
        "reaches into the interpreter",
    ),
    (&["inspect", "gc", "atexit", "signal", "faulthandler"], ALL, "reaches into the interpreter"),
    (
        &["threading", "_thread", "thread", "multiprocessing.*", "concurrent.*"],
        &["Thread", "start_new_thread", "start_new", "Process", "Timer", "Pool"],
        "runs what it is given beside the program",
    ),
    (
        &["pip.*", "setuptools.*", "distutils.*", "ensurepip", "venv"],
        ALL,
        "installs or builds software",
    ),
    (&["platform"], &["popen"], "runs a command in a shell"),
    (&["weakref", "_weakref"], &["finalize"], "calls what it is given, later"),
    (&["logging.config"], ALL, "makes whatever objects a configuration names"),
    (&["sqlite3.*"], ALL, "opens a database file"),
];

static ORDINARY: &Rows = &[
    (
        &["collections"],
        &["OrderedDict", "defaultdict", "Counter", "deque", "ChainMap", "UserDict", "UserList"],
        "builds a container",
    ),
    (
        &["datetime", "_datetime"],
        &["datetime", "date", "time", "timedelta", "timezone"],
        "builds a date, a time or a zone",
    ),
    (&["zoneinfo", "zoneinfo.*", "pytz", "dateutil.*"], ALL, "builds a time zone"),
    (&["decimal", "_decimal"], &["Decimal"], "builds a decimal number"),
    (&["fractions"], &["Fraction"], "builds a fraction"),
    (&["uuid"], &["UUID", "SafeUUID"], "builds a UUID"),
    (&["ipaddress"], ALL, "builds an IP address or network"),
    (
        &["pathlib.*"],
        &["Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"],
        "builds a path, and touches no file",
    ),
    (
        BUILTINS,
        &[
            "complex",
            "int",
            "float",
            "str",
            "bool",
            "list",
            "tuple",
            "dict",
            "set",
            "frozenset",
            "bytes",
            "bytearray",
            "slice",
            "range",
            "xrange",
            "object",
            "unicode",
            "long",
        ],
        "builds a builtin value",
    ),
    (&["_codecs"], &["encode"], "encodes text"),
    (
        &["copyreg", "copy_reg"],
        &["_reconstructor", "__newobj__", "__newobj_ex__"],
        "builds an object of the class it is given",
    ),
    (&["types"], &["SimpleNamespace", "MappingProxyType"], "builds a namespace"),
    (&["array"], ALL, "builds an array of numbers"),
    (
        &["numpy.*"],
        &["_reconstruct", "scalar", "ndarray", "dtype", "_frombuffer", "_convert_to_ufunc"],
        "builds an array, a number or a type of one",
    ),
    (&["numpy.random.*"], ALL, "builds a generator of random numbers"),
    (&["pandas.*"], ALL, "builds a table, a column or an index"),
    (&["scipy.*", "sklearn.*"], ALL, "builds a matrix or a model"),
    (
        &["torch.*"],
        &[
            "_rebuild_tensor",
            "_rebuild_tensor_v2",
            "_rebuild_parameter",
            "FloatStorage",
            "LongStorage",
            "HalfStorage",
            "DoubleStorage",
            "IntStorage",
            "ByteStorage",
            "Size",
            "device",
        ],
        "builds a tensor, or names where its numbers are",
    ),
    (&["enum"], ALL, "builds a member of an enumeration"),
    (&["re", "_compile"], &["_compile"], "compiles a regular expression"),
    (&["logging"], &["LogRecord", "makeLogRecord"], "builds a log record"),
];

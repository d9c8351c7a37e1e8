//! How many sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a process has open beside its sockets: its files, its runtime, what it was started with.
const OTHERS: u64 = 64;

/// Lets the process open so many sockets, as far as the system's hard limit allows.
///
/// The soft limit is often 1024, for the sake of programs that use `select(2)`. It is raised no further
/// than needed: the commands that we start inherit it.
pub fn make_room(sockets: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = OTHERS.saturating_add(sockets as u64);
    let allowed = maximum.map_or(needed, |maximum| needed.min(maximum));
    if current.is_some_and(|current| current < allowed) {
        // Where it is refused, the sockets that cannot be opened will say so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum });
    }
}

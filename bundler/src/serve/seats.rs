//! Who may connect: so many at once, and no machine takes the place of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, PoisonError};

/// How many connections are served at once. Others wait.
const MOST: usize = 256;

/// How many of them one machine has.
const OF_ONE: usize = 32;

/// The connections that are taken.
#[derive(Default)]
pub(super) struct Seats {
    taken: Mutex<HashMap<IpAddr, usize>>,
    freed: Condvar,
}

/// The place of one connection, until it is dropped.
pub(super) struct Seat<'a> {
    seats: &'a Seats,
    client: IpAddr,
}

impl Seats {
    /// Waits for a place. None if this machine has too many already.
    pub(super) fn take(&self, client: IpAddr) -> Option<Seat<'_>> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |taken: &mut HashMap<IpAddr, usize>| taken.values().sum::<usize>() >= MOST;
        let free = self.freed.wait_while(taken, is_full);
        let mut taken = free.unwrap_or_else(PoisonError::into_inner);
        let own = taken.entry(client).or_default();
        if *own >= OF_ONE {
            return None;
        }
        *own += 1;
        Some(Seat { seats: self, client })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.client) {
            *own -= 1;
        }
        taken.retain(|_, own| *own > 0);
        self.seats.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_with_many_connections_leaves_some_to_others() {
        let seats = Seats::default();
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let mut taken: Vec<_> = (0..OF_ONE).map(|_| seats.take(one).unwrap()).collect();
        assert!(seats.take(one).is_none());
        assert!(seats.take(other).is_some());
        taken.pop();
        assert!(seats.take(one).is_some());
    }
}

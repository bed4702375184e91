//! What is done to a cluster of one master and one worker, in which order.

use std::fmt;

use fastrand::Rng;

/// Where the nodes have the new bundle.
pub(super) const NEW: &str = "/media/usb/new.tar";

/// What an operator does to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// The worker gets the new images.
    Images,
    MasterForward,
    WorkerForward,
    WorkerBack,
    MasterBack,
}

impl Move {
    /// All of them, in an order that is a way there and back.
    pub(super) const ALL: [Self; 5] = [
        Self::Images,
        Self::MasterForward,
        Self::WorkerForward,
        Self::WorkerBack,
        Self::MasterBack,
    ];

    /// What is typed.
    pub(super) fn line(self) -> &'static [&'static str] {
        match self {
            Self::Images => &["upgrade", "--images", "--bundle", NEW],
            Self::MasterForward => &["upgrade", "--yes", "--bundle", NEW],
            // Its pods have nowhere to go.
            Self::WorkerForward => &["upgrade", "--yes", "--bundle", NEW, "--no-drain"],
            Self::MasterBack | Self::WorkerBack => &["upgrade", "--yes", "--back"],
        }
    }

    /// Whether it is done to the master.
    pub(super) fn is_of_master(self) -> bool {
        matches!(self, Self::MasterForward | Self::MasterBack)
    }

    /// Whether it can be taken back.
    pub(super) fn is_forward(self) -> bool {
        matches!(self, Self::MasterForward | Self::WorkerForward)
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Images => "images to the worker",
            Self::MasterForward => "the master forward",
            Self::WorkerForward => "the worker forward",
            Self::WorkerBack => "the worker back",
            Self::MasterBack => "the master back",
        })
    }
}

/// How far the cluster is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) has_images: bool,
    pub(super) is_master_new: bool,
    pub(super) is_worker_new: bool,
}

impl State {
    /// A move that can come next.
    fn next(self, random: &mut Rng) -> Move {
        match self {
            Self { has_images: false, .. } => Move::Images,
            Self { is_master_new: false, .. } => Move::MasterForward,
            Self { is_worker_new: true, .. } => Move::WorkerBack,
            Self { .. } if random.bool() => Move::WorkerForward,
            Self { .. } => Move::MasterBack,
        }
    }

    /// The state after a move.
    pub(super) fn after(self, step: Move) -> Self {
        match step {
            Move::Images => Self { has_images: true, ..self },
            Move::MasterForward => Self { is_master_new: true, ..self },
            Move::WorkerForward => Self { is_worker_new: true, ..self },
            Move::WorkerBack => Self { is_worker_new: false, ..self },
            // The new images are taken away then, so that they come once more.
            Move::MasterBack => Self::default(),
        }
    }
}

/// One power loss. All are drawn before it is known how the earlier ones end, so that each
/// can be done again alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) before: State,
    pub(super) step: Move,
    /// The part of the move's time after which the power goes.
    pub(super) part: f64,
    /// Whether the node goes back after the loss, and not on.
    pub(super) gives_up: bool,
}

impl Round {
    /// The state after it.
    pub(super) fn after(&self) -> State {
        if self.gives_up { self.before } else { self.before.after(self.step) }
    }
}

/// The rounds of a seed.
pub(super) fn rounds(seed: u64) -> impl Iterator<Item = Round> {
    let (mut random, mut state) = (Rng::with_seed(seed), State::default());
    std::iter::repeat_with(move || {
        let step = state.next(&mut random);
        let (part, gives_up) = (random.f64(), random.u8(..4) == 0 && step.is_forward());
        let round = Round { before: state, step, part, gives_up };
        state = round.after();
        round
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_follow_each_other_and_come_again() {
        let all: Vec<Round> = rounds(1).take(60).collect();
        for pair in all.windows(2) {
            assert_eq!(pair[0].after(), pair[1].before);
        }
        for step in Move::ALL {
            assert!(all.iter().filter(|round| round.step == step).count() > 3, "{step}");
        }
        assert!(all.iter().any(|round| round.gives_up));
        let again: Vec<f64> = rounds(1).take(60).map(|round| round.part).collect();
        assert_eq!(again, all.iter().map(|round| round.part).collect::<Vec<_>>());
    }
}

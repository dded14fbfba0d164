//! The desk: where commands are handed in, and whoever finds nobody at it carries them out.
//!
//! Handing a command to another thread and its answer back takes as long as a fast disk takes to write it. So the sequencer
//! is a future that lies on the desk. Whoever hands something in and finds it lying there polls it: the one who asks decides
//! and writes what has gathered, his own command and those of others, and goes on with his own answer. A task of the node
//! does the same whenever the sequencer has waited for something, or more has come meanwhile.
//!
//! **Invariants:** the sequencer belongs to the desk, not to the request whose thread it runs on, so dropping a request
//! takes nothing back; it is polled by one at a time; one who polls it carries out what has gathered once, not what others
//! go on handing in; what is handed in is always seen, by the one at the desk or by the node's task.

use crate::error::Error;
use crate::sequencer::Work;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::Notify;

/// The sequencer under way.
type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where commands are handed in.
pub(crate) struct Desk {
    inbox: Arc<Inbox>,
    /// `None` before it was begun, while it is polled, and once it has ended.
    sequencer: Mutex<Option<Running>>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// What was handed in and not taken up.
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// The sequencer waits for something to be handed in, and for nothing else.
    waits: AtomicBool,
}

struct State {
    work: VecDeque<Work>,
    most: usize,
    open: bool,
}

impl State {
    /// There is work, or there never will be.
    fn is_ready(&self) -> bool {
        !self.work.is_empty() || !self.open
    }
}

/// Calls the node's task to the desk.
#[derive(Default)]
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.notify_one();
    }
}

impl Desk {
    /// A desk on which `most` things may lie. Nobody is at it before [`Desk::begin`].
    pub(crate) fn new(most: usize) -> Self {
        let bell = Arc::new(Bell::default());
        let state = State { work: VecDeque::new(), most, open: true };
        Self {
            inbox: Arc::new(Inbox { state: Mutex::new(state), waits: AtomicBool::new(false) }),
            sequencer: Mutex::new(None),
            waker: Waker::from(bell.clone()),
            bell,
        }
    }

    /// Puts the sequencer that `run` makes of the inbox on the desk.
    pub(crate) fn begin<F>(&self, run: impl FnOnce(Arc<Inbox>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        *self.sequencer() = Some(Box::pin(run(self.inbox.clone())));
        self.bell.0.notify_one();
    }

    /// Hands `work` in, and carries it out if nobody else is at it.
    pub(crate) fn hand_in(&self, work: Work) -> Result<(), Error> {
        self.inbox.put(work)?;
        self.attend();
        Ok(())
    }

    /// Lets the sequencer go on, unless somebody else does already.
    fn attend(&self) {
        let mut sequencer = match self.sequencer.try_lock() {
            Ok(sequencer) => sequencer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        // Taken out: one that panics is not polled again.
        let Some(mut running) = sequencer.take() else { return };
        match running.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => *sequencer = Some(running),
            Poll::Ready(()) => return,
        }
        drop(sequencer);
        // Whoever handed something in while the lock was held has gone away again.
        if self.inbox.waits.load(Ordering::SeqCst) && self.inbox.state().is_ready() {
            self.bell.0.notify_one();
        }
    }

    /// Comes to the desk whenever the bell rings. For the node's task; never ready.
    pub(crate) async fn attend_always(&self) {
        loop {
            self.bell.0.notified().await;
            self.attend();
        }
    }

    /// Throws everything away, as a crash would. Waits until whoever is at the desk has left it.
    pub(crate) fn abandon(&self) {
        self.inbox.close();
        drop(self.sequencer().take());
        self.inbox.state().work.clear();
    }

    fn sequencer(&self) -> MutexGuard<'_, Option<Running>> {
        self.sequencer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.state().open = false;
    }

    /// Waits for work and moves at most `most` of it to `gathered`; nothing, once the inbox is closed and empty.
    pub(crate) async fn gather(&self, most: usize, gathered: &mut Vec<Work>) {
        poll_fn(|_| {
            let mut state = self.state();
            let ready = state.is_ready();
            self.waits.store(!ready, Ordering::SeqCst);
            if !ready {
                return Poll::Pending;
            }
            let count = state.work.len().min(most);
            gathered.extend(state.work.drain(..count));
            Poll::Ready(())
        })
        .await;
    }

    /// Leaves the desk to the next one who comes, once.
    pub(crate) async fn leave(&self) {
        let mut left = false;
        poll_fn(|_| {
            self.waits.store(!left, Ordering::SeqCst);
            if std::mem::replace(&mut left, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn put(&self, work: Work) -> Result<(), Error> {
        let mut state = self.state();
        if !state.open {
            return Err(Error::Busy("shutting down"));
        }
        if state.work.len() >= state.most && !matches!(work, Work::Finish(_)) {
            return Err(Error::Busy("too many commands are waiting"));
        }
        state.work.push_back(work);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

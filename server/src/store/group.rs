//! SQLite's one writer. Transactions that wait for it become durable together, by one commit: each is a savepoint within
//! it, so that one that is given up leaves the others as they are. Nobody is told "done" before the commit.

use std::sync::Arc;

use sqlx::Connection as _;
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, oneshot},
};

use super::Connection;

/// Hands the connection from one transaction to the next, in the order in which they asked.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<Group>>);

/// Begins a commit's transactions with the first of them. All of them together are a savepoint too: it is gone where
/// SQLite gives the whole transaction up by itself, as on a full disk; then nobody is told "done".
const OPEN: &str = "BEGIN IMMEDIATE; SAVEPOINT all_members; SAVEPOINT member";

/// The transactions of one commit.
struct Group {
    conn: Connection,
    state: State,
    /// A transaction has begun within it, and is neither through nor undone.
    has_begun: bool,
    /// Those that are through, and wait for the commit.
    members: Vec<oneshot::Sender<Result<(), String>>>,
}

/// How far the commit is that is being prepared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has begun.
    Idle,
    /// It is beginning; where it stays so, that failed.
    Beginning,
    /// There is a savepoint of the last transaction that began.
    Open,
    /// There will be none any more.
    Closed,
}

/// A transaction that has its turn. Dropped, it leaves no trace.
pub struct Turn {
    group: OwnedMutexGuard<Group>,
    writer: Writer,
}

impl Writer {
    /// For a connection that nobody else writes with.
    pub fn new(conn: Connection) -> Self {
        let (has_begun, members) = Default::default();
        Self(Arc::new(Mutex::new(Group { conn, state: State::Idle, has_begun, members })))
    }

    /// Waits for its turn.
    pub async fn turn(&self) -> sqlx::Result<Turn> {
        let mut turn = Turn { group: self.0.clone().lock_owned().await, writer: self.clone() };
        turn.group.begin().await?;
        Ok(turn)
    }

    /// Makes durable what is through. Queues like everybody else: whoever asked before is in the same commit.
    async fn flush(&self) {
        self.0.lock().await.commit().await;
    }

    /// Runs a statement that is part of no transaction.
    pub async fn alone(&self, sql: &'static str, argument: &str) -> sqlx::Result<()> {
        let mut group = self.0.lock().await;
        group.commit().await;
        sqlx::query(sql).bind(argument).execute(&mut group.conn).await.map(drop)
    }

    /// Takes no more, once all that is through is durable and in the database's own file, and closes it: whoever copies
    /// the file afterwards finds all of it there, and nothing beside it.
    pub async fn close(&self) {
        let mut group = self.0.lock().await;
        group.commit().await;
        group.state = State::Closed;
        // Where that fails, the next start does it.
        let _ = group.run("PRAGMA wal_checkpoint(TRUNCATE)").await;
        // Dropped, the file would be closed some time later.
        if let Ok(nothing) = Connection::connect("sqlite::memory:").await {
            let _ = std::mem::replace(&mut group.conn, nothing).close().await;
        }
    }
}

impl Turn {
    /// The connection to write with.
    pub fn conn(&mut self) -> &mut Connection {
        &mut self.group.conn
    }

    /// Waits until what was written is durable.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        // Its savepoint is released by whoever comes next, or by the commit.
        self.group.has_begun = false;
        let (told, hear) = oneshot::channel();
        self.group.members.push(told);
        if self.group.members.len() == 1 {
            let writer = self.writer.clone();
            tokio::spawn(async move { writer.flush().await });
        }
        // The next one's turn.
        drop(self);
        match hear.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(sqlx::Error::Io(std::io::Error::other(why))),
            Err(_) => Err(sqlx::Error::WorkerCrashed),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Undone by whoever comes next; that is the flush, where nobody waits.
        if let (true, Ok(runtime)) = (self.group.has_begun, Handle::try_current()) {
            let writer = self.writer.clone();
            runtime.spawn(async move { writer.flush().await });
        }
    }
}

impl Group {
    async fn run(&mut self, sql: &'static str) -> sqlx::Result<()> {
        sqlx::query(sql).execute(&mut self.conn).await.map(drop)
    }

    /// Runs statements up to the first that fails.
    async fn run_all(&mut self, sql: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(sql).execute(&mut self.conn).await.map(drop)
    }

    /// Takes the write lock at once: a transaction that reads first and writes later fails BUSY when another process
    /// wrote in between.
    async fn begin(&mut self) -> sqlx::Result<()> {
        self.undo().await;
        // In one call: each costs a change of threads.
        let begin = match self.state {
            State::Closed => return Err(sqlx::Error::PoolClosed),
            State::Idle | State::Beginning => OPEN,
            State::Open => "RELEASE member; SAVEPOINT member",
        };
        if self.state == State::Idle {
            self.state = State::Beginning;
        }
        self.has_begun = true;
        self.run_all(begin).await?;
        self.state = State::Open;
        Ok(())
    }

    /// Undoes a transaction that was given up. Where that can't be told from the others, all of them are undone.
    async fn undo(&mut self) {
        if !std::mem::take(&mut self.has_begun) {
            return;
        }
        if self.state != State::Open || self.run("ROLLBACK TO member").await.is_err() {
            self.abandon("another transaction of the same commit failed").await;
        }
    }

    async fn commit(&mut self) {
        self.undo().await;
        if self.state != State::Open {
            return;
        }
        if let Err(error) = self.run_all("RELEASE all_members; COMMIT").await {
            return self.abandon(&error.to_string()).await;
        }
        self.state = State::Idle;
        for member in self.members.drain(..) {
            // Whoever asked may be gone.
            let _ = member.send(Ok(()));
        }
    }

    async fn abandon(&mut self, why: &str) {
        // There may be nothing to roll back any more.
        let _ = self.run("ROLLBACK").await;
        self.state = State::Idle;
        for member in self.members.drain(..) {
            let _ = member.send(Err(why.to_owned()));
        }
    }
}

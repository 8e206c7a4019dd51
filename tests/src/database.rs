//! The backend's database: a file among its data, or one of its own on the server that `SENTRI_TEST_DATABASE` names.

use sentri_server::bench;

use crate::Trouble;

const UNUSABLE: Trouble = Trouble::Unexpected("SENTRI_TEST_DATABASE names no usable server");

/// A fresh one; absent where the backend keeps a file.
pub async fn fresh() -> Result<Option<String>, Trouble> {
    let Ok(server) = std::env::var("SENTRI_TEST_DATABASE") else { return Ok(None) };
    bench::add_database(&server).await.map(Some).map_err(|_| UNUSABLE)
}

/// A copy of a database on a server, deleted when this is dropped: a test makes hundreds.
pub struct Copy {
    url: String,
}

impl Copy {
    /// Copies one that nobody is using.
    pub async fn of(original: &str) -> Result<Self, Trouble> {
        Ok(Self { url: bench::copy_database(original).await.map_err(|_| UNUSABLE)? })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let url = std::mem::take(&mut self.url);
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(bench::drop_database(&url)))
        });
        // One that stays goes with its server.
        drop(deleting.join());
    }
}

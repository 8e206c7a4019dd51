//! What a shell supplies: the radio and the platform's key store.

/// Why the radio refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum LinkError {
    /// Bluetooth is switched off.
    #[error("Bluetooth is switched off.")]
    PoweredOff,
    /// The user has not allowed the app to use Bluetooth.
    #[error("The app is not allowed to use Bluetooth.")]
    NotAllowed,
    /// The device has no Bluetooth Low Energy.
    #[error("The device has no Bluetooth Low Energy.")]
    Unsupported,
    /// Any other reason, among them a failure of the adapter itself.
    #[error("Bluetooth failed.")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for LinkError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// The radio, as a shell adapts it. Commands go in and return at once; what comes of them is told to
/// `LinkEvents`. Reconnects, deadlines, fragments and retries are the core's, never the adapter's.
///
/// The core calls from a background thread, one command at a time, and waits at most two seconds for one to
/// return. UUIDs of service and characteristics are in `docs/protocol.md`, section 5.
#[uniffi::export(rust, foreign)]
pub trait LockLink: Send + Sync + 'static {
    /// Looks for the lock service; each advert heard goes to `LinkEvents.advert`, repeats included. Where a first
    /// connection has failed the core searches on while it connects again; one open begins two searches at most.
    fn start_scan(&self) -> Result<(), LinkError>;

    /// Ends the search. Fine where there is none.
    fn stop_scan(&self) -> Result<(), LinkError>;

    /// Connects, discovers the service, subscribes to the notifying characteristic, and only then tells
    /// `LinkEvents.connected`. `peer` is the adapter's own name of the device, as told with its advert.
    fn connect(&self, peer: String) -> Result<(), LinkError>;

    /// Writes one attribute value without response, at most MTU − 3 bytes. Values leave in the order written.
    fn write(&self, peer: String, value: Vec<u8>) -> Result<(), LinkError>;

    /// Drops the connection, or the attempt at one. Fine where there is none.
    fn disconnect(&self, peer: String) -> Result<(), LinkError>;
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DisconnectReason {
    /// The core asked for it.
    Requested,
    /// The lock ended it.
    ByLock,
    /// The radio lost it.
    Lost,
    /// It never came about.
    NotConnected,
}

/// Why the key store refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum SecureStoreError {
    /// The device is locked, or was not unlocked since it started: later it will work.
    #[error("The device must be unlocked first.")]
    Locked,
    /// Any other reason, among them a failure of the adapter itself.
    #[error("The key store failed.")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for SecureStoreError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// The platform's key store: small items that never leave this device and are in no backup (on iOS
/// `kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly`, on Android a file sealed by a key of the Android Keystore).
///
/// The core calls from a background thread and waits at most five seconds. A value is at most 16 kB.
#[uniffi::export(rust, foreign)]
pub trait SecureStore: Send + Sync + 'static {
    /// The item, or nothing where there is none.
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, SecureStoreError>;

    /// Stores the item durably, over any former one, before it returns.
    fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError>;

    /// Destroys the item. Fine where there is none.
    fn remove(&self, key: String) -> Result<(), SecureStoreError>;
}

//! Keys of issuers and transmitters.

use alloc::vec::Vec;

/// A JWS algorithm that this engine knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

/// The keys of one issuer.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    /// The keys.
    pub keys: Vec<()>,
}

//! Why a SET is rejected, in the words of the protocol.

use alloc::string::String;

/// Error codes of RFC 8935 §2.4, as this engine gives them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorCode {
    /// Cannot be parsed as a SET, or an event payload does not conform.
    InvalidRequest,
    /// The key is unknown or unacceptable.
    InvalidKey,
    /// The issuer is not a configured transmitter.
    InvalidIssuer,
    /// The audience is somebody else.
    InvalidAudience,
    /// The signature does not verify.
    AuthenticationFailed,
    /// The transmitter may not speak for the subject.
    AccessDenied,
}

impl ErrorCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidKey => "invalid_key",
            Self::InvalidIssuer => "invalid_issuer",
            Self::InvalidAudience => "invalid_audience",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AccessDenied => "access_denied",
        }
    }
}

/// A SET that was not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{description} [{}]", .code.as_str())]
pub struct Rejection {
    /// What kind of fault it is.
    pub code: ErrorCode,
    /// One line that names the fault; quotes names, never contents.
    pub description: String,
}

impl Rejection {
    pub(super) fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }
}

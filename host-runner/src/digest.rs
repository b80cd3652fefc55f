//! SHA-256, from the cryptography that also checks signatures.

use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::jwk::ThumbprintHash;

/// The SHA-256 of `parts`, each preceded by its length, so that no two lists of parts give the same bytes.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut text = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(8)).sum());
    for part in parts {
        text.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        text.extend_from_slice(part);
    }
    sha256_of(&text)
}

/// The SHA-256 of these bytes.
#[must_use]
pub fn sha256_of(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    // The function knows SHA-256 and cannot fail for it.
    let computed =
        (aws_lc::DEFAULT_PROVIDER.key_utils.compute_digest)(bytes, ThumbprintHash::SHA256)
            .unwrap_or_default();
    for (to, from) in digest.iter_mut().zip(computed) {
        *to = from;
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(sha256(&[b"ab", b"c"]), sha256(&[b"a", b"bc"]));
        assert_ne!(sha256(&[b"abc"]), sha256(&[b"abc", b""]));
        assert_eq!(sha256(&[b"abc"]), sha256(&[b"abc"]));
        assert_ne!(sha256(&[]), [0; 32]);
    }
}

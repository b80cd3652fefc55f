//! The client address behind a known number of proxies (RFC 7239 `Forwarded`, and the older `X-Forwarded-For`).
//!
//! Every proxy appends the address that connected to it. What the operator's own proxies appended can be believed;
//! what stands before it is what the client sent, and is never read. So the address is counted from the right: behind
//! one proxy it is the last one, behind two the last but one. Which of the two headers the proxies write is for
//! the operator to say, because the other one is the client's.
//!
//! ```
//! use cae_core::forwarded::{ForwardingHeader, client_address};
//!
//! let peer = "10.0.0.1".parse()?;
//! let header = ["203.0.113.9, 198.51.100.7"];
//! let behind = |proxies| client_address(peer, ForwardingHeader::XForwardedFor, &header, proxies);
//! assert_eq!(behind(0)?, peer);
//! assert_eq!(behind(1)?.to_string(), "198.51.100.7");
//! assert!(behind(3).is_err(), "three proxies would have left three addresses");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::policy::address::parse_address;

/// The header that the operator's proxies append to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForwardingHeader {
    /// RFC 7239.
    Forwarded,
    /// `X-Forwarded-For`: addresses separated by commas.
    XForwardedFor,
}

/// Why there is no client address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardedError {
    /// Fewer entries than trusted proxies: one of them did not append, or the request did not pass all of them.
    #[error("the header has fewer entries than there are trusted proxies")]
    TooFew,
    /// The entry is no address: `unknown`, an obfuscated name, or text that cannot be read.
    #[error("the entry of the outermost trusted proxy is no address")]
    NoAddress,
    /// The header does not follow its grammar, so that two readers could count differently.
    #[error("the header is malformed")]
    Malformed,
    /// The header is longer than any chain of proxies makes it.
    #[error("the header is longer than {} bytes", MOST_BYTES)]
    TooLong,
}

/// Most bytes of all values together.
const MOST_BYTES: usize = 8 << 10;

/// The address of the client that is `trusted_proxies` hops away, the peer of the connection being the last of them.
///
/// `values` are the values of all header fields of that name, in their order; they form one list.
///
/// # Errors
/// There is no such entry, or it is no address: the request then has no client address, which is never a reason to
/// let it pass.
pub fn client_address(
    peer: IpAddr,
    header: ForwardingHeader,
    values: &[&str],
    trusted_proxies: usize,
) -> Result<IpAddr, ForwardedError> {
    if trusted_proxies == 0 {
        return Ok(peer.to_canonical());
    }
    let bytes = values
        .iter()
        .fold(0_usize, |sum, value| sum.saturating_add(value.len()));
    if bytes > MOST_BYTES {
        return Err(ForwardedError::TooLong);
    }
    let mut hops = Vec::new();
    for value in values {
        match header {
            ForwardingHeader::XForwardedFor => hops.extend(value.split(',').map(hop)),
            ForwardingHeader::Forwarded => elements(value, &mut hops)?,
        }
    }
    hops.into_iter()
        .rev()
        .nth(trusted_proxies.saturating_sub(1))
        .ok_or(ForwardedError::TooFew)?
        .ok_or(ForwardedError::NoAddress)
}

/// One entry: an address, with a port perhaps, IPv6 in brackets perhaps. The unspecified address is no client.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches([' ', '\t']);
    let (address, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        // Only IPv6 stands in brackets.
        if !address.contains(':') {
            return None;
        }
        let port = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(':')?),
        };
        (address, port)
    } else {
        match text.split_once(':') {
            // One colon is a port; several are an IPv6 address without one.
            Some((address, port)) if !port.contains(':') => (address, Some(port)),
            _ => (text, None),
        }
    };
    if !port.is_none_or(is_port) {
        return None;
    }
    parse_address(address).filter(|address| !address.is_unspecified())
}

/// SPEC: RFC 7239 §6: `node-port = port / obfport`.
fn is_port(port: &str) -> bool {
    match port.strip_prefix('_') {
        Some(name) => {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !name.is_empty() && name.bytes().all(allowed)
        }
        None => {
            (1..=5).contains(&port.len())
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok()
        }
    }
}

/// The `for` parameters of the elements of one `Forwarded` value (RFC 7239 §4), `None` where there is none that is an
/// address.
fn elements(value: &str, hops: &mut Vec<Option<IpAddr>>) -> Result<(), ForwardedError> {
    let mut rest = value;
    loop {
        let (node, separator, after) = element(rest)?;
        hops.push(node.as_deref().and_then(hop));
        match separator {
            Some(_) => rest = after,
            None => return Ok(()),
        }
    }
}

/// One element: its `for`, and what follows the comma after it.
fn element(text: &str) -> Result<(Option<String>, Option<char>, &str), ForwardedError> {
    let mut node = None;
    let mut seen: Vec<String> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(after) = rest.strip_prefix(';') {
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix(',') {
            return Ok((node, Some(','), after));
        }
        if rest.is_empty() {
            return Ok((node, None, rest));
        }
        let (name, after) = rest.split_once('=').ok_or(ForwardedError::Malformed)?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(ForwardedError::Malformed);
        }
        let name = name.to_ascii_lowercase();
        if seen.contains(&name) {
            return Err(ForwardedError::Malformed);
        }
        let (value, after) = parameter(after)?;
        if name == "for" {
            node = Some(value);
        }
        seen.push(name);
        rest = after.trim_start_matches([' ', '\t']);
        if !(rest.is_empty() || rest.starts_with([';', ','])) {
            return Err(ForwardedError::Malformed);
        }
    }
}

/// A token or a quoted string (RFC 9110 §5.6), and what follows it.
fn parameter(text: &str) -> Result<(String, &str), ForwardedError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text
            .find(|c: char| !c.is_ascii() || !u8::try_from(c).is_ok_and(is_token))
            .unwrap_or(text.len());
        let (token, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return if token.is_empty() {
            Err(ForwardedError::Malformed)
        } else {
            Ok((token.into(), rest))
        };
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => {
                let rest = quoted.get(at.saturating_add(1)..).unwrap_or_default();
                return Ok((value, rest));
            }
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    // A quote that the client opened and that nobody closes would swallow what the proxies appended.
    Err(ForwardedError::Malformed)
}

/// `tchar` of RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;

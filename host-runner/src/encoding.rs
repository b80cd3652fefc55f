//! Bytes as text, where no library is at hand for so little: percent-encoding (RFC 3986 §2.1) and hexadecimal digits.

/// Encodes everything that is not unreserved.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Decodes; nothing if an escape is broken or the bytes are not UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.extend(hexadecimal(part.get(..2)?)?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// The same for a member of a form or a query, where `+` is a blank.
pub(crate) fn form_decoded(text: &str) -> Option<String> {
    percent_decoded(&text.replace('+', " "))
}

/// The bytes that pairs of hexadecimal digits stand for.
pub(crate) fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// Bytes as pairs of lower-case hexadecimal digits.
pub(crate) fn hexadecimal_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_broken_escapes_are_nothing() {
        let text = "Zoë 100% a+b/c";
        assert_eq!(percent_encoded(text), "Zo%C3%AB%20100%25%20a%2Bb%2Fc");
        assert_eq!(
            percent_decoded(&percent_encoded(text)).as_deref(),
            Some(text)
        );
        assert_eq!(form_decoded("a+b%2bc").as_deref(), Some("a b+c"));
        for broken in ["%", "%4", "%zz", "%+1", "%ff", "%é"] {
            assert_eq!(percent_decoded(broken), None, "{broken}");
        }
        assert_eq!(hexadecimal("00fF"), Some(vec![0, 255]));
        assert_eq!((hexadecimal("0"), hexadecimal("0g")), (None, None));
    }
}

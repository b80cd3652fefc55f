use super::*;

/// Examples of the specifications: key, algorithm, token.
const EXAMPLES: [(&str, &str, &str); 4] = [
    // SPEC: RFC 7515 appendix A.1
    (
        r#"{"k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow","kty":"oct"}"#,
        "HS256",
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ),
    // SPEC: RFC 7515 appendix A.2
    (
        r#"{"e":"AQAB","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
        "RS256",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
    // SPEC: RFC 7515 appendix A.3
    (
        r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        "ES256",
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
    // SPEC: RFC 8037 appendix A.4
    (
        r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        "EdDSA",
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    ),
];

fn need(key: &str, algorithm: &'static str, token: &str) -> SignatureNeed {
    SignatureNeed {
        key_id: "k".to_owned(),
        key: key.to_owned(),
        algorithm,
        signing_input: token.rfind('.').unwrap(),
    }
}

#[test]
fn the_examples_of_the_specifications_verify() {
    for (key, algorithm, token) in EXAMPLES {
        let mut signatures = Signatures::default();
        assert!(
            signatures.check(token, &need(key, algorithm, token)),
            "{algorithm}"
        );
        // Again, from the shared cache.
        assert!(
            signatures.check(token, &need(key, algorithm, token)),
            "{algorithm}"
        );
    }
}

#[test]
fn nothing_else_verifies() {
    for (n, (key, algorithm, token)) in EXAMPLES.into_iter().enumerate() {
        let mut signatures = Signatures::default();
        let (other_key, other_algorithm, other_token) = EXAMPLES[(n + 1) % EXAMPLES.len()];
        let sound = need(key, algorithm, token);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let mut changed = token.replacen("eyJ", "eyK", 1);
        assert!(!signatures.check(&changed, &sound), "changed header");
        changed = format!("{signed}.{}", signature.split_at(8).1);
        assert!(!signatures.check(&changed, &sound), "short signature");
        assert!(
            !signatures.check(&format!("{signed}."), &sound),
            "no signature"
        );
        assert!(
            !signatures.check(&format!("{token}="), &sound),
            "padded signature"
        );
        assert!(
            !signatures.check(signed, &sound),
            "nothing after the signing input"
        );
        assert!(
            !signatures.check(other_token, &need(key, algorithm, other_token)),
            "another token"
        );
        assert!(
            !signatures.check(token, &need(other_key, algorithm, token)),
            "another key"
        );
        assert!(
            !signatures.check(token, &need(key, other_algorithm, token)),
            "another algorithm"
        );
        for key in [
            "",
            "{}",
            "[]",
            r#"{"kty":"none"}"#,
            r#"{"kty":"RSA","n":"","e":""}"#,
        ] {
            assert!(
                !signatures.check(token, &need(key, algorithm, token)),
                "key {key:?}"
            );
        }
        for signing_input in [0, 1, sound.signing_input + 1, usize::MAX] {
            let need = SignatureNeed {
                signing_input,
                ..sound.clone()
            };
            assert!(
                !signatures.check(token, &need),
                "signing input of {signing_input}"
            );
        }
        assert!(
            signatures.check(token, &sound),
            "the refusals left no trace"
        );
    }
}

#[test]
fn a_short_hmac_key_verifies_nothing() {
    // HMAC-SHA-256 of `e30.e30` with the empty key would verify if the length were not looked at.
    let key = DecodingKey::from_secret(&[0; 31]);
    assert!(is_short(&key, Algorithm::HS256));
    let key = DecodingKey::from_secret(&[0; 32]);
    assert!(!is_short(&key, Algorithm::HS256));
    assert!(is_short(&key, Algorithm::HS384));
    assert!(is_short(&key, Algorithm::RS256));
}

#[test]
fn a_key_id_that_gets_another_key_is_decoded_again() {
    let mut signatures = Signatures::default();
    for (key, algorithm, token) in EXAMPLES.into_iter().chain(EXAMPLES) {
        assert!(signatures.check(token, &need(key, algorithm, token)));
    }
}

#[test]
fn verified_tokens_are_shared_and_bounded() {
    let verified = Arc::new(VerifiedTokens::default());
    let (key, algorithm, token) = EXAMPLES[3];
    let mut first = Signatures::new(Arc::clone(&verified));
    assert!(first.check(token, &need(key, algorithm, token)));
    let mut second = Signatures::new(Arc::clone(&verified));
    assert!(second.check(token, &need(key, algorithm, token)));
    assert!(
        second.keys.is_empty(),
        "the second worker verified nothing itself"
    );
    for n in 0..3 * VerifiedTokens::HALF {
        verified.insert(sha256(&[&n.to_be_bytes()]));
    }
    let halves = verified.lock();
    assert!(halves.newer.len() + halves.older.len() <= 2 * VerifiedTokens::HALF);
}

//! What cannot be a question is no allow, and whoever asks it keeps nobody else waiting.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use cae_tests::service::{Connection, Service};
use serde_json::json;

use super::own::start;

/// What comes back for these bytes, until the service closes or falls silent.
fn raw(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", service.authorization)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(1_000)))
        .unwrap();
    // The service may have had enough before all is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut part = [0; 4_096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_cannot_be_read_is_never_allowed() {
    let Some((_folder, own, service)) = start("limits", &json!({}), &json!([])) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    let ask = |more: &str| {
        format!(
            "GET /authorize HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
        )
    };
    let allowed = |answer: &str| answer.matches("HTTP/1.1 200").count();
    assert_eq!(allowed(&raw(&service, ask("").as_bytes())), 1, "a question");

    let padding = "x".repeat(200 << 10);
    let many: String = (0..2_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let refused = [
        ask(&format!("X-Padding: {padding}\r\n")),
        ask(&many),
        ask("Content-Length: 5\r\nContent-Length: 6\r\n"),
        ask("Transfer-Encoding: chunked, identity\r\n"),
        ask("Transfer-Encoding: \u{b}chunked\r\n"),
        ask("Bad Name: y\r\n"),
        ask(" folded: y\r\n"),
        ask("Authorization: Bearer other\r\n"),
        ask("X-Original-URI: /a\r\nX-Original-URI: /b\r\n"),
        format!("GET /authorize HTTP/1.1\nAuthorization: Bearer {token}\r\0\n\n"),
        format!("GET  /authorize  HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("GET /authorize HTTP/9.9\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("\u{16}\u{3}\u{1}Authorization: Bearer {token}\r\n\r\n"),
        "GET /authorize HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ".to_owned()
            + &"a".repeat(90 << 10)
            + "\r\n\r\n",
    ];
    for (n, question) in refused.iter().enumerate() {
        let answer = raw(&service, question.as_bytes());
        assert_eq!(allowed(&answer), 0, "number {n}: {answer}");
    }
    // A body is a body, however its end is told, and answers nothing that stands in it.
    let hidden = ask("");
    let length = hidden.len();
    let smuggled = ask("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")
        + &format!("{length:x}\r\n{hidden}\r\n0\r\n\r\n");
    assert_eq!(allowed(&raw(&service, smuggled.as_bytes())), 1);
    let smuggled = ask(&format!("Content-Length: {}\r\n", ask("").len())) + &ask("");
    assert_eq!(
        allowed(&raw(&service, smuggled.as_bytes())),
        1,
        "the second is a body"
    );
    assert_eq!(service.authorize(&token, "/").status, 200);
}

#[test]
fn a_body_is_neither_waited_for_nor_kept() {
    let Some((_folder, own, service)) = start("bodies", &json!({}), &json!([])) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    let bearer = format!("Bearer {token}");
    let mut connection = Connection::open(service.authorization).unwrap();
    let headers = [("Authorization", bearer.as_str())];
    for _ in 0..3 {
        let reply = connection
            .send("POST", "/authorize", &headers, Some("a=b"))
            .unwrap();
        assert_eq!(reply.status, 200, "a small one goes by");
    }
    let announced = format!(
        "POST /authorize HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nContent-Length: 999999999999\r\n\r\n"
    );
    let began = Instant::now();
    let answer = raw(&service, announced.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn slow_clients_take_their_own_time_only() {
    let Some((folder, own, service)) = start("slow", &json!({}), &json!([])) else {
        return;
    };
    let token = own.token("adele", &json!({}));
    let mut slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", service.authorization)).unwrap();
            stream
                .write_all(b"GET /authorize HTTP/1.1\r\nX-Slow: ")
                .unwrap();
            stream
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        for stream in slow.iter_mut().step_by(10) {
            stream.write_all(b"a").unwrap();
        }
        let began = Instant::now();
        assert_eq!(service.authorize(&token, "/").status, 200);
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    drop((slow, service));

    // More than may be connected wait until somebody goes.
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let few = format!("{}[authorization]\nconnections = 2\n", super::own::PUSHED);
    let service = Service::start(&folder, &few).unwrap();
    let first = Connection::open(service.authorization).unwrap();
    let second = Connection::open(service.authorization).unwrap();
    let mut third = TcpStream::connect(("127.0.0.1", service.authorization)).unwrap();
    third
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    third
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut answer = [0; 12];
    assert!(third.read_exact(&mut answer).is_err(), "it waits");
    drop(first);
    third
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    third.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop(second);
}

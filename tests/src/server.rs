//! A server of a test's own, for what no well-behaved one answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `POST`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// `null` if it is no JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
    /// When it came.
    pub at: Instant,
}

impl Asked {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Said {
    /// Nothing: the connection ends.
    Hangup,
    /// A status, further headers, and a body.
    Reply(u16, Vec<(&'static str, String)>, String),
    /// Nothing, for as long as the other side waits.
    Nothing,
    /// A body without an end.
    Endless,
}

impl Said {
    /// 200 with a document.
    #[must_use]
    pub fn json(document: &Value) -> Self {
        Self::status(200, document)
    }

    /// A document with another status.
    #[must_use]
    pub fn status(status: u16, document: &Value) -> Self {
        Self::Reply(status, Vec::new(), document.to_string())
    }
}

/// A server that answers by a function, and keeps what it was asked.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Starts one.
    ///
    /// # Panics
    /// There is no port.
    pub fn start(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (all, end, answer) = (Arc::clone(&asked), Arc::clone(&stopped), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let (all, end, answer) = (Arc::clone(&all), Arc::clone(&end), Arc::clone(&answer));
                thread::spawn(move || {
                    // A connection that breaks is the other side's affair.
                    let _ = connection(stream, &all, &end, &*answer);
                });
            }
        });
        Self {
            port,
            asked,
            stopped,
        }
    }

    /// Its origin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked so far, by method and the beginning of the path.
    ///
    /// # Panics
    /// A function that answers panicked.
    #[must_use]
    pub fn asked(&self, method: &str, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        let of = |it: &&Asked| it.method == method && it.path.starts_with(path);
        asked.iter().filter(of).cloned().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Whoever waits for a connection gets one, and looks.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn connection(
    stream: TcpStream,
    all: &Mutex<Vec<Asked>>,
    end: &AtomicBool,
    answer: &dyn Fn(&Asked) -> Said,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let asked = Asked {
            method,
            path,
            headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
            text: String::from_utf8_lossy(&body).into_owned(),
            at: Instant::now(),
        };
        all.lock().unwrap().push(asked.clone());
        if end.load(Ordering::Relaxed) {
            return Ok(());
        }
        let stream = reader.get_mut();
        match answer(&asked) {
            Said::Reply(status, headers, body) => {
                let mut head = format!(
                    "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
                    body.len()
                );
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
            }
            Said::Hangup => return Ok(()),
            Said::Nothing => {
                while !end.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(20));
                }
                return Ok(());
            }
            Said::Endless => {
                stream.write_all(b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                while !end.load(Ordering::Relaxed) {
                    stream.write_all(b"10000\r\n")?;
                    stream.write_all(&[b' '; 0x1_0000])?;
                    stream.write_all(b"\r\n")?;
                }
                return Ok(());
            }
        }
    }
}

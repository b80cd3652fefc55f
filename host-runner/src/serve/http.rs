//! Listeners: connections are bounded, slow ones are closed, and a stop lets answers that are under way finish.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::is_same;
use super::workers::Workers;

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Whether a request presents this bearer token.
pub(crate) fn bears(request: &Request<Incoming>, token: &str) -> bool {
    let given = request.headers().get(AUTHORIZATION);
    given.is_some_and(|it| is_same(it.as_bytes(), format!("Bearer {token}").as_bytes()))
}

/// Bounds of one listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most connections at a time; further ones wait in the backlog of the system.
    pub(crate) connections: usize,
    /// Most bytes of all headers of a request: the largest token, and what proxies add.
    pub(crate) header_bytes: usize,
    /// How long the head of a request, or the next one on a connection, may take.
    pub(crate) head: Duration,
}

impl Bounds {
    pub(crate) const fn new(connections: usize) -> Self {
        Self {
            connections,
            header_bytes: 128 << 10,
            head: Duration::from_secs(75),
        }
    }
}

/// Answers requests that arrive at `listener` until `stop` becomes true; then those that are under way. Who answers them
/// are the `workers`, or the runtime that this runs on.
pub(crate) async fn serve<H, F>(
    listener: TcpListener,
    workers: Option<Workers>,
    tls: Option<Arc<ArcSwapOption<TlsAcceptor>>>,
    bounds: Bounds,
    handler: H,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send,
{
    let connections = Arc::new(Semaphore::new(bounds.connections));
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&connections).acquire_owned() => permit,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, as a rule: give the connections that end the time to do so.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let tls = match &tls {
            None => None,
            Some(tls) => match tls.load_full() {
                Some(tls) => Some(TlsAcceptor::clone(&tls)),
                // Without a certificate there is nobody to talk to.
                None => continue,
            },
        };
        // A stream belongs to the runtime that made it: the one that answers makes its own.
        let Ok(stream) = stream.into_std() else {
            continue;
        };
        let (handler, stop) = (handler.clone(), stop.clone());
        let connection = async move {
            let _permit = permit;
            if let Ok(stream) = TcpStream::from_std(stream) {
                connection(stream, peer, tls, bounds, handler, stop).await;
            }
        };
        match &workers {
            Some(workers) => workers.give(connection),
            None => drop(tokio::spawn(connection)),
        }
    }
    // Every connection holds a permit: once all are back, none is left.
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    let _ = connections.acquire_many(all).await;
}

async fn connection<H, F>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    bounds: Bounds,
    handler: H,
    stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send,
{
    // Answers are small and written at once: waiting for more only adds to them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(stream, peer, bounds, handler, stop).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
                requests(stream, peer, bounds, handler, stop).await;
            }
        }
    }
}

const HANDSHAKE: Duration = Duration::from_secs(10);

async fn requests<S, H, F>(
    stream: S,
    peer: SocketAddr,
    bounds: Bounds,
    handler: H,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send,
{
    let service = service_fn(|request| {
        let answer = handler(request, peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(bounds.header_bytes)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection is the peer's affair.
    let stopped = tokio::select! {
        _ = connection.as_mut() => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if stopped {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// Why a body cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    Broken,
}

impl BodyError {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::TooLarge => "the body is larger than allowed",
            Self::TooSlow => "the body took too long to arrive",
            Self::Broken => "the body broke off",
        }
    }
}

/// The body of a request, at most so many bytes of it.
pub(crate) async fn body(request: Request<Incoming>, most: usize) -> Result<Bytes, BodyError> {
    const TIME: Duration = Duration::from_secs(10);
    let body = request.into_body();
    let announced = body.size_hint().lower();
    if announced > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge);
    }
    match timeout(TIME, Limited::new(body, most).collect()).await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    with(status, Bytes::new(), None)
}

/// A text for people.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    with(status, text.into(), Some("text/plain; charset=utf-8"))
}

/// A JSON document.
pub(crate) fn json(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    with(status, text.into(), Some("application/json"))
}

/// An answer that nobody may keep.
pub(crate) fn with(status: StatusCode, body: Bytes, kind: Option<&'static str>) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream as Blocking;
    use std::time::Instant;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_head_that_takes_too_long_ends_the_connection() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let head = Duration::from_millis(300);
        let bounds = Bounds {
            head,
            ..Bounds::new(4)
        };
        let (_stop, stopped) = watch::channel(false);
        let answer = |_, _| async { empty(StatusCode::OK) };
        runtime.spawn(serve(listener, None, None, bounds, answer, stopped));
        let mut slow = Blocking::connect(address).unwrap();
        slow.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").unwrap();
        let began = Instant::now();
        let mut said = Vec::new();
        // A byte now and then keeps nothing alive.
        while slow.write_all(b"a").is_ok()
            && slow
                .read_to_end(&mut said)
                .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
        {
            assert!(began.elapsed() < Duration::from_secs(10), "still open");
        }
        assert!(began.elapsed() >= head, "{:?}", began.elapsed());
        assert!(!said.starts_with(b"HTTP/1.1 200"), "{said:?}");
    }
}

//! A way to a real server on which an answer is lost.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Stands before a server, on an address of its own, as long as the runtime lives. It passes bytes on until a client has sent
/// `word`. That request still reaches the server, which answers it: then the connection breaks, and the client never learns
/// what came of it. This happens once; later requests go well.
///
/// # Errors
/// If no port can be had.
pub async fn wire_that_loses_the_answer_to(word: &'static [u8], server: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(accept(listener, server, word, Arc::default()));
    Ok(address)
}

async fn accept(listener: TcpListener, server: SocketAddr, word: &'static [u8], cut: Arc<AtomicBool>) {
    while let Ok((client, _)) = listener.accept().await {
        let cut = cut.clone();
        tokio::spawn(async move {
            // An error is a connection that ended, which is all that there is to say about it.
            let _ = pass(client, server, word, &cut).await;
        });
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, word: &[u8], cut: &AtomicBool) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut from_client, mut from_server) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            n = client.read(&mut from_client) => {
                let sent = &from_client[..n?];
                if sent.is_empty() {
                    return Ok(());
                }
                server.write_all(sent).await?;
                let holds = sent.windows(word.len()).any(|part| part == word);
                if holds && !cut.swap(true, Ordering::SeqCst) {
                    // The server answers when it has done what it was asked for.
                    return server.read(&mut from_server).await.map(drop);
                }
            }
            n = server.read(&mut from_server) => {
                let answered = &from_server[..n?];
                if answered.is_empty() {
                    return Ok(());
                }
                client.write_all(answered).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_request_arrives_and_the_answer_is_lost_once() {
        let echo = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = echo.local_addr().unwrap();
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            for _ in 0..2 {
                let (mut socket, _) = echo.accept().await.unwrap();
                let mut bytes = [0; 64];
                while let Ok(n @ 1..) = socket.read(&mut bytes).await {
                    heard.extend_from_slice(&bytes[..n]);
                    socket.write_all(b"yes").await.unwrap();
                }
            }
            heard
        });
        let wire = wire_that_loses_the_answer_to(b"CHANGE", server).await.unwrap();
        let mut answers = Vec::new();
        for _ in 0..2 {
            let mut client = TcpStream::connect(wire).await.unwrap();
            let mut bytes = [0; 64];
            client.write_all(b"look").await.unwrap();
            assert_eq!(client.read(&mut bytes).await.unwrap(), 3);
            client.write_all(b"do CHANGE it").await.unwrap();
            answers.push(client.read(&mut bytes).await.unwrap_or(0));
        }
        assert_eq!(answers, [0, 3]);
        assert_eq!(heard.await.unwrap(), b"lookdo CHANGE itlookdo CHANGE it");
    }
}

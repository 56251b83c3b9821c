//! A page of the server's HTTP port, as a monitor fetches it.

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits;

/// The page at a path; anything but 200 is an error.
pub async fn get(address: &str, path: &str) -> Result<String> {
    let answer = timeout(limits::CALL, fetch(address, path)).await;
    let answer = answer.with_context(|| format!("http://{address}{path} does not answer"))??;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
    ensure!(
        head.starts_with("HTTP/1.1 200"),
        "http://{address}{path}: {}",
        head.lines().next().unwrap_or("")
    );
    Ok(body.to_owned())
}

async fn fetch(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())
        .await?;
    let mut answer = String::new();
    stream.take(limits::PAGE_BYTES).read_to_string(&mut answer).await?;
    Ok(answer)
}

//! One request to the handler and its answer.

use std::{collections::BTreeMap, io, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::wire::Reply;

/// Sends a request over a connection of its own and reads the answer.
///
/// # Errors
/// Nobody listens, or the connection ended before the answer did.
pub async fn exchange(to: SocketAddr, request: &[u8]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(request).await?;
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let status = lines.first().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let header =
        |line: &String| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers: BTreeMap<_, _> = lines.iter().skip(1).filter_map(header).collect();
    let length = headers.get("content-length").map_or(Ok(0), |length| length.parse()).map_err(|_| bad())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok(Reply { status: status.ok_or_else(bad)?, headers, body })
}

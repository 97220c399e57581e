//! Servers out there, good and bad, for plugins to send their requests to. Each listens on a free port
//! of this machine and ends with the test.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a server does once it has read the head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// Sends the head of the request back: in its body, a header's value and a header's name.
    Echo,
    /// Sends the request to where a cloud keeps credentials.
    Redirect,
    /// Says nothing, and keeps the connection.
    Silent,
    /// Sends body until nobody takes any more.
    Endless,
    /// Sends a body of four mebibytes.
    Large,
    /// Sends header after header.
    Headers,
}

impl Server {
    pub(crate) const ALL: [Self; 6] = [
        Self::Echo,
        Self::Redirect,
        Self::Silent,
        Self::Endless,
        Self::Large,
        Self::Headers,
    ];

    /// As cases name it in their settings.
    pub(crate) const fn placeholder(self) -> &'static str {
        match self {
            Self::Echo => "{echo}",
            Self::Redirect => "{redirect}",
            Self::Silent => "{silent}",
            Self::Endless => "{endless}",
            Self::Large => "{large}",
            Self::Headers => "{headers}",
        }
    }

    /// Starts it, and says on which port.
    pub(crate) async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever asked may be gone before it is answered.
                tokio::spawn(async move { self.answer(stream).await.unwrap_or_default() });
            }
        });
        port
    }

    async fn answer(self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut bytes = [0; 4096];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut bytes).await? {
                0 => return Ok(()),
                count => head.extend_from_slice(&bytes[..count]),
            }
        }
        let ok = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
        match self {
            Self::Echo => {
                let length = head.len();
                let text = String::from_utf8_lossy(&head).into_owned();
                let sent = text.lines().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("authorization").then_some(value)
                });
                let sent = sent.unwrap_or("nothing");
                let name = sent.rsplit(' ').next().unwrap_or("nothing");
                let more = format!(
                    "{ok}x-sent: {sent}\r\nX-{name}: 1\r\ncontent-length: {length}\r\n\r\n"
                );
                stream.write_all(more.as_bytes()).await?;
                stream.write_all(&head).await
            }
            Self::Redirect => {
                let to = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(to.as_bytes()).await
            }
            Self::Silent => stream.read_to_end(&mut head).await.map(drop),
            Self::Endless => {
                stream.write_all(format!("{ok}\r\n").as_bytes()).await?;
                let part = vec![b'x'; 64 << 10];
                loop {
                    stream.write_all(&part).await?;
                }
            }
            Self::Large => {
                let body = vec![b'x'; 4 << 20];
                let head = format!("{ok}content-length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&body).await?;
                // Whoever closes with something left to read takes back what it has sent.
                stream.shutdown().await?;
                stream.read_to_end(&mut bytes.to_vec()).await.map(drop)
            }
            Self::Headers => {
                stream.write_all(ok.as_bytes()).await?;
                loop {
                    stream
                        .write_all(b"x-more: and more and more and more\r\n")
                        .await?;
                }
            }
        }
    }
}

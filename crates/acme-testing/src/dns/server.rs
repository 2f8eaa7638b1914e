//! The sockets, and the tasks that live and die with them.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::watch,
    task::JoinSet,
};

use super::{
    answer::{self, Question, Step, Transport},
    handle::Shared,
};

/// How often another port is tried where the one for TCP is not free for UDP.
const TRIES: usize = 16;

/// The most queries and connections under way at once; more are not looked at.
const MAX_TASKS: usize = 1024;

/// How long a connection may be silent ([RFC 7766, section 6.2.3] has seconds in mind).
///
/// [RFC 7766, section 6.2.3]: https://www.rfc-editor.org/rfc/rfc7766#section-6.2.3
const IDLE: Duration = Duration::from_secs(10);

/// How long nothing is taken in after that could not be done.
const PAUSE: Duration = Duration::from_millis(20);

/// Both sockets, on one port.
#[derive(Debug)]
pub(super) struct Sockets {
    tcp: TcpListener,
    udp: Arc<UdpSocket>,
}

impl Sockets {
    /// Listens; where the system chooses the port, it is one that is free for both.
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut tries = 1;
        loop {
            let tcp = TcpListener::bind(address).await?;
            match UdpSocket::bind(tcp.local_addr()?).await {
                Ok(udp) => {
                    let udp = Arc::new(udp);
                    return Ok(Self { tcp, udp });
                }
                Err(error) => {
                    let retry = error.kind() == io::ErrorKind::AddrInUse && address.port() == 0;
                    if !retry || tries == TRIES {
                        return Err(error);
                    }
                }
            }
            tries += 1;
        }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves until it is told to stop or dropped; all its tasks end with it.
    pub(super) async fn serve(self, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
        let mut tasks = JoinSet::new();
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let free = tasks.len() < MAX_TASKS;
            tokio::select! {
                _ = stopped.changed() => break,
                Some(_) = tasks.join_next() => {}
                accepted = self.tcp.accept() => match accepted {
                    Ok((stream, sender)) if free => {
                        tasks.spawn(connection(Arc::clone(&shared), sender.ip(), stream));
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                received = self.udp.recv_from(&mut buffer) => match received {
                    Ok((length, sender)) if free => {
                        let query = buffer[..length].to_vec();
                        let (shared, udp) = (Arc::clone(&shared), Arc::clone(&self.udp));
                        tasks.spawn(async move {
                            if let Some(answer) = respond(&shared, &query, sender.ip(), Transport::Udp).await {
                                // Who is gone needs no answer.
                                let _ = udp.send_to(&answer, sender).await;
                            }
                        });
                    }
                    Ok(_) => {}
                    // Some systems tell here that a former answer reached no one.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
            }
        }
        tasks.shutdown().await;
    }
}

/// Answers one query after the other ([RFC 7766](https://www.rfc-editor.org/rfc/rfc7766)).
async fn connection(shared: Arc<Shared>, sender: IpAddr, mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    while let Ok(Ok(query)) = tokio::time::timeout(IDLE, receive(&mut stream)).await {
        let Some(answer) = respond(&shared, &query, sender, Transport::Tcp).await else {
            continue;
        };
        let Ok(length) = u16::try_from(answer.len()) else {
            return;
        };
        let message = [&length.to_be_bytes(), answer.as_slice()].concat();
        let sent = tokio::time::timeout(IDLE, stream.write_all(&message)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

async fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut query = vec![0; length.into()];
    stream.read_exact(&mut query).await?;
    Ok(query)
}

/// The answer to a query, once it may be sent; `None` when there is none.
async fn respond(
    shared: &Shared,
    query: &[u8],
    sender: IpAddr,
    transport: Transport,
) -> Option<Vec<u8>> {
    let asked = match answer::question(query) {
        Ok(asked) => asked,
        Err(Step::Send { answer, .. }) => return Some(answer),
        Err(Step::Hold | Step::Ignore) => return None,
    };
    shared.asked(&asked, sender, transport);
    loop {
        // Asked for before the look, so that no change falls between the two.
        let mut changed = shared.changes();
        match look(shared, query, &asked, transport) {
            Step::Ignore => return None,
            Step::Send { answer, records } => {
                if records > 0 {
                    shared.answered(&asked);
                }
                return Some(answer);
            }
            Step::Hold => changed.changed().await.ok()?,
        }
    }
}

fn look(shared: &Shared, query: &[u8], asked: &Question, transport: Transport) -> Step {
    answer::answer(&shared.zone(), query, asked, transport)
}

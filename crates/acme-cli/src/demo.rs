//! `acme demo`: the whole thing on this machine, with a CA of its own.

mod page;
mod visitor;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use acme_client::{AcmeAuthority, Client, HyperTransport};
use acme_endpoint::{AutoTlsEndpoint, EndpointHandle, TlsListener};
use acme_messages::ServerName;
use acme_store::{DirectoryStore, load_or_create_account_key};
use acme_testing::TestCa;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{Failure, address, signals};
use visitor::Visitor;

/// The name that the demo serves; `.localhost` is nobody's.
const NAME: &str = "demo.localhost";

/// How long connections and attempts may take to end.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to serve the page; port 0 lets the system choose.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = address::parse)]
    listen: SocketAddr,

    /// Visit the page, renew its certificate, visit it again, and end.
    #[arg(long)]
    once: bool,
}

/// Everything that runs during the demo; the folder goes when it ends.
struct Demo {
    name: ServerName,
    folder: TempDir,
    root: PathBuf,
    ca: TestCa,
    address: SocketAddr,
    handle: EndpointHandle,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let (demo, listener) = start(arguments.listen).await?;
    let page = tokio::spawn(page::serve(listener));
    // At any moment, so that the folder goes in any case.
    let result = tokio::select! {
        result = show(&demo, arguments.once) => result,
        () = signals::stop() => {
            println!("Ending.");
            match arguments.once {
                true => Err(Failure::certificate("interrupted before the end")),
                false => Ok(()),
            }
        }
    };
    demo.handle.shutdown(GRACE).await;
    page.abort();
    demo.ca.shutdown().await;
    result
}

async fn start(listen: SocketAddr) -> Result<(Demo, TlsListener), Failure> {
    let name: ServerName = NAME
        .parse()
        .map_err(|error| Failure::configuration("the demo's name").because(&error))?;
    let tcp = TcpListener::bind(listen).await.map_err(|error| {
        Failure::configuration(format!("cannot listen on {listen}"))
            .because(&error)
            .hint("choose another address with --listen")
    })?;
    let bound = tcp
        .local_addr()
        .map_err(|error| Failure::configuration("the listener").because(&error))?;
    let address = SocketAddr::new(reachable(bound.ip()), bound.port());

    let ca = TestCa::builder()
        .crypto_provider(crate::crypto_provider())
        .resolve_to(address.ip())
        .tls_alpn_01_port(address.port())
        .start()
        .await
        .map_err(|error| Failure::configuration("the embedded CA cannot start").because(&error))?;
    println!("A CA is running at {}", ca.directory_url());

    let io = |error: std::io::Error| Failure::store("the temporary folder").because(&error);
    let folder = TempDir::with_prefix("acme-demo-").map_err(io)?;
    let certificates = folder.path().join("certs");
    let blank = certificates.join(format!("{NAME}.pem"));
    let root = folder.path().join("root.pem");
    std::fs::create_dir(&certificates).map_err(io)?;
    std::fs::write(&blank, "").map_err(io)?;
    std::fs::write(&root, ca.root_pem()).map_err(io)?;
    println!("A blank {} asks for a certificate", blank.display());

    let endpoint = endpoint(&ca, &certificates).await?;
    let (listener, handle) = endpoint
        .start(tcp)
        .await
        .map_err(|error| Failure::configuration("the endpoint cannot start").because(&error))?;
    let demo = Demo {
        name,
        folder,
        root,
        ca,
        address,
        handle,
    };
    Ok((demo, listener))
}

async fn endpoint(
    ca: &TestCa,
    certificates: &Path,
) -> Result<acme_endpoint::AutoTlsEndpointBuilder, Failure> {
    let provider = crate::crypto_provider();
    let transport = HyperTransport::builder()
        .crypto_provider(provider.clone())
        .only_roots_pem(ca.https_root_pem().as_bytes())
        .and_then(acme_client::HyperTransportBuilder::build)
        .map_err(|error| Failure::configuration("the client's TLS").because(&error))?;
    let client = Client::builder(ca.directory_url(), transport)
        .build()
        .map_err(|error| Failure::configuration("the client").because(&error))?;
    let key = load_or_create_account_key(certificates)
        .await
        .map_err(|error| Failure::store("the account key").because(&error))?;
    let authority = AcmeAuthority::builder(client, Arc::new(key))
        .agree_to_terms_of_service(true)
        .build();
    let store = DirectoryStore::open(certificates)
        .await
        .map_err(|error| Failure::store("the certificate directory").because(&error))?;
    Ok(
        AutoTlsEndpoint::builder(Arc::new(store), Arc::new(authority))
            .crypto_provider(provider)
            .protocols(page::PROTOCOLS),
    )
}

async fn show(demo: &Demo, once: bool) -> Result<(), Failure> {
    let service = demo.handle.service();
    let check = service
        .initial_check()
        .await
        .map_err(|error| Failure::certificate("the service").because(&error))?;
    for (name, result) in &check.attempted {
        result.as_ref().map_err(|error| {
            Failure::certificate(format!("no certificate for {name}")).because(error)
        })?;
        println!("The CA validated {name} by tls-alpn-01 on {}", demo.address);
    }
    let Demo { address, root, .. } = demo;
    let port = address.port();
    println!("Serving https://{NAME}:{port} with its certificate; the CA's root is");
    println!("  {}", root.display());
    println!("Try it:");
    println!(
        "  curl --cacert {} --resolve {NAME}:{port}:{} https://{NAME}:{port}/",
        root.display(),
        bracketed(address.ip()),
    );
    if once {
        return visit_and_renew(demo).await;
    }
    println!(
        "Press Ctrl-C to end; {} goes with it.",
        demo.folder.path().display()
    );
    std::future::pending().await
}

/// Visits, renews, visits anew while the first connection lives on.
async fn visit_and_renew(demo: &Demo) -> Result<(), Failure> {
    let failed = |error: visitor::VisitError| {
        Failure::certificate(format!("visiting https://{NAME}:{}", demo.address.port()))
            .because(&error)
    };
    let visitor = Visitor::trusting(demo.ca.root_pem().as_bytes()).map_err(failed)?;
    let mut first = visitor.connect(demo.address, NAME).await.map_err(failed)?;
    first.get().await.map_err(failed)?;
    let old = first.serial().to_owned();
    println!("Visited it over TLS; the chain verifies. Serial {old}");

    println!("Renewing now, though it is not due");
    demo.handle
        .service()
        .issue(&demo.name)
        .await
        .map_err(|error| Failure::certificate("the renewal failed").because(&error))?;
    let mut second = visitor.connect(demo.address, NAME).await.map_err(failed)?;
    second.get().await.map_err(failed)?;
    let new = second.serial();
    if new == old {
        return Err(Failure::certificate(
            "a new connection still gets the old certificate",
        ));
    }
    println!("A new connection gets the new one.       Serial {new}");
    first.get().await.map_err(failed)?;
    println!("The first connection lives on with       serial {old}");
    Ok(())
}

/// Where this machine reaches a listener that may be bound to every address.
fn reachable(bound: IpAddr) -> IpAddr {
    match bound {
        address if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        address => address,
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

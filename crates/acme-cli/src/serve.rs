//! `acme serve`: a directory of files over HTTPS.

mod connections;
mod files;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use acme_client::{AcmeAuthority, Client, ErrorKind, HyperTransport, HyperTransportError};
use acme_endpoint::{AutoTlsEndpoint, EndpointCa, EndpointHandle, EndpointSpec, TlsListener};
use acme_service::ServiceEvent;
use acme_store::{
    AccountKeyError, CertificateStore, CertificateStoreExt, DirectoryStore, StoreError,
    load_or_create_account_key,
};
use tokio::{
    net::TcpListener,
    sync::broadcast::{Receiver, error::RecvError},
};

use crate::{Failure, address, failure::chain, signals};
use connections::Connections;
use files::Files;

/// The protocols that axum speaks.
const PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];

/// How long connections and attempts get to end after the request to stop.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acme serve lets:/srv/www/certs:tcp:443 --path /srv/www/root --agree-tos
  acme serve acme:/srv/www/certs:tcp:443 --path /srv/www/root --agree-tos \\
    --directory https://ca.example/acme/directory --ca-root /etc/ssl/ca.pem

An empty file NAME.pem in the certificate directory asks for a certificate for NAME.")]
pub(crate) struct Arguments {
    /// CA, certificate directory and listener: `le:DIR:tcp:443` for Let's Encrypt, `lets:…` for
    /// its staging environment, `acme:…` for the CA of --directory. `\:` is a colon in a part.
    endpoint: String,

    /// The directory of files to serve.
    #[arg(long, value_name = "DIR")]
    path: PathBuf,

    /// The ACME directory URL, for an `acme:` endpoint.
    #[arg(long, value_name = "URL")]
    directory: Option<String>,

    /// The roots to trust for the ACME server itself, instead of the system's.
    #[arg(long, value_name = "PEM")]
    ca_root: Option<PathBuf>,

    /// Where the CA may reach you; may be given several times.
    #[arg(long, value_name = "ADDR")]
    email: Vec<String>,

    /// Agree to the CA's terms of service.
    #[arg(long)]
    agree_tos: bool,

    /// Answer http-01 challenges here too, such as on `0.0.0.0:80`, and send everything else to
    /// https; CAs knock on port 80.
    #[arg(long, value_name = "ADDR", value_parser = address::parse)]
    http_01: Option<SocketAddr>,

    /// The https port in redirects from --http-01, where another is forwarded to this one.
    #[arg(long, value_name = "PORT", requires = "http_01")]
    redirect_port: Option<u16>,
}

/// What the arguments came to, each part checked and nothing created.
struct Checked {
    spec: EndpointSpec,
    store: DirectoryStore,
    client: Client,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let checked = check(&arguments).await?;
    ask_the_ca(&checked, arguments.agree_tos).await?;
    let (mut listener, handle) = start(&arguments, &checked).await?;
    // Before anything else is waited for: what happens meanwhile is to be told.
    let events = handle.service().subscribe();
    report_start(&arguments, &checked, &handle).await;
    let reporter = tokio::spawn(async {
        if let Ok(events) = events {
            report(events).await;
        }
    });
    let connections = Connections::new(Files::under(arguments.path.clone()));
    tokio::select! {
        () = connections.serve(&mut listener) => {}
        () = signals::stop() => {}
    }
    // What is given up from here on is no failure to tell of.
    reporter.abort();
    println!(
        "Ending; connections have {} s, or until the next interrupt.",
        GRACE.as_secs()
    );
    // What has not ended by then is cut off. The listener lives on meanwhile: a CA
    // may be about to knock.
    let end = async {
        let connections = tokio::time::timeout(GRACE, connections.end());
        tokio::join!(handle.shutdown(GRACE), connections).1.is_err()
    };
    let cut_off = tokio::select! {
        cut_off = end => cut_off,
        () = signals::stop() => true,
    };
    if cut_off {
        eprintln!("acme: warning: connections were cut off");
    }
    drop(listener);
    Ok(())
}

async fn check(arguments: &Arguments) -> Result<Checked, Failure> {
    let spec: EndpointSpec = arguments.endpoint.parse().map_err(|error| {
        Failure::configuration(format!("endpoint {:?}", arguments.endpoint))
            .because(&error)
            .hint("it reads like lets:/srv/www/certs:tcp:443")
    })?;
    let url = directory_url(&spec, arguments.directory.as_deref())?;
    if !arguments.path.is_dir() {
        let path = arguments.path.display();
        let (what, hint) = if arguments.path.exists() {
            (
                "is not a directory",
                "name the one whose files are to be served",
            )
        } else {
            ("does not exist", "create it, or name another")
        };
        return Err(Failure::configuration(format!("--path {path} {what}")).hint(hint));
    }
    keys_stay_private(&arguments.path, &spec.directory)?;
    let store = DirectoryStore::open(&spec.directory)
        .await
        .map_err(|error| store_failure(&error))?;
    let client = client(url, arguments)?;
    for address in &arguments.email {
        if !address.contains('@') || address.contains(['?', ',', ' ']) {
            return Err(Failure::configuration(format!(
                "--email {address:?} is no address (one each, without a name)"
            )));
        }
    }
    Ok(Checked {
        spec,
        store,
        client,
    })
}

/// Everybody can read what lies under --path.
fn keys_stay_private(files: &Path, certificates: &Path) -> Result<(), Failure> {
    match (files.canonicalize(), certificates.canonicalize()) {
        (Ok(inside), Ok(keys)) if keys.starts_with(&inside) => {
            Err(Failure::configuration(format!(
                "--path {} would publish the private keys in {certificates:?}",
                files.display()
            ))
            .hint("keep the certificate directory elsewhere"))
        }
        _ => Ok(()),
    }
}

fn directory_url<'a>(spec: &EndpointSpec, given: Option<&'a str>) -> Result<&'a str, Failure> {
    match (spec.ca.directory_url(), given) {
        (Some(url), None) => Ok(url),
        (None, Some(url)) => Ok(url),
        (None, None) => Err(Failure::configuration(format!(
            "an {}: endpoint needs --directory URL",
            EndpointCa::Other.prefix()
        ))),
        (Some(_), Some(url)) => Err(Failure::configuration(format!(
            "--directory {url} does not go with {}:, which names its CA; write {}: for another",
            spec.ca.prefix(),
            EndpointCa::Other.prefix()
        ))),
    }
}

fn client(url: &str, arguments: &Arguments) -> Result<Client, Failure> {
    let mut transport = HyperTransport::builder().crypto_provider(crate::crypto_provider());
    if let Some(path) = &arguments.ca_root {
        let failed = |error: &dyn std::error::Error| {
            Failure::configuration(format!("--ca-root {}", path.display())).because(error)
        };
        let pem = std::fs::read(path).map_err(|error| failed(&error))?;
        transport = transport
            .only_roots_pem(&pem)
            .map_err(|error| failed(&error))?;
    }
    let transport = transport.build().map_err(|error: HyperTransportError| {
        Failure::configuration("TLS to the CA").because(&error)
    })?;
    Client::builder(url, transport)
        .user_agent(concat!("acme/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            Failure::configuration(format!("--directory {url:?}"))
                .because(&error)
                .hint("an ACME directory is an https URL")
        })
}

/// Asks the CA before anything is created. A CA that is down is no reason not to
/// serve what is there.
async fn ask_the_ca(checked: &Checked, agreed: bool) -> Result<(), Failure> {
    let url = checked.client.directory_url();
    let directory = match checked.client.directory().await {
        Ok(directory) => directory,
        Err(error) if serves_something(&checked.store).await => {
            eprintln!(
                "acme: warning: {}; serving the certificates that are there, and trying again",
                chain(&error)
            );
            return Ok(());
        }
        Err(error) if error.is_transient() => {
            return Err(Failure::temporary(format!("the CA at {url}"))
                .because(&error)
                .hint("check the URL, the network and --ca-root, or try again later"));
        }
        Err(error) => {
            return Err(Failure::configuration(format!("the CA at {url}"))
                .because(&error)
                .hint("check that the URL is an ACME directory"));
        }
    };
    match &directory.meta.terms_of_service {
        Some(terms) if !agreed => Err(Failure::configuration(format!(
            "the terms of service of the CA at {url} are not agreed to; read {terms} and add --agree-tos"
        ))),
        _ => Ok(()),
    }
}

async fn serves_something(store: &DirectoryStore) -> bool {
    let Ok(listed) = store.list_all().await else {
        return false;
    };
    for entry in listed {
        if let Ok(Some(entry)) = store.get(&entry.name).await
            && entry.bundle().is_some()
        {
            return true;
        }
    }
    false
}

async fn start(
    arguments: &Arguments,
    checked: &Checked,
) -> Result<(TlsListener, EndpointHandle), Failure> {
    let listen = &checked.spec.listen;
    let tcp = listen
        .bind()
        .map_err(|error| cannot_listen(&listen.to_string(), &error))?;
    let http_01 = match arguments.http_01 {
        Some(address) => Some(
            TcpListener::bind(address)
                .await
                .map_err(|error| cannot_listen(&format!("--http-01 {address}"), &error))?,
        ),
        None => None,
    };
    let key = load_or_create_account_key(&checked.spec.directory)
        .await
        .map_err(|error| match error {
            AccountKeyError::Store(error) => store_failure(&error),
            error => {
                Failure::store(chain(&error)).hint("mend it, or remove it to make a new account")
            }
        })?;
    let mut authority = AcmeAuthority::builder(checked.client.clone(), Arc::new(key))
        .agree_to_terms_of_service(arguments.agree_tos);
    for address in &arguments.email {
        authority = authority.contact(format!("mailto:{address}"));
    }
    let store = Arc::new(checked.store.clone());
    let mut endpoint = AutoTlsEndpoint::builder(store, Arc::new(authority.build()))
        .crypto_provider(crate::crypto_provider())
        .protocols(PROTOCOLS);
    if let Some(listener) = http_01 {
        endpoint = endpoint.http_01(listener);
    }
    if let Some(port) = arguments.redirect_port {
        endpoint = endpoint.redirect_port(port);
    }
    endpoint
        .start(tcp)
        .await
        .map_err(|error| Failure::configuration("the endpoint cannot start").because(&error))
}

fn cannot_listen(place: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::configuration(format!("cannot listen on {place}")).because(error);
    match error.kind() {
        std::io::ErrorKind::AddrInUse => failure.hint("another program has the port"),
        std::io::ErrorKind::PermissionDenied => {
            failure.hint("ports under 1024 need CAP_NET_BIND_SERVICE or a forwarding")
        }
        std::io::ErrorKind::AddrNotAvailable => {
            failure.hint("name an address that this machine has")
        }
        _ => failure,
    }
}

fn store_failure(error: &StoreError) -> Failure {
    let failure = Failure::store(chain(error));
    match error {
        StoreError::DirectoryMissing { .. } => failure.hint("create it, owned by this user"),
        StoreError::NotWritable { .. } => failure.hint("let this user write there"),
        _ => failure,
    }
}

async fn report_start(arguments: &Arguments, checked: &Checked, handle: &EndpointHandle) {
    println!(
        "Serving {} over HTTPS on {}; certificates from {} in {}",
        arguments.path.display(),
        handle.local_addr(),
        checked.client.directory_url(),
        checked.spec.directory.display(),
    );
    match checked.store.list_all().await {
        Ok(names) if names.is_empty() => println!(
            "No names yet: create an empty {}/NAME.pem for each",
            checked.spec.directory.display()
        ),
        Ok(names) => {
            let mut names: Vec<_> = names.iter().map(|it| it.name.to_string()).collect();
            names.sort();
            println!("Names: {}", names.join(", "));
        }
        Err(error) => eprintln!("acme: warning: {}", chain(&error)),
    }
}

/// Tells the operator what happens to each name, on one line each.
async fn report(mut events: Receiver<ServiceEvent>) {
    loop {
        match events.recv().await {
            Ok(ServiceEvent::Requesting { name }) => {
                println!("{name}: requesting a certificate");
            }
            Ok(ServiceEvent::Issued { name, bundle }) => {
                let leaf = bundle.chain().leaf();
                println!(
                    "{name}: certificate {} is valid until {}",
                    leaf.serial_hex(),
                    leaf.not_after
                );
            }
            Ok(ServiceEvent::Failed {
                name,
                error,
                next_attempt,
                ..
            }) => {
                let reason = chain(&error);
                eprintln!("acme: {name}: {reason}; next attempt at {next_attempt:.0}");
                if let Some(error) = error.authority()
                    && error.kind() == ErrorKind::AuthorizationFailed
                {
                    eprintln!(
                        "acme: {name}: the CA must reach this endpoint on port 443 (or --http-01 on port 80)"
                    );
                }
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

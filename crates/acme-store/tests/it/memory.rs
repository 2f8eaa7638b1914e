//! What the store in memory does beyond what every store does.

use std::sync::Arc;

use acme_store::{
    CertificateStore, CertificateStoreExt, MemoryStore, StoreEvent, messages::ServerName,
};
use futures_util::StreamExt;

#[tokio::test]
async fn boxes_and_arcs_are_stores_too() {
    fn store(_: &impl CertificateStore) {}
    let boxed: Box<dyn CertificateStore> = Box::new(MemoryStore::new());
    store(&boxed);
    let shared: Arc<dyn CertificateStore> = Arc::new(boxed);
    store(&shared);
    assert!(shared.list_all().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_slow_watcher_is_told_to_list_again() {
    let name: ServerName = "www.example.com".parse().unwrap();
    let store = MemoryStore::new();
    let mut events = store.watch();
    assert_eq!(events.next().await, Some(StoreEvent::Resync));
    for _ in 0..MemoryStore::WATCH_BACKLOG {
        store.request(name.clone());
        store.remove(&name);
    }
    assert_eq!(events.next().await, Some(StoreEvent::Resync));
}

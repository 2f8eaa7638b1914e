//! Free ports.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use acme_tests::{free_port, is_free};

#[test]
fn no_port_is_given_twice() {
    let ports: HashSet<u16> = (0..200).map(|_| free_port()).collect();
    assert_eq!(ports.len(), 200);
    assert!(ports.iter().all(|port| is_free(*port)));
}

#[test]
fn a_taken_port_is_not_free() {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert!(!is_free(tcp.local_addr().unwrap().port()));
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert!(!is_free(udp.local_addr().unwrap().port()));
}

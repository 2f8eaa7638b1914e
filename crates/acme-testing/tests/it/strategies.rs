//! The generators themselves: what they make is what they say.

use acme_testing::{
    messages::{
        Authorization, CertificateChain, Challenge, ChallengeType, Directory, DnsName, Order,
        Problem, ServerName, Token,
        jose::{KeyError, PrivateKey},
    },
    strategies::{
        authorization_json, certificate, challenge_json, directory_json, dns_label, dns_name,
        ip_address, order_json, pem_bundle, pem_noise, problem, problem_json, server_name, token,
        url, wildcard_name,
    },
};
use proptest::{prelude::*, strategy::ValueTree};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Reads a document, and reads what is written of it as the same.
fn read<T>(json: &Value) -> Result<T, TestCaseError>
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let read: T = serde_json::from_value(json.clone())
        .map_err(|error| TestCaseError::fail(format!("{error}: {json}")))?;
    let again: T = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
    prop_assert_eq!(&read, &again);
    Ok(read)
}

proptest! {
    // X14
    #[test]
    fn labels_are_of_letters_digits_and_inner_hyphens(label in dns_label()) {
        prop_assert!((1..=25).contains(&label.len()));
        let allowed = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        prop_assert!(label.chars().all(allowed));
        prop_assert!(!label.starts_with('-') && !label.ends_with('-'));
        prop_assert!(!label.chars().all(|it| it.is_ascii_digit()));
        prop_assert!(label.get(2..4) != Some("--"));
        prop_assert!(label.parse::<DnsName>().is_ok());
    }

    // X15
    #[test]
    fn names_parse_and_are_not_too_long(name in dns_name()) {
        prop_assert!(name.as_str().len() <= 253);
        prop_assert!((1..=10).contains(&name.as_str().split('.').count()));
        prop_assert!(!name.is_wildcard());
        prop_assert_eq!(name.as_str().parse::<ServerName>(), Ok(name.into()));
    }

    #[test]
    fn wildcards_are_wildcards(name in wildcard_name()) {
        prop_assert!(name.is_wildcard() && name.as_str().len() <= 253);
        prop_assert_eq!(name.as_str().parse::<ServerName>(), Ok(name.into()));
    }

    #[test]
    fn addresses_and_server_names_are_read_back(ip in ip_address(), name in server_name()) {
        prop_assert_eq!(ip.to_string().parse(), Ok(ServerName::Ip(ip)));
        prop_assert_eq!(name.to_string().parse(), Ok(name));
    }

    // X16
    #[test]
    fn urls_are_https_with_a_name_and_a_path(url in url()) {
        let rest = url.strip_prefix("https://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        prop_assert!(host.parse::<DnsName>().is_ok());
        let segments: Vec<_> = path.split('/').collect();
        prop_assert!((1..=10).contains(&segments.len()));
        prop_assert!(segments.iter().all(|it| (1..=64).contains(&it.len())));
    }

    #[cfg(feature = "client")]
    #[test]
    fn urls_are_kept_by_the_http_crate(url in url()) {
        let uri: http::Uri = url.parse().unwrap();
        prop_assert_eq!(uri.to_string(), url);
    }

    #[test]
    fn tokens_are_tokens(token in token()) {
        prop_assert_eq!(Token::parse(token.as_str()), Ok(token));
    }

    #[test]
    fn certificates_hold_together((chain, key) in certificate()) {
        chain.check_links().unwrap();
        chain.check_key(key.public_jwk()).unwrap();
        let leaf = chain.leaf();
        prop_assert!(leaf.not_before <= leaf.not_after);
        prop_assert!((1..=3).contains(&leaf.names.len()));
        chain.check_names(&leaf.names).unwrap();
    }

    #[test]
    fn bundles_are_a_key_and_its_chain(text in pem_bundle()) {
        let key = PrivateKey::from_pem(text.as_bytes()).unwrap();
        let certificates: Vec<_> = text
            .split_inclusive("-----END CERTIFICATE-----")
            .filter_map(|it| Some(&it[it.find("-----BEGIN CERTIFICATE-----")?..]))
            .collect();
        let chain = CertificateChain::from_pem(certificates.join("\n").as_bytes()).unwrap();
        chain.check_key(key.public_jwk()).unwrap();
        chain.check_links().unwrap();
    }

    #[test]
    fn noise_is_pem_and_no_more(text in pem_noise()) {
        prop_assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        prop_assert!(text.contains("-----BEGIN CERTIFICATE-----\n"));
        let refused = PrivateKey::from_pem(text.as_bytes()).unwrap_err();
        prop_assert!(!matches!(refused, KeyError::Missing), "{:?}", refused);
    }

    #[test]
    fn directories_are_read_whatever_else_stands_there(json in directory_json()) {
        let directory: Directory = read(&json)?;
        prop_assert_eq!(&directory.new_order, &json["newOrder"]);
        prop_assert_eq!(directory.renewal_info.as_deref(), json["renewalInfo"].as_str());
        let terms = directory.meta.terms_of_service.as_deref();
        prop_assert_eq!(terms, json["meta"]["termsOfService"].as_str());
    }

    #[test]
    fn orders_are_read_whatever_else_stands_there(json in order_json()) {
        let order: Order = read(&json)?;
        prop_assert_eq!(order.status.as_str(), &json["status"]);
        prop_assert_eq!(&order.finalize, &json["finalize"]);
        prop_assert_eq!(order.identifiers.len(), json["identifiers"].as_array().unwrap().len());
        prop_assert_eq!(order.certificate.as_deref(), json["certificate"].as_str());
    }

    #[test]
    fn authorizations_are_read_whatever_else_stands_there(json in authorization_json()) {
        let authorization: Authorization = read(&json)?;
        prop_assert_eq!(authorization.status.as_str(), &json["status"]);
        let challenges = json["challenges"].as_array().unwrap();
        prop_assert_eq!(authorization.challenges.len(), challenges.len());
    }

    #[test]
    fn challenges_are_read_and_keep_what_nobody_knows(json in challenge_json()) {
        let challenge: Challenge = read(&json)?;
        prop_assert_eq!(challenge.kind.as_str(), &json["type"]);
        prop_assert_eq!(challenge.token.as_deref(), json["token"].as_str());
        for (name, value) in json.as_object().unwrap() {
            if name.starts_with('x') {
                prop_assert_eq!(&challenge.extra[name], value);
            }
        }
    }

    #[test]
    fn problems_are_read_whatever_else_stands_there(json in problem_json()) {
        let problem: Problem = read(&json)?;
        prop_assert_eq!(problem.detail.as_deref(), json["detail"].as_str());
        let subproblems = json["subproblems"].as_array().map_or(0, Vec::len);
        prop_assert_eq!(problem.subproblems.len(), subproblems);
        prop_assert!(!problem.to_string().contains('\n'));
    }

    #[test]
    fn problems_are_also_had_as_read(problem in problem()) {
        let json = serde_json::to_value(&problem).unwrap();
        prop_assert_eq!(read::<Problem>(&json)?, problem);
    }
}

// X17
#[cfg(feature = "store")]
mod store {
    use acme_testing::store::{
        CertificateBundle, CertificateStore, CertificateStoreExt, Expect, MemoryStore,
    };

    use super::*;

    fn survives(store: &dyn CertificateStore, text: &str) {
        let bundle = CertificateBundle::from_pem(text.as_bytes()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            for name in bundle.chain().leaf().names.clone() {
                if store.accepts(&name).await.is_err() {
                    continue; // Longer than a file's name may be.
                }
                let known = store.get(&name).await.unwrap();
                let expected = known.map_or(Expect::Absent, |it| it.version.into());
                store.put(&name, &bundle, expected).await.unwrap();
                let got = store.get(&name).await.unwrap().unwrap();
                assert_eq!(got.bundle(), Some(&bundle));
                assert_eq!(
                    got.bundle().unwrap().key().thumbprint(),
                    bundle.key().thumbprint()
                );
                assert!(
                    store
                        .list_all()
                        .await
                        .unwrap()
                        .iter()
                        .any(|it| it.name == name)
                );
            }
        });
    }

    proptest! {
        #[test]
        fn bundles_survive_a_store(text in pem_bundle()) {
            survives(&MemoryStore::new(), &text);
        }

        #[test]
        fn noise_is_refused_by_readers(text in pem_noise()) {
            prop_assert!(CertificateBundle::from_pem(text.as_bytes()).is_err());
        }
    }

    #[cfg(unix)]
    proptest! {
        // Disks take their time.
        #![proptest_config(fewer())]

        #[test]
        fn bundles_survive_a_directory(text in pem_bundle()) {
            let directory = tempfile::tempdir().unwrap();
            let open = acme_testing::store::DirectoryStore::open(directory.path());
            let runtime = tokio::runtime::Builder::new_current_thread();
            let store = { runtime }.enable_all().build().unwrap().block_on(open).unwrap();
            survives(&store, &text);
        }
    }

    #[cfg(unix)]
    fn fewer() -> ProptestConfig {
        let mut config = ProptestConfig::default();
        config.cases = config.cases.div_ceil(16);
        config
    }
}

#[test]
fn every_type_of_challenge_is_drawn() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..500 {
        let json = challenge_json().new_tree(&mut runner).unwrap().current();
        let challenge: Challenge = serde_json::from_value(json).unwrap();
        seen.insert(match challenge.kind {
            ChallengeType::Other(_) => "another".to_owned(),
            known => known.as_str().to_owned(),
        });
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
}

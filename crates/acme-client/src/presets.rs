//! CAs that speak ACME, as data: where they are, and what they want to know.
//!
//! What a CA says in its directory goes before what stands here.
//! CAs that are dead are left out; those inside a company have URLs of their own.

/// A CA that speaks ACME, or one of its environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preset {
    /// What it is called in a configuration: lower case, no spaces.
    pub id: &'static str,
    /// What it is called for people.
    pub name: &'static str,
    /// Its directory's URL, to be used verbatim.
    pub directory_url: &'static str,
    /// The identifier of the environment to try things out in, where there is one; its
    /// certificates are trusted by nobody.
    pub staging: Option<&'static str>,
    /// Whether a new account must be bound to an account elsewhere at the CA
    /// ([RFC 8555, section 7.3.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4)):
    /// a key identifier and a MAC key from its site.
    pub external_account: bool,
    /// Whether a contact is needed.
    pub contact: bool,
}

impl Preset {
    /// The CA of this identifier; case does not matter.
    ///
    /// ```
    /// use acme_client::{Preset, messages::directory_urls};
    ///
    /// let ca = Preset::by_id("letsencrypt").ok_or("it is there")?;
    /// assert_eq!(ca.directory_url, directory_urls::LETS_ENCRYPT);
    /// assert!(!ca.external_account);
    /// let staging = ca.staging.and_then(Preset::by_id).ok_or("it is there")?;
    /// assert_eq!(staging.directory_url, directory_urls::LETS_ENCRYPT_STAGING);
    /// # Ok::<_, &str>(())
    /// ```
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|it| it.id.eq_ignore_ascii_case(id))
    }

    /// The CA of this directory, if it is a known one.
    #[must_use]
    pub fn by_directory_url(url: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|it| it.directory_url == url)
    }

    const fn new(id: &'static str, name: &'static str, directory_url: &'static str) -> Self {
        Self {
            id,
            name,
            directory_url,
            staging: None,
            external_account: false,
            contact: false,
        }
    }

    const fn staging(mut self, id: &'static str) -> Self {
        self.staging = Some(id);
        self
    }

    const fn external(mut self) -> Self {
        self.external_account = true;
        self
    }

    const fn contact(mut self) -> Self {
        self.contact = true;
        self
    }
}

/// The known CAs, by identifier.
pub const PRESETS: &[Preset] = &[
    Preset::new(
        "actalis",
        "Actalis",
        "https://acme-api.actalis.com/acme/directory",
    )
    .external(),
    Preset::new(
        "digicert",
        "DigiCert CertCentral",
        "https://acme.digicert.com/v2/acme/directory/",
    )
    .external(),
    Preset::new(
        "digicert-one",
        "DigiCert ONE",
        "https://one.digicert.com/mpki/api/v1/acme/v2/directory",
    )
    .external(),
    Preset::new("freessl", "FreeSSL", "https://acmepro.freessl.cn/v2/DV").external(),
    Preset::new(
        "globalsign",
        "GlobalSign Atlas",
        "https://emea.acme.atlas.globalsign.com/directory",
    )
    .external(),
    Preset::new(
        "google",
        "Google Trust Services",
        "https://dv.acme-v02.api.pki.goog/directory",
    )
    .staging("google-test")
    .external(),
    Preset::new(
        "google-test",
        "Google Trust Services, test",
        "https://dv.acme-v02.test-api.pki.goog/directory",
    )
    .external(),
    Preset::new(
        "letsencrypt",
        "Let's Encrypt",
        acme_messages::directory_urls::LETS_ENCRYPT,
    )
    .staging("letsencrypt-staging"),
    Preset::new(
        "letsencrypt-staging",
        "Let's Encrypt, staging",
        acme_messages::directory_urls::LETS_ENCRYPT_STAGING,
    ),
    Preset::new(
        "litessl",
        "LiteSSL",
        "https://acme.litessl.com/acme/v2/directory",
    )
    .external(),
    Preset::new(
        "peeringhub",
        "PeeringHub",
        "https://stica.peeringhub.io/acme",
    )
    .external(),
    Preset::new(
        "sectigo-dv",
        "Sectigo, domain validated",
        "https://acme.sectigo.com/v2/DV",
    )
    .external(),
    Preset::new(
        "sectigo-ev",
        "Sectigo, extended validation",
        "https://acme.sectigo.com/v2/EV",
    )
    .external(),
    Preset::new(
        "sectigo-ov",
        "Sectigo, organisation validated",
        "https://acme.sectigo.com/v2/OV",
    )
    .external(),
    Preset::new(
        "sslcom-ecc",
        "SSL.com, ECC",
        "https://acme.ssl.com/sslcom-dv-ecc",
    )
    .external()
    .contact(),
    Preset::new(
        "sslcom-rsa",
        "SSL.com, RSA",
        "https://acme.ssl.com/sslcom-dv-rsa",
    )
    .external()
    .contact(),
    Preset::new("zerossl", "ZeroSSL", "https://acme.zerossl.com/v2/DV90").external(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_points_at_itself() {
        assert!(PRESETS.windows(2).all(|it| it[0].id < it[1].id));
        for ca in PRESETS {
            assert_eq!(Preset::by_id(&ca.id.to_uppercase()), Some(ca));
            assert_eq!(Preset::by_directory_url(ca.directory_url), Some(ca));
            assert!(ca.directory_url.starts_with("https://"), "{}", ca.id);
            if let Some(staging) = ca.staging {
                let staging = Preset::by_id(staging).unwrap();
                assert_eq!(staging.external_account, ca.external_account);
            }
        }
        // DigiCert's ends with a slash, which matters.
        let digicert = Preset::by_id("digicert").unwrap();
        assert!(digicert.directory_url.ends_with("/directory/"));
        assert_eq!(Preset::by_id("buypass"), None);
    }
}

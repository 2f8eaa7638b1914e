//! A certificate taken apart: slices of the bytes received, never encoded anew
//! ([RFC 5280, section 4.1]).
//!
//! Dates before 1970, as the example of RFC 9773 has them, and after the last
//! moment that a [`Timestamp`] can name are read too.
//!
//! [RFC 5280, section 4.1]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1

use const_oid::{AssociatedOid, ObjectIdentifier, db::rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER};
use der::{
    Decode, Reader, SliceReader, Tag, Tagged,
    asn1::{AnyRef, BitStringRef},
};
use jiff::{Timestamp, civil, tz::TimeZone};
use spki::AlgorithmIdentifierRef;

/// The parts of a certificate that someone here asks for.
pub(super) struct Parts<'a> {
    /// What the issuer signed.
    pub(super) signed: &'a [u8],
    /// The contents of the serial number.
    pub(super) serial: &'a [u8],
    /// The issuer's name as DER.
    pub(super) issuer: &'a [u8],
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// The subject's name as DER.
    pub(super) subject: &'a [u8],
    /// The public key as DER.
    pub(super) spki: &'a [u8],
    /// What is in the list of extensions.
    extensions: &'a [u8],
    /// The signature's algorithm.
    pub(super) algorithm: ObjectIdentifier,
    /// The same with its parameters: the contents of an `AlgorithmIdentifier`.
    pub(super) algorithm_id: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// An extension: the contents of its identifier, and its value as DER.
struct Extension<'a> {
    id: &'a [u8],
    value: &'a [u8],
}

impl<'a> Extension<'a> {
    fn from_der(extension: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(contents(extension, Tag::Sequence)?)?;
        let id = contents(reader.tlv_bytes()?, Tag::ObjectIdentifier)?;
        let mut value = AnyRef::decode(&mut reader)?;
        // Whether it is critical is not asked here.
        if value.tag() == Tag::Boolean {
            value = AnyRef::decode(&mut reader)?;
        }
        reader.finish()?;
        value.tag().assert_eq(Tag::OctetString)?;
        let value = value.value();
        Ok(Self { id, value })
    }
}

/// A public key taken apart.
pub(super) struct PublicKey<'a> {
    /// Its algorithm and parameters: the contents of an `AlgorithmIdentifier`.
    pub(super) algorithm_id: &'a [u8],
    /// The key itself.
    pub(super) bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    pub(super) fn from_der(spki: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(contents(spki, Tag::Sequence)?)?;
        let algorithm_id = contents(reader.tlv_bytes()?, Tag::Sequence)?;
        let bits = whole_bytes(&BitStringRef::decode(&mut reader)?)?;
        reader.finish()?;
        Ok(Self { algorithm_id, bits })
    }
}

impl<'a> Parts<'a> {
    pub(super) fn from_der(certificate: &'a [u8]) -> der::Result<Self> {
        let mut outer = SliceReader::new(contents(certificate, Tag::Sequence)?)?;
        let signed = outer.tlv_bytes()?;
        let algorithm = outer.tlv_bytes()?;
        let signature = BitStringRef::decode(&mut outer)?;
        outer.finish()?;

        let mut inner = SliceReader::new(contents(signed, Tag::Sequence)?)?;
        let mut serial = inner.tlv_bytes()?;
        if context_number(serial) == Some(0) {
            serial = inner.tlv_bytes()?;
        }
        // RFC 5280, section 4.1.1.2: both places name one algorithm.
        if inner.tlv_bytes()? != algorithm {
            return Err(Tag::Sequence.value_error().into());
        }
        let issuer = inner.tlv_bytes()?;
        let mut validity = SliceReader::new(contents(inner.tlv_bytes()?, Tag::Sequence)?)?;
        let not_before = time(validity.tlv_bytes()?)?;
        let not_after = time(validity.tlv_bytes()?)?;
        validity.finish()?;
        let subject = inner.tlv_bytes()?;
        let spki = inner.tlv_bytes()?;
        let mut extensions = &[][..];
        while !inner.is_finished() {
            let part = inner.tlv_bytes()?;
            if context_number(part) == Some(3) {
                extensions = contents(AnyRef::from_der(part)?.value(), Tag::Sequence)?;
            }
        }
        Ok(Self {
            signed,
            serial: contents(serial, Tag::Integer)?,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
            extensions,
            algorithm: AlgorithmIdentifierRef::from_der(algorithm)?.oid,
            algorithm_id: contents(algorithm, Tag::Sequence)?,
            signature: whole_bytes(&signature)?,
        })
    }

    /// The extensions, each of which can be read.
    pub(super) fn extensions(&self) -> der::Result<Extensions<'a>> {
        let mut reader = SliceReader::new(self.extensions)?;
        let mut all = Vec::new();
        while !reader.is_finished() {
            all.push(Extension::from_der(reader.tlv_bytes()?)?);
        }
        Ok(Extensions(all))
    }
}

/// The extensions of a certificate.
pub(super) struct Extensions<'a>(Vec<Extension<'a>>);

impl<'a> Extensions<'a> {
    /// An extension's value; having one twice is an error (RFC 5280, section 4.2).
    pub(super) fn get<T>(&self) -> der::Result<Option<T>>
    where
        T: AssociatedOid + for<'b> Decode<'b, Error = der::Error>,
    {
        self.value(T::OID)?.map(T::from_der).transpose()
    }

    /// The key identifier of the issuer ([RFC 5280, section 4.2.1.1]): whatever else its
    /// extension says, be it in order or not, nobody here asks for.
    ///
    /// [RFC 5280, section 4.2.1.1]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.1
    pub(super) fn authority_key_id(&self) -> Option<&'a [u8]> {
        let extension = self.value(ID_CE_AUTHORITY_KEY_IDENTIFIER).ok()??;
        let mut reader = SliceReader::new(contents(extension, Tag::Sequence).ok()?).ok()?;
        while !reader.is_finished() {
            let part = reader.tlv_bytes().ok()?;
            if context_number(part) == Some(0) {
                let id = AnyRef::from_der(part).ok()?.value();
                return (!id.is_empty()).then_some(id);
            }
        }
        None
    }

    fn value(&self, id: ObjectIdentifier) -> der::Result<Option<&'a [u8]>> {
        let mut all = self.0.iter().filter(|it| it.id == id.as_bytes());
        let extension = all.next();
        if all.next().is_some() {
            return Err(Tag::Sequence.value_error().into());
        }
        Ok(extension.map(|it| it.value))
    }
}

fn whole_bytes<'a>(bits: &BitStringRef<'a>) -> der::Result<&'a [u8]> {
    let bytes = bits.as_bytes();
    bytes.ok_or_else(|| Tag::BitString.value_error().into())
}

/// The contents of the one element that the bytes are.
fn contents(tlv: &[u8], tag: Tag) -> der::Result<&[u8]> {
    let element = AnyRef::from_der(tlv)?;
    element.tag().assert_eq(tag)?;
    Ok(element.value())
}

fn context_number(tlv: &[u8]) -> Option<u32> {
    match AnyRef::from_der(tlv).ok()?.tag() {
        Tag::ContextSpecific { number, .. } => Some(number.value()),
        _ => None,
    }
}

/// `UTCTime` or `GeneralizedTime` ([RFC 5280, section 4.1.2.5]): to the second, in UTC.
///
/// [RFC 5280, section 4.1.2.5]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5
fn time(tlv: &[u8]) -> der::Result<Timestamp> {
    let element = AnyRef::from_der(tlv)?;
    let wrong = || der::Error::from(element.tag().value_error());
    let digits = element.value().strip_suffix(b"Z").ok_or_else(wrong)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(wrong());
    }
    let (pairs, _) = digits.as_chunks();
    let number = |[tens, ones]: [u8; 2]| ((tens - b'0') * 10 + (ones - b'0')).cast_signed();
    let (year, rest) = match (element.tag(), digits.len(), pairs) {
        (Tag::UtcTime, 12, [year, rest @ ..]) => {
            let year = i16::from(number(*year));
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        (Tag::GeneralizedTime, 14, [century, year, rest @ ..]) => {
            let century = i16::from(number(*century));
            (century * 100 + i16::from(number(*year)), rest)
        }
        _ => return Err(wrong()),
    };
    let &[month, day, hour, minute, second] = rest else {
        return Err(wrong());
    };
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(number);
    let moment =
        civil::DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| wrong())?;
    // Four digits of year leave the range at one end only: "no end" is 99991231235959Z.
    Ok(TimeZone::UTC.to_timestamp(moment).unwrap_or(Timestamp::MAX))
}

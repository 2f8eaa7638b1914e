#!/bin/sh
# Makes the certificates and signing requests of this folder anew, with openssl 3.
# The dates are fixed; the keys, and so the bytes, are new at each run.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
ec() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:"$1" -out "$2" 2>/dev/null ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"$1" -out "$2"; }

cat >"$work/ca.cnf" <<END
[ca]
default_ca = here
[here]
new_certs_dir = $work
database = $work/index
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = optional
[req]
distinguished_name = none
prompt = no
[none]
[root]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
[issuer]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
authorityKeyIdentifier = keyid
subjectAltName = DNS:a.example.com, DNS:*.b.example.com, IP:192.0.2.1, IP:2001:db8::1
[other]
subjectAltName = DNS:a.example.com, email:a@example.com, URI:https://example.com/, DNS:_srv.example.com
[bare]
basicConstraints = CA:FALSE
END
: >"$work/index"

# certificate NAME SUBJECT SECTION START END [ISSUER]
certificate() {
    [ -f "$work/$1.key" ] || ec P-256 "$work/$1.key"
    openssl req -config "$work/ca.cnf" -new -key "$work/$1.key" -subj "$2" -out "$work/csr"
    if [ $# -gt 5 ]; then
        set -- "$@" -cert "$6.pem" -keyfile "$work/$6.key"
    else
        set -- "$@" "" -selfsign -keyfile "$work/$1.key"
    fi
    name=$1 section=$3 start=$4 end=$5
    shift 6
    openssl ca -batch -notext -config "$work/ca.cnf" -in "$work/csr" -preserveDN \
        -extensions "$section" -startdate "$start" -enddate "$end" "$@" \
        -out "$name.pem" 2>/dev/null
}
year='20260101000000Z 20270101000000Z'
certificate root /CN=Root root 20200101000000Z 20600101000000Z
certificate issuer /CN=Issuer issuer 20200101000000Z 20500101000000Z root
certificate leaf /CN=a.example.com leaf $year issuer
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/rsa-root.key" 2>/dev/null
certificate rsa-root "/CN=RSA root" root 20200101000000Z 20600101000000Z
certificate rsa-leaf /CN=rsa leaf $year rsa-root
certificate other / other $year issuer
certificate bare /CN=bare bare $year issuer
certificate endless /CN=endless leaf 20260101000000Z 99991231235959Z issuer
certificate past-2050 /CN=late leaf 20491231235959Z 20510203040506Z issuer
# A second issuer of the same name: its signature is not the first one's.
certificate namesake /CN=Issuer issuer 20200101000000Z 20500101000000Z root
cp "$work/leaf.key" leaf.key

# request NAME KEY SUBJECT EXTENSIONS [OPTION…]
request() {
    name=$1 key=$2 subject=$3 extensions=$4
    shift 4
    { printf '[req]\ndistinguished_name = none\nprompt = no\n[none]\n[ext]\n'
      printf "$extensions"; } >"$work/req.cnf"
    set -- -config "$work/req.cnf" -new -key "$key" -subj "$subject" "$@"
    [ -z "$extensions" ] || set -- "$@" -reqexts ext
    openssl req "$@" -outform DER -out "$name.csr"
}
key=$work/leaf.key
ec P-384 "$work/p384.key"
request names "$key" /CN=a.example.com 'subjectAltName = DNS:A.example.com, DNS:*.b.example.com, IP:192.0.2.1, IP:2001:db8::1\nkeyUsage = digitalSignature\n'
request no-san "$key" /CN=a.example.com ''
request email "$key" / 'subjectAltName = DNS:a.example.com, email:a@example.com\n'
request two-sans "$key" / 'subjectAltName = DNS:a.example.com\n2.5.29.17 = DER:300f820d622e6578616d706c652e636f6d\n'
request sha384 "$key" / 'subjectAltName = DNS:a.example.com\n' -sha384
request p384 "$work/p384.key" / 'subjectAltName = DNS:a.example.com\n'
request rsa "$work/rsa-root.key" / 'subjectAltName = DNS:a.example.com\n'
openssl ca -gencrl -config "$work/ca.cnf" -cert issuer.pem -keyfile "$work/issuer.key" -crldays 3650 -out crl.pem 2>/dev/null

# Common names in the strings of old: sixteen bits a character, and Latin-1.
# old-string NAME MASK
old_string() {
    printf '[req]\ndistinguished_name = none\nprompt = no\nutf8 = yes\nstring_mask = MASK:%s\nreq_extensions = ext\n[none]\ncommonName = caf\303\251.example\n[ext]\nsubjectAltName = DNS:a.example.com\n' \
        "$2" >"$work/old.cnf"
    openssl req -config "$work/old.cnf" -new -key "$work/leaf.key" -outform DER -out "$1.csr"
}
old_string bmp-name 0x800
old_string latin-name 0x4
request final-dot "$work/leaf.key" / 'subjectAltName = DNS:a.example.com.\n'
openssl genrsa -out "$work/small.key" 1024 2>/dev/null
request small-rsa "$work/small.key" / 'subjectAltName = DNS:a.example.com\n'
# An issuer whose serial number is longer than the twenty bytes of RFC 5280.
printf '[aki]\nauthorityKeyIdentifier = keyid, issuer:always\n' >"$work/aki.cnf"
openssl req -x509 -config "$work/ca.cnf" -extensions root -key "$work/root.key" -subj /CN=Long \
    -set_serial "0x$(printf '7f%.0s' $(seq 25))" -days 9999 -out "$work/long.pem"
openssl req -config "$work/ca.cnf" -new -key "$work/leaf.key" -subj /CN=leaf -out "$work/csr"
openssl x509 -req -in "$work/csr" -CA "$work/long.pem" -CAkey "$work/root.key" -set_serial 5 \
    -extfile "$work/aki.cnf" -extensions aki -days 9999 -out long-issuer-serial.pem 2>/dev/null

//! Which algorithms are spoken: no SHA-1, no CBC, no compression, no finite-field groups. `docs/enforcement.md` names them.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::{Preferred, cipher, compression, kex, mac};

const EXCHANGES: [kex::Name; 7] = [
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    // What follows says what else is understood: the types of signatures, and the strict order of a handshake (against Terrapin).
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

const CIPHERS: [cipher::Name; 4] =
    [cipher::CHACHA20_POLY1305, cipher::AES_256_GCM, cipher::AES_256_CTR, cipher::AES_128_CTR];

/// The last two for clients of libssh2 before 1.11, such as curl in Debian 12, which know no others of SHA-2.
const MACS: [mac::Name; 4] = [mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512, mac::HMAC_SHA256];

const COMPRESSIONS: [compression::Name; 1] = [compression::NONE];

/// With a host key of this kind.
pub(super) fn preferred(host_key: Algorithm) -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&EXCHANGES),
        key: Cow::Owned(vec![host_key]),
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Borrowed(&CIPHERS),
        mac: Cow::Borrowed(&MACS),
        compression: Cow::Borrowed(&COMPRESSIONS),
    }
}

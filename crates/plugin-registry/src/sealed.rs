//! A private key under a passphrase, in the form of cosign and other tools of Sigstore: JSON that
//! names scrypt with its cost and salt, and `NaCl`'s secretbox with its nonce.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use serde::{Deserialize, Serialize};

use crate::key::KeyError;

const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";
const SALT: usize = 32;
const NONCE: usize = 24;
/// The cost that keys are sealed with: 64 MiB, as cosign does.
const COST: Cost = Cost {
    n: 1 << 16,
    r: 8,
    p: 1,
};
/// The costs that keys of others are opened with, the dearest of 128 MiB; another could be anything.
const MOST_N: u32 = 1 << 17;
const LEAST_N: u32 = 1 << 14;

#[derive(Serialize, Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Puts content under a passphrase.
pub(crate) fn seal(content: &[u8], passphrase: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    for random in [&mut salt[..], &mut nonce[..]] {
        getrandom::fill(random).map_err(|_| KeyError::Randomness)?;
    }
    let ciphertext = cipher(COST, &salt, passphrase)?
        .encrypt(&Nonce::from(nonce), content)
        .map_err(|_| KeyError::Sealing("it is too long".to_owned()))?;
    let sealed = Sealed {
        kdf: Kdf {
            name: KDF.to_owned(),
            params: COST,
            salt: BASE64.encode(salt),
        },
        cipher: Cipher {
            name: CIPHER.to_owned(),
            nonce: BASE64.encode(nonce),
        },
        ciphertext: BASE64.encode(ciphertext),
    };
    Ok(serde_json::to_vec(&sealed).expect("texts and numbers can be written"))
}

/// Takes content from under its passphrase.
pub(crate) fn open(sealed: &[u8], passphrase: &[u8]) -> Result<Vec<u8>, KeyError> {
    let unknown = |what: &str| KeyError::Sealing(what.to_owned());
    let sealed: Sealed =
        serde_json::from_slice(sealed).map_err(|_| unknown("its content is no JSON of cosign"))?;
    if sealed.kdf.name != KDF || sealed.cipher.name != CIPHER {
        return Err(unknown("it names neither scrypt nor NaCl's secretbox"));
    }
    let bytes = |text: &str| BASE64.decode(text).map_err(|_| unknown("it has no base64"));
    let salt = bytes(&sealed.kdf.salt)?;
    let nonce: [u8; NONCE] = bytes(&sealed.cipher.nonce)?
        .try_into()
        .map_err(|_| unknown("its nonce is of another length"))?;
    cipher(sealed.kdf.params, &salt, passphrase)?
        .decrypt(&Nonce::from(nonce), bytes(&sealed.ciphertext)?.as_slice())
        .map_err(|_| KeyError::Passphrase)
}

fn cipher(cost: Cost, salt: &[u8], passphrase: &[u8]) -> Result<XSalsa20Poly1305, KeyError> {
    let known = cost.n.is_power_of_two() && (LEAST_N..=MOST_N).contains(&cost.n);
    if !known || cost.r != COST.r || cost.p != COST.p {
        let what = "its cost of scrypt is not one that cosign uses";
        return Err(KeyError::Sealing(what.to_owned()));
    }
    let log_n = u8::try_from(cost.n.ilog2()).unwrap_or(u8::MAX);
    let mut key = Key::default();
    let params = scrypt::Params::new(log_n, cost.r, cost.p);
    let derived = params.map(|params| scrypt::scrypt(passphrase, salt, &params, &mut key));
    match derived {
        Ok(Ok(())) => Ok(XSalsa20Poly1305::new(&key)),
        _ => Err(KeyError::Sealing("scrypt refuses its cost".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyError, open, seal};

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_alone() {
        let sealed = seal(b"secret", b"open sesame").expect("sealed");
        assert_eq!(open(&sealed, b"open sesame"), Ok(b"secret".to_vec()));
        assert_eq!(open(&sealed, b""), Err(KeyError::Passphrase));
    }

    #[test]
    fn a_cost_that_nobody_uses_is_not_paid() {
        let sealed = seal(b"secret", b"").expect("sealed");
        let text = String::from_utf8(sealed).expect("JSON");
        for (from, to) in [
            ("\"N\":65536", "\"N\":1073741824"),
            ("\"N\":65536", "\"N\":65537"),
            ("\"r\":8", "\"r\":1000000"),
            ("\"p\":1", "\"p\":4000000000"),
            ("scrypt", "pbkdf2"),
        ] {
            assert!(text.contains(from), "{text}");
            let opened = open(text.replace(from, to).as_bytes(), b"");
            assert!(matches!(opened, Err(KeyError::Sealing(_))), "{to}");
        }
    }
}

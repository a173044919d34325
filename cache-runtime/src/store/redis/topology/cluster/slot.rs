//! Slots: the parts into which a cluster divides all keys.

/// How many there are.
pub(super) const SLOTS: usize = 16_384;

/// The slot of a key.
pub(in crate::store) fn of(key: &str) -> u16 {
    // Less than 16,384, which is a power of two.
    crc16(hashed(key).as_bytes()) & 0x3fff
}

/// What decides on the slot: the text within the first braces, if there is any, so that keys can be
/// kept together.
fn hashed(key: &str) -> &str {
    let tag = || key.split_once('{')?.1.split_once('}').map(|(tag, _)| tag);
    tag().filter(|tag| !tag.is_empty()).unwrap_or(key)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        let [high, low] = crc.to_be_bytes();
        u16::from_be_bytes([low, 0]) ^ TABLE[usize::from(high ^ byte)]
    })
}

/// What eight steps of the division make of each byte.
static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let (mut byte, mut high) = (0, 0_u16);
    while byte < table.len() {
        let mut crc = high << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
        high += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn slots_are_those_that_servers_give() {
        // By `CLUSTER KEYSLOT`.
        for (key, slot) in [
            ("foo", 12_182),
            ("bar", 5_061),
            ("somekey", 11_058),
            ("foo{hash_tag}", 2_515),
            ("bar{hash_tag}", 2_515),
        ] {
            assert_eq!(of(key), slot, "{key}");
        }
    }

    #[test]
    fn a_hash_tag_is_what_the_first_braces_hold() {
        for (key, text) in [
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("foo}bar{", "foo}bar{"),
            ("foo}{bar}", "bar"),
        ] {
            assert_eq!(hashed(key), text, "{key}");
        }
    }
}

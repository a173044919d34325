use proptest::prelude::*;

use crate::record::value::MOST_STAMPS;
use crate::record::*;

const KEY: &str = "user:7";
const ORIGIN: Origin = Origin([0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7]);
const TOKEN: Token = Token::from_bytes(*b"0123456789abcdef");

const OTHER: Token = Token::from_bytes(*b"fedcba9876543210");

/// Changed bytes here mean a new format version: other processes, and other versions of this one,
/// read them.
const VALUE: &str = "c1ca0156 a0a1a2a3a4a5a6a7 0067b227f59ee6b4 30313233343536373839616263646566 \
     0000019012345678 0000019012345a6c 000001f4 00000003 4a 00 0040 2241646122";

fn hash() -> KeyHash {
    KeyHash::of(KEY)
}

fn hex(bytes: &[u8]) -> String {
    format!("{bytes:02x?}")
}

/// Bytes written in hexadecimal.
fn golden(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// The value of [`VALUE`] as it comes out of the parts it is made of.
fn made() -> Vec<u8> {
    let header = ValueHeader { key: hash(), token: TOKEN, cost_ms: 500, version: 3, codec: b'J' };
    let mut record = value(header, &[], None);
    set_origin(&mut record, ORIGIN);
    record[36..44].copy_from_slice(&0x190_1234_5678_u64.to_be_bytes());
    record[44..52].copy_from_slice(&0x190_1234_5A6C_u64.to_be_bytes());
    record.extend_from_slice(b"\"Ada\"");
    record
}

fn found(record: &[u8]) -> Found {
    read(Bytes::copy_from_slice(record), hash())
}

fn is_value(record: &[u8]) -> bool {
    matches!(found(record), Found::Value(_))
}

#[test]
fn the_hash_of_a_key_is_xxh3() {
    assert_eq!(KeyHash::of("").0, 0x2D06_8005_38D3_94C2);
    assert_eq!(hash().0, 0x0067_B227_F59E_E6B4);
}

#[test]
fn values_have_these_bytes() {
    assert_eq!(hex(&made()), hex(&golden(VALUE)));
}

#[test]
fn flags_are_bits_of_one_byte() {
    let (plain, mut flagged) = (made(), made());
    set_error(&mut flagged);
    let Found::Value(error) = found(&flagged) else { panic!("no value") };
    assert!(error.is_error() && !error.is_kept());
    set_kept(&mut flagged);
    let Found::Value(both) = found(&flagged) else { panic!("no value") };
    assert!(both.is_error() && both.is_kept());
    let Found::Value(neither) = found(&plain) else { panic!("no value") };
    assert!(!neither.is_error() && !neither.is_kept());
    assert_eq!((plain[61], flagged[61]), (0, 3));
    flagged[61] = 0;
    assert_eq!(hex(&flagged), hex(&plain), "and nothing else changes");
}

#[test]
fn leases_have_these_bytes() {
    let expected =
        golden("c1ca014c a0a1a2a3a4a5a6a7 0067b227f59ee6b4 30313233343536373839616263646566");
    assert_eq!(hex(&lease(ORIGIN, hash(), TOKEN)), hex(&expected));
}

#[test]
fn fences_and_tombstones_begin_with_these_bytes() {
    let fence = golden("c1ca0146 a0a1a2a3a4a5a6a7 0067b227f59ee6b4");
    assert_eq!(hex(&header(Kind::Fence, ORIGIN, hash())), hex(&fence));
    let tombstone = golden("c1ca0154 a0a1a2a3a4a5a6a7 0067b227f59ee6b4");
    assert_eq!(hex(&header(Kind::Tombstone, ORIGIN, hash())), hex(&tombstone));
}

#[test]
fn a_value_is_read_in_all_its_fields() {
    let Found::Value(value) = found(&golden(VALUE)) else { panic!("no value") };
    assert_eq!(value.token(), TOKEN);
    assert_eq!(value.stored_at_ms(), 0x190_1234_5678);
    assert_eq!(value.fresh_until_ms(), 0x190_1234_5A6C);
    assert_eq!((value.cost_ms(), value.version(), value.codec()), (500, 3, b'J'));
    assert_eq!(value.payload(), b"\"Ada\"");
    assert_eq!(token(&golden(VALUE)), Some(TOKEN));
}

/// The value of [`VALUE`] with a tag.
const TAGGED: &str = "c1ca0156 a0a1a2a3a4a5a6a7 0067b227f59ee6b4 30313233343536373839616263646566 \
     0000019012345678 0000019012345a6c 000001f4 00000003 4a 00 0058 \
     bf9cea970bcc4122 66656463626139383736353433323130 2241646122";

fn stamps(texts: &[(&str, Token)]) -> Vec<Stamp> {
    texts.iter().map(|&(tag, token)| Stamp { tag: KeyHash::of(tag), token, former: None }).collect()
}

#[test]
fn tags_have_these_bytes() {
    let stamps = stamps(&[("~tag:org:7", OTHER)]);
    let header = ValueHeader { key: hash(), token: TOKEN, cost_ms: 500, version: 3, codec: b'J' };
    let mut record = value(header, &stamps, None);
    record[..52].copy_from_slice(&golden(VALUE)[..52]);
    record.extend_from_slice(b"\"Ada\"");
    assert_eq!(hex(&record), hex(&golden(TAGGED)));
}

#[test]
fn tags_and_stamps_count_in_number_and_order() {
    let Found::Value(value) = found(&golden(TAGGED)) else { panic!("no value") };
    assert_eq!(value.payload(), b"\"Ada\"");
    let fits = |texts: &[(&str, Token)]| {
        let stamps = stamps(texts);
        (value.has_tags(stamps.iter().map(|stamp| stamp.tag)), value.has_stamps(&stamps))
    };
    let org = "~tag:org:7";
    assert_eq!(fits(&[(org, OTHER)]), (true, true));
    assert_eq!(fits(&[(org, TOKEN)]), (true, false));
    assert_eq!(fits(&[("~tag:org:8", OTHER)]), (false, false));
    assert_eq!(fits(&[]), (false, false));
    assert_eq!(fits(&[(org, OTHER), (org, OTHER)]), (false, false));
}

/// The value of [`VALUE`] with two tags, of which it has told the second.
const TOLD: &str = "c1ca0156 a0a1a2a3a4a5a6a7 0067b227f59ee6b4 30313233343536373839616263646566 \
     0000019012345678 0000019012345a6c 000001f4 00000003 4a 04 007e \
     bf9cea970bcc4122 66656463626139383736353433323130 \
     bf9cea970bcc4122 30313233343536373839616263646566 \
     000a 7e7461673a6f72673a37 000c 2241646122";

#[test]
fn tags_that_a_value_has_told_have_these_bytes() {
    let stamps = stamps(&[("~tag:org:7", OTHER), ("~tag:org:7", TOKEN)]);
    let header = ValueHeader { key: hash(), token: TOKEN, cost_ms: 500, version: 3, codec: b'J' };
    let names = ["~tag:org:7".to_owned()];
    let mut record = value(header, &stamps, Some(&names));
    record[..52].copy_from_slice(&golden(VALUE)[..52]);
    record.extend_from_slice(b"\"Ada\"");
    assert_eq!(hex(&record), hex(&golden(TOLD)));
    let Found::Value(found) = found(&record) else { panic!("no value") };
    assert_eq!((found.names(), found.payload()), (Some(vec!["~tag:org:7"]), &b"\"Ada\""[..]));
    assert!(found.is_whole() && found.has_stamps(&stamps));
}

/// Whatever stands there, nothing is read past it, and no names are made up.
#[test]
fn damaged_names_are_none() {
    let whole = golden(TOLD);
    for (at, wrong) in [(112, 0xFF), (113, 11), (113, 9), (124, 0xFF), (125, 13), (125, 1)] {
        let mut record = whole.clone();
        record[at] = wrong;
        let Found::Value(value) = found(&record) else { panic!("no value") };
        assert_eq!(value.names(), None, "{at}");
        assert!(!value.is_whole(), "{at}");
    }
    let Found::Value(value) = found(&golden(TAGGED)) else { panic!("no value") };
    assert_eq!((value.names(), value.is_whole()), (None, true));
}

#[test]
fn what_a_later_version_puts_there_fits_no_tags() {
    let mut record = golden(VALUE);
    record.splice(64..64, *b"later");
    record[63] = 69;
    let Found::Value(value) = found(&record) else { panic!("no value") };
    assert_eq!(value.payload(), b"\"Ada\"");
    assert!(!value.has_stamps(&[]) && !value.has_tags([].into_iter()));
}

#[test]
fn an_entry_with_more_tags_than_fit_is_never_found() {
    let header = ValueHeader { key: hash(), token: TOKEN, cost_ms: 0, version: 0, codec: b'J' };
    let stamps = vec![Stamp { tag: hash(), token: OTHER, former: None }; MOST_STAMPS + 1];
    let Found::Value(found) = found(&value(header, &stamps, None)) else { panic!("no value") };
    assert!(!found.has_stamps(&stamps) && found.payload().is_empty());
    assert!(found.has_stamps(&stamps[1..]));
}

#[test]
fn a_former_stamp_tells_since_when_an_entry_is_stale() {
    let header = ValueHeader { key: hash(), token: TOKEN, cost_ms: 0, version: 0, codec: b'J' };
    let (name, new) = (KeyHash::of("tag"), Token::from_bytes([7; Token::LEN]));
    let of = |token, former| Stamp { tag: name, token, former };
    let stored = |is_kept| {
        let mut record = value(header, &[of(OTHER, None)], None);
        if is_kept {
            set_kept(&mut record);
        }
        let Found::Value(found) = found(&record) else { panic!("no value") };
        found
    };
    let (tag, _) = stale(&stamp(name, OTHER).into(), new, 9).unwrap();
    let Found::Value(tag) = read(tag.into(), name) else { panic!("no stamp") };
    assert_eq!((tag.token(), tag.former().unwrap().token), (new, OTHER));
    let since = |is_kept: bool, stamps: &[Stamp]| stored(is_kept).stale_since_ms(stamps);
    assert_eq!(since(true, &[of(new, tag.former())]), Some(9));
    assert_eq!(since(false, &[of(new, tag.former())]), None, "it has no time to be stale");
    assert_eq!(since(true, &[of(new, None)]), None);
    assert_eq!(since(true, &[]), None);
    // The stamp before that is forgotten.
    let (tag, _) = stale(tag.record(), TOKEN, 11).unwrap();
    let Found::Value(tag) = read(tag.into(), name) else { panic!("no stamp") };
    assert_eq!(since(true, &[of(TOKEN, tag.former())]), None);
    assert_eq!(stored(true).former(), None, "it is no stamp");
}

#[test]
fn a_payload_may_be_empty_but_not_begin_outside_of_the_record() {
    let record = &golden(VALUE)[..64];
    assert!(is_value(record));
    for begin in [0_u16, 63, 65, u16::MAX] {
        let record = [&record[..62], &begin.to_be_bytes()].concat();
        assert!(matches!(found(&record), Found::Damaged), "{begin}");
    }
}

#[test]
fn fences_and_tombstones_are_respected_in_every_format_version() {
    for kind in [Kind::Fence, Kind::Tombstone] {
        let mut record = header(kind, ORIGIN, KeyHash::of("another")).to_vec();
        for format in [0, 1, 2, 255] {
            record[2] = format;
            assert!(matches!(found(&record), Found::Fence), "{kind:?} {format}");
            assert!(matches!(found(&record[..4]), Found::Fence), "{kind:?} {format}, cut");
        }
    }
}

#[test]
fn records_cut_short_are_damaged_or_foreign() {
    let record = golden(VALUE);
    for length in 0..64 {
        let found = found(&record[..length]);
        let expected = if length < 4 {
            matches!(found, Found::Foreign)
        } else {
            matches!(found, Found::Damaged)
        };
        assert!(expected, "{length} bytes: {found:?}");
    }
    let lease = lease(ORIGIN, hash(), TOKEN);
    assert!(matches!(found(&lease), Found::Lease));
    assert!(matches!(found(&lease[..35]), Found::Damaged));
    assert!(matches!(found(&[&lease[..], b"x"].concat()), Found::Damaged));
}

#[test]
fn a_flipped_bit_never_makes_a_value_of_what_its_header_denies() {
    for bit in (0..32).chain(96..160) {
        let mut record = golden(VALUE);
        record[bit / 8] ^= 1 << (bit % 8);
        let found = found(&record);
        let expected = match bit / 8 {
            0 | 1 => matches!(found, Found::Foreign),
            2 => matches!(found, Found::Damaged),
            // One bit away from a value lie fence and tombstone.
            3 => matches!(found, Found::Damaged | Found::Fence),
            _ => matches!(found, Found::Misplaced(TOKEN)),
        };
        assert!(expected, "bit {bit}: {found:?}");
    }
}

#[test]
fn other_data_is_foreign() {
    let others: [&[u8]; 6] = [b"", b"0", b"{\"id\":7}", b"user", b"\x82\xA2id\x07", b"\xC1\xC1V"];
    for other in others {
        assert!(matches!(found(other), Found::Foreign), "{other:?}");
        assert_eq!(token(other), None);
        assert!(!is_misplaced(other, hash()));
    }
}

/// Any bytes, of which most look like a record of ours at the beginning.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop::sample::select(&b"VVVLFT?"[..]);
    let ours = (0..=2_u8, kinds, prop::collection::vec(any::<u8>(), 0..100))
        .prop_map(|(format, kind, rest)| [&[MAGIC[0], MAGIC[1], format, kind][..], &rest].concat());
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..100), 4 => ours]
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_can_be_read(mut record in bytes(), of_this_key: bool, payload in 60..110_u8) {
        if of_this_key && record.len() >= VALUE_HEADER {
            record[12..20].copy_from_slice(&hash().0.to_be_bytes());
            record[62..64].copy_from_slice(&[0, payload]);
        }
        let held = token(&record);
        let misplaced = is_misplaced(&record, hash());
        match found(&record) {
            Found::Value(value) => {
                prop_assert_eq!(&record[..4], &b"\xC1\xCA\x01V"[..]);
                prop_assert_eq!(&record[12..20], &hash().0.to_be_bytes()[..]);
                prop_assert!(record.ends_with(value.payload()));
                prop_assert_eq!(Some(value.token()), held);
            }
            Found::Misplaced(token) => prop_assert!(misplaced && Some(token) == held),
            Found::Foreign => prop_assert!(record.len() < 4 || !record.starts_with(&MAGIC)),
            Found::Lease | Found::Fence | Found::Damaged | Found::OfAnotherPrimary => {
                prop_assert!(record.starts_with(&MAGIC) && !misplaced);
            }
        }
    }

    /// Operators and calls take the same bytes for the same, also where an operator has read no
    /// more than the header.
    #[test]
    fn what_is_described_is_what_is_read(
        mut record in bytes(),
        of_this_key: bool,
        payload in 60..110_u8,
    ) {
        if of_this_key && record.len() >= VALUE_HEADER {
            record[12..20].copy_from_slice(&hash().0.to_be_bytes());
            record[62..64].copy_from_slice(&[0, payload]);
        }
        let size = record.len() as u64;
        let record = Bytes::from(record);
        for head in [record.clone(), record.slice(..record.len().min(VALUE_HEADER))] {
            let agree = match (describe(&head, size, hash()), found(&record)) {
                (Described::Value(one), Found::Value(other)) => {
                    one.token() == other.token() && one.fresh_until_ms() == other.fresh_until_ms()
                }
                (Described::Fence(_) | Described::Tombstone, Found::Fence)
                | (Described::Lease, Found::Lease)
                | (Described::Damaged, Found::Damaged)
                | (Described::Misplaced, Found::Misplaced(_))
                | (Described::Foreign, Found::Foreign) => true,
                _ => false,
            };
            prop_assert!(agree, "{:?} of {} bytes", record, size);
        }
    }

    #[test]
    fn no_value_is_read_under_another_key(key in ".{0,40}", other in ".{0,40}") {
        prop_assume!(key != other);
        let key = KeyHash::of(&key);
        let header = ValueHeader { key, token: TOKEN, cost_ms: 0, version: 0, codec: b'J' };
        let record = Bytes::from(value(header, &[], None));
        prop_assert!(matches!(read(record.clone(), key), Found::Value(_)));
        prop_assert!(matches!(read(record, KeyHash::of(&other)), Found::Misplaced(TOKEN)));
    }

    #[test]
    fn what_is_written_is_read(
        cost_ms: u32,
        version: u32,
        codec: u8,
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let header = ValueHeader { key: hash(), token: TOKEN, cost_ms, version, codec };
        let record = [value(header, &[], None), payload.clone()].concat();
        let Found::Value(value) = found(&record) else { panic!("no value") };
        prop_assert_eq!((value.cost_ms(), value.version()), (cost_ms, version));
        prop_assert_eq!(value.codec(), codec);
        prop_assert_eq!(value.payload(), payload);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading damaged traces: the good part comes out, the rest is a warning, and nothing panics.

use std::fs;
use std::path::Path;

use ust_ctf::metadata::render;
use ust_ctf::model::StreamClass;
use ust_ctf::packet::PACKET_HEADER_BYTES;
use ust_ctf::reader::metadata::read_metadata;
use ust_ctf::reader::{OpenError, Trace};
use ust_ctf::text::{Options, Printer};

use crate::sample;

/// Returns the number of events and the warnings of the trace in `folder`, after printing all of it.
fn read(folder: &Path) -> Result<(usize, Vec<String>), OpenError> {
    let trace = Trace::open(folder)?;
    let mut printer = Printer::new(Options { clock_gmt: true, ..Options::default() });
    let mut out = Vec::new();
    let mut events = trace.events();
    let mut count = 0;
    while let Some(event) = events.next() {
        printer.print(&mut out, &event).expect("memory");
        count += 1;
    }
    for loss in trace.losses() {
        printer.loss_text(loss);
    }
    let name = |text: String| text.replace(&format!("{}/", folder.display()), "");
    let warnings = trace.warnings().iter().chain(events.warnings());
    Ok((count, warnings.map(|warning| name(warning.to_string())).collect()))
}

/// Returns a stream of two packets with two events each.
fn stream() -> Vec<u8> {
    let mut bytes = Vec::new();
    for seq in 0..2 {
        let mut body = Vec::new();
        sample::put_event(&mut body, 1, 1000 * seq + 1, &sample::hello_payload(7));
        sample::put_event(&mut body, 2, 1000 * seq + 2, &sample::every_kind_payload_some());
        bytes.extend(sample::packet(&sample::packet_header(0, seq, 1000 * seq, 1000 * seq + 999, &body), &body));
    }
    bytes
}

fn write(folder: &Path, bytes: &[u8]) {
    let events = vec![sample::hello(), sample::every_kind()];
    sample::write_trace(
        folder,
        &sample::trace_class(vec![StreamClass { id: 0, context: vec![], events }]),
        &[("chan", bytes)],
    );
}

#[test]
fn a_stream_with_any_bit_flipped_is_read_without_a_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = stream();
    write(folder.path(), &good);
    assert_eq!(read(folder.path()).expect("a trace"), (4, vec![]));
    let mut warned = 0;
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(folder.path().join("chan"), &bytes).expect("a file");
        let (count, warnings) = read(folder.path()).expect("a trace");
        assert!(count <= 1000, "bit {bit} makes {count} events");
        warned += usize::from(!warnings.is_empty());
    }
    assert!(warned > 100, "only {warned} flipped bits were noticed");
}

#[test]
fn a_stream_that_ends_at_any_byte_gives_its_whole_events_and_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = stream();
    let packet_bytes = good.len() / 2;
    let first_event_end = PACKET_HEADER_BYTES + 8 + sample::hello_payload(7).len();
    write(folder.path(), &good);
    for len in 1..good.len() {
        fs::write(folder.path().join("chan"), &good[..len]).expect("a file");
        let (count, warnings) = read(folder.path()).expect("a trace");
        let in_packet = len % packet_bytes;
        let expected = 2 * (len / packet_bytes) + usize::from(in_packet >= first_event_end);
        assert_eq!(count, expected, "{len} bytes");
        let expected = match in_packet {
            0 => vec![],
            1..PACKET_HEADER_BYTES => vec![format!(
                "`chan` at byte {}: the file ends {in_packet} bytes into the header of a packet",
                len - in_packet
            )],
            _ => vec![format!(
                "`chan` at byte {}: the file ends {in_packet} bytes into a packet of {packet_bytes}; its whole events are kept",
                len - in_packet
            )],
        };
        assert_eq!(warnings, expected, "{len} bytes");
    }
}

#[test]
fn metadata_with_any_bit_flipped_or_cut_anywhere_is_read_without_a_panic() {
    let mut event = sample::every_kind();
    event.fields.retain(|field| ["colour", "maybe_int", "floats", "net_shorts"].contains(&field.name.as_str()));
    let events = vec![event];
    let good = render(&sample::trace_class(vec![StreamClass { id: 0, context: vec![], events }])).into_bytes();
    let file = Path::new("metadata");
    let mut refused = 0;
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Err(error) = read_metadata(file, &bytes) {
            assert!(!error.message.is_empty(), "{error}");
            refused += 1;
        }
    }
    assert!(refused > good.len(), "only {refused} flipped bits were refused");
    for len in 0..good.len() {
        let _ = read_metadata(file, &good[..len]);
    }
}

/// Returns the outcome for a good stream after `damage`.
fn after(damage: impl FnOnce(&mut Vec<u8>)) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = stream();
    damage(&mut bytes);
    write(folder.path(), &bytes);
    read(folder.path()).expect("a trace")
}

#[test]
fn each_kind_of_damage_has_its_own_warning_and_spares_the_rest() {
    let second = stream().len() / 2;
    let cases = [
        after(|bytes| bytes[second] = 0),
        after(|bytes| bytes[second + 4] = 0),
        after(|bytes| bytes[20] = 9),
        after(|bytes| bytes[48] ^= 1),
        after(|bytes| bytes[49] = 0xff),
        after(|bytes| bytes[second + 40..second + 48].fill(0)),
        after(|bytes| bytes[second + 32..second + 40].fill(0)),
        after(|bytes| bytes[second + 64] = 0),
        after(|bytes| bytes[72] = 3),
        after(|bytes| bytes[PACKET_HEADER_BYTES] = 77),
        after(|bytes| {
            let tag = second - sample::every_kind_payload_some().len() + 36;
            assert_eq!(bytes[tag], 1);
            bytes[tag] = 2;
        }),
        after(|bytes| {
            let count = PACKET_HEADER_BYTES + 8 + 58;
            assert_eq!(bytes[count..count + 4], [4, 0, 0, 0]);
            bytes[count..count + 4].fill(0xff);
        }),
        after(|bytes| {
            // Content that ends in the header of its last event.
            let bits = (PACKET_HEADER_BYTES + 3) as u64 * 8;
            bytes[48..56].copy_from_slice(&bits.to_le_bytes());
        }),
    ];
    let text: Vec<_> =
        cases.iter().map(|(count, warnings)| format!("{count} events; {}", warnings.join("; "))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_stream_that_is_all_damage_gives_a_bounded_number_of_warnings() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut header = sample::packet_header(0, 0, 2, 1, &[]);
    header.events_discarded = 1;
    write(folder.path(), &sample::packet(&header, &[]).repeat(10_000));
    let (count, warnings) = read(folder.path()).expect("a trace");
    assert_eq!((count, warnings.len()), (0, 101));
    assert_eq!(warnings[100], "`chan` at byte 5450: further warnings about this stream are left out");
}

#[test]
fn a_folder_without_a_trace_and_one_with_an_unreadable_one_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(Trace::open(folder.path()), Err(OpenError::NoTrace { .. })));
    assert!(matches!(Trace::open(folder.path().join("absent")), Err(OpenError::Io { .. })));
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    write(&bad, &[]);
    fs::write(bad.join("metadata"), "trace {").expect("a file");
    assert!(matches!(Trace::open(folder.path()), Err(OpenError::Metadata(_))));
    write(&good, &stream());
    let (count, warnings) = read(folder.path()).expect("a trace");
    assert_eq!((count, warnings.len()), (4, 1));
    assert!(warnings[0].contains("expected a name, found the end of the metadata"), "{}", warnings[0]);
}

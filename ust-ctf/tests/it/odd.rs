// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layouts that other tracers write, made by hand: our text and warnings against those of babeltrace2.

use std::fs;
use std::path::Path;

use ust_ctf::text::{Names, Options, Shown};

use crate::oracle::check_form;

/// Bits one after the other, in either order.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    at: usize,
    is_big: bool,
}

impl Bits {
    fn new(is_big: bool) -> Self {
        Self { is_big, ..Self::default() }
    }

    /// Puts the low `bits` bits of `value`.
    fn put(&mut self, value: u64, bits: usize) -> &mut Self {
        self.bytes.resize((self.at + bits).div_ceil(8), 0);
        for i in 0..bits {
            let at = self.at + i;
            let (from, to) = if self.is_big { (bits - 1 - i, 7 - at % 8) } else { (i, at % 8) };
            self.bytes[at / 8] |= ((value >> from & 1) as u8) << to;
        }
        self.at += bits;
        self
    }

    fn align(&mut self, bits: usize) -> &mut Self {
        self.at = self.at.next_multiple_of(bits);
        self.bytes.resize(self.at.div_ceil(8), 0);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.align(8);
        for byte in text.bytes().chain([0]) {
            self.put(byte.into(), 8);
        }
        self
    }
}

/// Compares several forms of output with those of babeltrace2.
fn check(folder: &Path) {
    let plain = Options::default();
    let forms: [(&[&str], Options); 4] = [
        (&[], plain),
        (&["--clock-cycles"], Options { clock_cycles: true, ..plain }),
        (&["--names=all", "--fields=all"], Options { names: Names::ALL, fields: Shown::ALL, ..plain }),
        (&["--names=none", "--no-delta"], Options { names: Names::NONE, no_delta: true, ..plain }),
    ];
    for (flags, options) in forms {
        check_form(folder, flags, options);
    }
}

fn check_files(metadata: &str, files: &[(&str, &[u8])]) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("metadata"), format!("/* CTF 1.8 */\n{metadata}")).expect("metadata");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a stream");
    }
    check(folder.path());
}

const CLOCK: &str = "clock { name = c; freq = 1000000000; offset_s = 1700000000; };\n";

#[test]
fn a_file_without_packet_header_context_and_clock_is_one_packet() {
    let metadata = "trace { major = 1; minor = 8; byte_order = be; };
        stream { event.header := struct { integer { size = 8; } id; }; };
        event { name = none; id = 0; };
        event { name = empty; id = 1; fields := struct { }; };
        event { name = one; id = 2; fields := struct { integer { size = 16; } x; }; };";
    check_files(metadata, &[("b", &[0, 1, 2, 5, 6]), ("a", &[2, 1, 2, 2, 3, 4])]);
}

#[test]
fn numbers_of_any_bits_in_both_orders_are_read_alike() {
    for (order, is_big) in [("le", false), ("be", true)] {
        let metadata = format!(
            "trace {{ major = 1; minor = 8; byte_order = {order}; }};\n{CLOCK}
            stream {{
                packet.context := struct {{
                    integer {{ size = 13; align = 1; }} content_size; integer {{ size = 19; align = 1; }} packet_size;
                    integer {{ size = 3; align = 1; signed = true; }} small;
                }};
                event.header := struct {{
                    integer {{ size = 3; align = 1; }} id;
                    integer {{ size = 11; align = 1; map = clock.c.value; }} timestamp;
                }};
            }};
            event {{ name = odd; id = 5; fields := struct {{
                integer {{ size = 7; align = 1; signed = true; }} a; integer {{ size = 64; align = 1; base = 16; }} b;
                integer {{ size = 1; align = 1; }} c; integer {{ size = 33; align = 1; signed = true; base = 8; }} d;
                integer {{ size = 5; align = 1; base = 2; }} e[3]; integer {{ size = 4; align = 1; }} n;
                integer {{ size = 3; align = 1; signed = true; base = 16; }} f[n]; string s;
                integer {{ size = 24; align = 32; }} g; floating_point {{ exp_dig = 11; mant_dig = 53; align = 1; }} h;
            }}; }};"
        );
        let mut bits = Bits::new(is_big);
        bits.put(0, 13).put(0, 19).put(5, 3);
        for i in 0..9_u64 {
            bits.put(5, 3)
                .put(500 + 300 * i, 11)
                .align(32)
                .put(100 + i, 7)
                .put(0x8123_4567_89ab_cdef ^ i, 64)
                .put(i, 1);
            bits.put(0x1_2345_6789 + i, 33).put(i, 5).put(i + 7, 5).put(31, 5).put(i, 4);
            for j in 0..i {
                bits.put(j, 3);
            }
            bits.text("odd").align(32).put(i << 20, 24).put(1.5_f64.to_bits() + i, 64);
        }
        let content = bits.at;
        bits.align(8).put(0, 64);
        let mut head = Bits::new(is_big);
        head.put(content as u64, 13).put(bits.at as u64, 19).put(5, 3);
        bits.bytes[..4].copy_from_slice(&head.bytes[..4]);
        check_files(&metadata, &[("stream", &bits.bytes)]);
    }
}

#[test]
fn naturally_aligned_fields_are_padded_alike() {
    let metadata = format!(
        "trace {{ major = 1; minor = 8; byte_order = le; }};\n{CLOCK}
        typealias integer {{ size = 64; align = 64; map = clock.c.value; }} := time_t;
        stream {{
            event.header := struct {{ integer {{ size = 16; align = 16; }} id; time_t timestamp; }};
            event.context := struct {{ integer {{ size = 8; }} cpu; integer {{ size = 32; align = 32; }} vtid; }};
        }};
        event {{ name = padded; id = 1; context := struct {{ integer {{ size = 64; align = 64; }} x; }};
            fields := struct {{ integer {{ size = 8; }} a; integer {{ size = 32; align = 32; }} b; string s;
            integer {{ size = 16; align = 16; }} c; integer {{ size = 8; }} n; integer {{ size = 32; align = 32; }} q[n];
            struct {{ integer {{ size = 8; }} x; integer {{ size = 16; align = 16; }} y; }} p[2]; }} align(32); }};"
    );
    let mut bits = Bits::default();
    for i in 0..7_u64 {
        bits.align(64).put(1, 16).align(64).put(1000 + i, 64).put(i, 8).align(32).put(i, 32).align(64).put(i, 64);
        bits.align(32).put(i, 8).align(32).put(i + 1, 32).text(&"xyz"[..i as usize % 4]).align(16).put(i, 16).put(i, 8);
        bits.align(32);
        for j in 0..i {
            bits.put(j, 32);
        }
        for _ in 0..2 {
            bits.align(16).put(i, 8).align(16).put(i, 16);
        }
    }
    check_files(&metadata, &[("stream", &bits.bytes)]);
}

#[test]
fn structures_variants_and_arrays_inside_each_other_are_read_alike() {
    let metadata = format!(
        "trace {{ major = 1; minor = 8; byte_order = le; }};\n{CLOCK}
        typealias integer {{ size = 8; }} := u8;
        stream {{
            event.header := struct {{ u8 id; integer {{ size = 16; map = clock.c.value; }} timestamp; }};
            event.context := struct {{ u8 count; }};
        }};
        event {{ name = nested; id = 1; fields := struct {{
            enum : u8 {{ tiny = 0 ... 1, text = 2, many = 3 }} kind;
            variant <kind> {{ u8 tiny; string text; struct {{ u8 n; u8 v[n]; }} many; }} body;
            u8 far[stream.event.context.count];
            struct {{ u8 n; struct {{ u8 n; string s[n]; }} inner[n]; u8 tail[n]; }} outer[2];
            u8 m; struct {{ u8 rows[m]; }} grid[m];
        }}; }};"
    );
    let mut bits = Bits::default();
    for i in 0..6_u64 {
        let kind = i % 4;
        bits.put(1, 8).put(60_000 + i * 2000, 16).put(i, 8).put(kind, 8);
        match kind {
            0 | 1 => bits.put(77, 8),
            2 => bits.text("long"),
            _ => bits.put(2, 8).put(8, 8).put(9, 8),
        };
        (0..i).for_each(|j| {
            bits.put(j, 8);
        });
        for outer in 0..2 {
            let n = (i + outer) % 3;
            bits.put(n, 8);
            for inner in 0..n {
                bits.put(inner, 8);
                (0..inner).for_each(|_| {
                    bits.text("in");
                });
            }
            (0..n).for_each(|j| {
                bits.put(j, 8);
            });
        }
        bits.put(i, 8);
        (0..i * i).for_each(|j| {
            bits.put(j, 8);
        });
    }
    check_files(&metadata, &[("stream", &bits.bytes)]);
}

const LTTNG_HEADERS: &str = "
    typealias integer { size = 5; align = 1; } := uint5_t;
    typealias integer { size = 16; } := uint16_t;
    typealias integer { size = 32; } := uint32_t;
    typealias integer { size = 27; align = 1; map = clock.c.value; } := uint27_clock_t;
    typealias integer { size = 32; map = clock.c.value; } := uint32_clock_t;
    typealias integer { size = 64; map = clock.c.value; } := uint64_clock_t;
    typealias integer { size = 64; } := uint64_t;
    struct event_header_compact {
        enum : uint5_t { compact = 0 ... 30, extended = 31 } id;
        variant <id> { struct { uint27_clock_t timestamp; } compact;
            struct { uint32_t id; uint64_clock_t timestamp; } extended; } v;
    } align(8);
    struct packet_context { uint64_clock_t timestamp_begin; uint64_clock_t timestamp_end; uint64_t content_size;
        uint64_t packet_size; uint64_t events_discarded; uint32_t cpu_id; };";

fn compact_metadata() -> String {
    format!(
        "trace {{ major = 1; minor = 8; byte_order = le;
            packet.header := struct {{ integer {{ size = 32; }} magic; integer {{ size = 32; }} stream_id;
                integer {{ size = 64; }} stream_instance_id; }}; }};
        env {{ hostname = \"box\"; tracer_name = \"lttng-ust\"; tracer_major = 2; tracer_minor = 13; }};
        {CLOCK}{LTTNG_HEADERS}
        stream {{ id = 0; event.header := struct event_header_compact; packet.context := struct packet_context; }};
        event {{ name = few; id = 3; stream_id = 0; fields := struct {{ uint32_t x; }}; }};
        event {{ name = many; id = 300; stream_id = 0; fields := struct {{ string s; }}; }};"
    )
}

/// A packet of stream `instance` with compact headers; `times` are those of its events.
fn compact_packet(instance: u64, begin: u64, end: u64, discarded: u64, times: &[u64]) -> Vec<u8> {
    let mut events = Bits::default();
    for (i, time) in times.iter().enumerate() {
        if i % 3 == 2 {
            events.align(8).put(31, 5).align(8).put(300, 32).put(*time, 64).text("extended");
        } else {
            events.align(8).put(3, 5).put(time & 0x7ff_ffff, 27).put(i as u64, 32);
        }
    }
    let mut bits = Bits::default();
    bits.put(0xC1FC_1FC1, 32).put(0, 32).put(instance, 64).put(begin, 64).put(end, 64);
    let size = (60 + events.bytes.len()) as u64 * 8;
    bits.put(size, 64).put(size + 64, 64).put(discarded, 64).put(instance, 32);
    [bits.bytes, events.bytes, vec![0xaa; 8]].concat()
}

#[test]
fn compact_headers_extend_their_time_across_the_end_of_27_bits() {
    let lap = 1 << 27;
    let first =
        compact_packet(0, lap - 100, 3 * lap, 0, &[lap - 50, lap + 5, lap + 6, 2 * lap, 2 * lap + 9, 3 * lap - 1]);
    let second = compact_packet(0, 3 * lap, 9 * lap, 7, &[3 * lap, 3 * lap + 1, 9 * lap - 3, 9 * lap - 2]);
    let other = compact_packet(1, lap, 9 * lap, 0, &[lap + 5, lap + 7, 5 * lap]);
    check_files(&compact_metadata(), &[("c_0", &[first, second].concat()), ("c_1", &other)]);
}

#[test]
fn the_last_packet_of_a_killed_recorder_has_no_end() {
    let first = compact_packet(0, 1000, 2000, 0, &[1500, 1600]);
    let last = compact_packet(0, 2000, 0, 0, &[2500, 2600, 2700]);
    let other = compact_packet(1, 1000, 9000, 0, &[2550, 8000]);
    check_files(&compact_metadata(), &[("c_0", &[first, last].concat()), ("c_1", &other)]);
}

/// An index of the packets, which are `(bytes, begin, end, discarded)`.
fn index(packets: &[(&[u8], u64, u64, u64)], minor: u32) -> Vec<u8> {
    let entry_bytes: u32 = if minor == 0 { 56 } else { 72 };
    let mut out = Vec::new();
    for word in [0xC1F1_DCC1_u32, 1, minor, entry_bytes] {
        out.extend(word.to_be_bytes());
    }
    let mut offset = 0;
    for (seq, (bytes, begin, end, discarded)) in packets.iter().enumerate() {
        let bits = bytes.len() as u64 * 8;
        let numbers = [offset, bits, bits - 64, *begin, *end, *discarded, 0, 0, seq as u64];
        out.extend(numbers[..entry_bytes as usize / 8].iter().flat_map(|number| number.to_be_bytes()));
        offset += bytes.len() as u64;
    }
    out
}

#[test]
fn an_index_is_used_if_it_fits_and_passed_over_if_not() {
    let first = compact_packet(0, 1000, 2000, 0, &[1500, 1600]);
    let second = compact_packet(0, 2000, 3000, 4, &[2500, 2600, 2700]);
    let stream = [first.clone(), second.clone()].concat();
    let packets: [(&[u8], u64, u64, u64); 2] = [(&first, 1000, 2000, 0), (&second, 2000, 3000, 4)];
    let good = index(&packets, 1);
    let mut beyond = good.clone();
    beyond[16 + 15] ^= 0x40;
    let indexes = [good.clone(), index(&packets, 0), beyond, good[..50].to_vec(), index(&packets[..1], 1), vec![]];
    for bytes in &indexes {
        check_files(&compact_metadata(), &[("c_0", &stream), ("index/c_0.idx", bytes)]);
    }
}

#[test]
fn files_of_one_stream_are_joined_whatever_their_names() {
    let packets: Vec<_> = (0..6_u64)
        .map(|i| compact_packet(i % 2, 1000 * i, 1000 * i + 2000, i / 2, &[1000 * i + 100, 1000 * i + 1500]))
        .collect();
    let names = ["f", "e", "d", "c", "b", "a"];
    let files: Vec<_> = names.into_iter().zip(packets.iter().map(Vec::as_slice)).collect();
    check_files(&compact_metadata(), &files);
}

#[test]
fn packets_across_the_windows_of_several_threads_are_shown_once_and_in_order() {
    // Long and short packets in turn, so that windows end inside packets and at their ends.
    let streams: Vec<_> = (0..5_u64)
        .map(|instance| {
            let mut begin = 1000 + instance;
            let mut packets = Vec::new();
            for packet in 0..40 {
                let count = 1 + (packet * 7 + instance * 13) % 29 * 40;
                let times: Vec<_> = (0..count).map(|i| begin + i * (1 + instance % 3)).collect();
                let end = times[times.len() - 1] + packet % 2;
                packets.push(compact_packet(instance, begin, end, 0, &times));
                begin = end;
            }
            packets.concat()
        })
        .collect();
    let names = ["a", "b", "c", "d", "e"];
    let files: Vec<_> = names.into_iter().zip(streams.iter().map(Vec::as_slice)).collect();
    check_files(&compact_metadata(), &files);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads a trace whose stream file is any bytes, with one of a fixed set of metadata: it must end without a panic, and one
//! thread and two must print the same.
//!
//! `cargo +nightly fuzz run stream`
#![no_main]

use std::fs;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use ust_ctf::Job;
use ust_ctf::reader::Trace;
use ust_ctf::text::{Options, Printer, write};

/// What the first byte of the input chooses from.
const METADATA: [&str; 4] = [
    // Everything that has a length, behind headers of variable size.
    "trace { major = 1; minor = 8; byte_order = le; };
     clock { name = c; freq = 1000; };
     typealias integer { size = 8; } := u8;
     stream {
        packet.context := struct { u8 content_size; u8 packet_size; integer { size = 8; map = clock.c.value; } timestamp_begin;
            integer { size = 8; map = clock.c.value; } timestamp_end; u8 packet_seq_num; u8 events_discarded; };
        event.header := struct {
            enum : integer { size = 2; align = 1; } { short = 0 ... 2, long = 3 } id;
            variant <id> { struct { integer { size = 6; align = 1; map = clock.c.value; } timestamp; } short;
                struct { u8 id; integer { size = 16; map = clock.c.value; } timestamp; } long; } v;
        } align(8);
     };
     event { name = a; id = 0; fields := struct { string s; u8 n; integer { size = 3; align = 1; } q[n]; }; };
     event { name = b; id = 1; fields := struct { u8 n; struct { u8 n; string s[n]; } q[n]; }; };
     event { name = c; id = 9; fields := struct { u8 n; integer { size = 8; encoding = UTF8; } t[n];
        enum : u8 { x = 0, y = 1 ... 9 } k; variant <k> { u8 x; struct { string s; } y; } v; }; };",
    // Bits without any byte to hold on to.
    "trace { major = 1; minor = 8; byte_order = be; };
     stream { event.header := struct { integer { size = 1; align = 1; } id; }; };
     event { name = a; id = 0; fields := struct { integer { size = 5; align = 1; signed = true; } x; }; };
     event { name = b; id = 1; fields := struct { integer { size = 64; align = 1; } n; integer { size = 64; align = 1; } q[n]; }; };",
    // Natural alignment.
    "trace { major = 1; minor = 8; byte_order = le; };
     stream { event.header := struct { integer { size = 8; } id; integer { size = 64; align = 64; } x; }; };
     event { name = a; id = 0; fields := struct { integer { size = 16; align = 16; } n; struct { } q[n]; }; };
     event { name = b; id = 1; fields := struct { integer { size = 32; align = 32; } n; string q[n]; }; };",
    // An event that has no bits.
    "trace { major = 1; minor = 8; byte_order = le; }; stream { }; event { name = a; fields := struct { }; };",
];

fuzz_target!(|bytes: &[u8]| {
    static FOLDER: OnceLock<std::path::PathBuf> = OnceLock::new();
    let Some((choice, stream)) = bytes.split_first() else {
        return;
    };
    let folder = FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("ust-fuzz-stream-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        folder
    });
    let metadata = METADATA[usize::from(*choice) % METADATA.len()];
    fs::write(folder.join("metadata"), format!("/* CTF 1.8 */\n{metadata}")).expect("metadata");
    fs::write(folder.join("stream"), stream).expect("a stream");
    let trace = Trace::open(folder).expect("the metadata is good");
    let options = Options { clock_gmt: true, ..Options::default() };
    let mut printer = Printer::new(options);
    let mut one = Vec::new();
    let mut events = trace.events();
    while let Some(event) = events.next() {
        printer.print(&mut one, &event).expect("memory");
        assert!(event.payload().count() == event.class.payload.as_ref().map_or(0, |class| class.members.len()));
    }
    for loss in trace.losses() {
        assert!(!printer.loss_text(loss).is_empty());
    }
    let mut two = Vec::new();
    write(&trace, options, &mut Job { threads: 2, ..Job::all() }, &mut two).expect("memory");
    assert_eq!(String::from_utf8_lossy(&one), String::from_utf8_lossy(&two));
});

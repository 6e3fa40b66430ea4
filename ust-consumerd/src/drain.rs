// SPDX-License-Identifier: MIT OR Apache-2.0
//! From rings to packets: what one visit to an image does.
//!
//! In discard and block mode a visit takes what is there, up to a bound, writes it, and gives it back. An overwrite
//! ring is left alone until its image is finished; then each packet is copied first, and kept only if the writer did
//! not overtake the copy. A broken ring ends alone; a broken image ends with its rings.

use std::os::unix::fs::FileExt as _;

use ust_ctf::packet::PACKET_HEADER_BYTES;
use ust_shm::atomics::Ordering;
use ust_shm::context::ContextList;
use ust_shm::layout::ring_state;
use ust_shm::ring::RingWords as _;
use ust_shm::ring::reader::{PacketSpan, RingReader, Want};

use crate::image::{Image, Refusal, Slot, View};
use crate::limits::{
    CLOCK_SKEW_MAX, COPY_BATCH_BYTES_MAX, COPY_LAPS_MAX, IMAGE_ROUND_BYTES_MAX, IMAGE_ROUND_PACKETS_MAX,
};
use crate::ring::{Reading, Ring};
use crate::summary::Tally;
use crate::sys;
use crate::trace::{Content, Origin, Packet, PacketError, StreamId, Trace};

/// What a visit left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing that was wanted.
    Nothing,
    /// More, for the next round: others have their turn first.
    More,
}

/// What a visit needs besides the image: the session for which it is made.
pub(crate) struct Visit<'a> {
    pub session: u64,
    pub trace: &'a mut Trace,
    pub tally: &'a mut Tally,
    /// Bits of the slots whose half-filled sub-buffers are wanted too.
    pub due: u64,
    bytes_left: u64,
    packets_left: u32,
    /// Whether this is the last visit: nothing that is committed after its begin is wanted.
    last: bool,
    /// Whether rings stay as they are: nothing is given back to their writers or noted for the next reader.
    pub copies: bool,
}

impl<'a> Visit<'a> {
    pub(crate) fn new(session: u64, trace: &'a mut Trace, tally: &'a mut Tally, due: u64) -> Self {
        let (bytes_left, packets_left) = (IMAGE_ROUND_BYTES_MAX, IMAGE_ROUND_PACKETS_MAX);
        Self { session, trace, tally, due, bytes_left, packets_left, last: false, copies: false }
    }

    /// A visit that takes all that was committed before it, and ends then whatever the writers do.
    pub(crate) fn last(session: u64, trace: &'a mut Trace, tally: &'a mut Tally) -> Self {
        let (bytes_left, packets_left) = (u64::MAX, u32::MAX);
        Self { session, trace, tally, due: !0, bytes_left, packets_left, last: true, copies: false }
    }

    fn want_of(&self, ring: &Ring) -> Want {
        if self.due >> ring.slot & 1 == 1 { Want::Everything } else { Want::Complete }
    }

    fn is_spent(&self) -> bool {
        self.bytes_left == 0 || self.packets_left == 0
    }

    fn spend(&mut self, span: &PacketSpan) {
        self.bytes_left = self.bytes_left.saturating_sub(span.bytes);
        self.packets_left = self.packets_left.saturating_sub(1);
    }

    /// Takes what the session's rings hold, but for those that overwrite.
    ///
    /// # Errors
    /// The image must be given up.
    pub(crate) fn drain(&mut self, image: &mut Image) -> Result<Left, Refusal> {
        self.drain_returned(image)?;
        let count = image.slots.len();
        let first = if image.next_ring < count { image.next_ring } else { 0 };
        for idx in (first..count).chain(0..first) {
            if self.is_spent() {
                image.next_ring = idx;
                return Ok(Left::More);
            }
            with_ring(image, idx, |image, ring| self.drain_ring(image, ring))?;
        }
        Ok(if self.is_spent() { Left::More } else { Left::Nothing })
    }

    /// Takes what threads left that have ended, in the order in which they ended: then a few streams are enough for them (see
    /// [`Trace::take_stream`]). At most half of the visit, so that they cannot keep the others waiting.
    fn drain_returned(&mut self, image: &mut Image) -> Result<(), Refusal> {
        let ours = image.returned_rings().filter(|ring| ring.owner == self.session && !ring.overwrite);
        let mut ended: Vec<(u64, usize)> = ours.map(|ring| (ring.last_timestamp_untrusted(), ring.idx)).collect();
        ended.sort_unstable();
        for (_, idx) in ended {
            if self.packets_left <= IMAGE_ROUND_PACKETS_MAX / 2 || self.bytes_left <= IMAGE_ROUND_BYTES_MAX / 2 {
                break;
            }
            with_ring(image, idx, |image, ring| self.drain_ring(image, ring))?;
        }
        Ok(())
    }

    fn drain_ring(&mut self, image: &mut Image, ring: &mut Ring) -> Result<(), Refusal> {
        if ring.reading == Reading::Ended || ring.owner != self.session || ring.overwrite || !ring.settled {
            return Ok(());
        }
        let state_before = image.ring_state_word(ring.idx);
        let returned = ring_state::of(state_before) == ring_state::RETURNED;
        ring.notice_lease(state_before);
        let mut want = if returned { Want::Everything } else { self.want_of(ring) };
        // What is committed later waits for the next visit, lest a busy writer's sub-buffer is taken event by event.
        let target = ring.words.header().committed.load(Ordering::Relaxed);
        loop {
            let reached = ring.reader.consumed().wrapping_sub(target) < u64::MAX / 2;
            if reached && !returned {
                want = Want::Complete;
            }
            if reached && self.last {
                break;
            }
            if self.is_spent() {
                give_back(ring, Turn::Ends);
                return Ok(());
            }
            match ring.reader.take(&ring.words, want) {
                Ok(Some(span)) if self.is_from_future(&span) => {
                    self.end_ring(image, ring, &format!("a time stamp of the future: {:#x}", span.timestamp_end));
                    give_back(ring, Turn::Ends);
                    return Ok(());
                }
                Ok(Some(span)) => {
                    ring.notice_lease(image.ring_state_word(ring.idx));
                    self.write_span(image, ring, &span)?;
                    give_back(ring, Turn::GoesOn);
                    self.spend(&span);
                }
                Ok(None) => break,
                Err(corrupt) => {
                    self.end_ring(image, ring, &format!("{} {:#x}", corrupt.reason, corrupt.value));
                    give_back(ring, Turn::Ends);
                    return Ok(());
                }
            }
        }
        give_back(ring, Turn::Ends);
        if returned {
            self.report_discarded(image, ring)?;
            self.give_back_stream(ring);
            image.free_ring(ring.idx, state_before);
        }
        Ok(())
    }

    /// Whether the packet cannot have been recorded yet: a reader may refuse the whole trace for such a stamp.
    fn is_from_future(&self, span: &PacketSpan) -> bool {
        span.timestamp_end > self.trace.clock.now().saturating_add(CLOCK_SKEW_MAX)
    }

    fn end_ring(&mut self, image: &Image, ring: &mut Ring, reason: &str) {
        ring.reading = Reading::Ended;
        self.tally.losses.rings_corrupt += 1;
        self.tally.warn(format!("{}: ring {} is not read any further: {reason}", image.path.display(), ring.idx));
    }

    /// Writes a packet whose bytes lie in the image.
    fn write_span(&mut self, image: &mut Image, ring: &mut Ring, span: &PacketSpan) -> Result<(), Refusal> {
        let stream = self.stream_of(image, ring, span.timestamp_begin)?;
        let region = ring.words.content(span).ok_or("has a packet outside its ring")?;
        let content = Content::Image { region, file: &image.file, file_bytes: image.identity.image_bytes };
        let packet = packet_of(ring, span, ring.origin);
        if self.write(stream, &packet, &content)? {
            ring.discarded_reported = ring.discarded_reported.max(span.discarded);
        }
        Ok(())
    }

    /// Appends a packet; returns whether it is in the trace. A lost one is counted and no error.
    fn write(&mut self, stream: StreamId, packet: &Packet, content: &Content<'_>) -> Result<bool, Refusal> {
        match self.trace.write(stream, packet, content) {
            Ok(()) => Ok(true),
            Err(PacketError::Output(error)) => {
                if self.tally.losses.packets_unwritten == 0 {
                    self.tally.warn(format!("a packet cannot be written to the trace: {error}"));
                }
                self.tally.losses.packets_unwritten += 1;
                Ok(false)
            }
            Err(PacketError::Image) => Err("was cut while it was read".to_owned()),
        }
    }

    /// The ring's stream in the class of its process, which may have become another one. A new one ends before `timestamp_begin`.
    fn stream_of(&mut self, image: &mut Image, ring: &mut Ring, timestamp_begin: u64) -> Result<StreamId, Refusal> {
        // After `take`: an event of a new object was committed after the object was registered.
        image.read_objects()?;
        // A table only grows, so one of the same length is the same.
        if let Some(stream) = ring.stream.filter(|_| ring.described == image.table.len()) {
            return Ok(stream);
        }
        ring.described = image.table.len();
        let class_idx = self.class_of(image, &ring.contexts);
        if let Some(stream) = ring.stream {
            if self.trace.class_of(stream) == class_idx {
                return Ok(stream);
            }
            self.give_back_stream(ring);
        }
        let stream = self.trace.take_stream(ring.slot, class_idx, timestamp_begin, &ring.origin);
        ring.stream = Some(stream);
        Ok(stream)
    }

    fn give_back_stream(&mut self, ring: &mut Ring) {
        if let Some(stream) = ring.stream.take() {
            self.trace.give_back_stream(stream);
        }
    }

    /// Appends an empty packet if events were discarded since the last one. Only for a ring whose writer is done.
    fn report_discarded(&mut self, image: &mut Image, ring: &mut Ring) -> Result<(), Refusal> {
        let total = ring.reader.discarded_now(&ring.words);
        let discarded_more = total.saturating_sub(ring.discarded_reported);
        if discarded_more == 0 {
            return Ok(());
        }
        let now = self.trace.clock.now();
        // A ring that never gave a packet has no time of its own.
        let attached_at = self.view(image).attached_at;
        let begin = if ring.reader.timestamp() == 0 { attached_at } else { ring.reader.timestamp() };
        let stream = self.stream_of(image, ring, begin)?;
        let packet = Packet {
            origin: ring.origin,
            timestamp_begin: begin,
            timestamp_end: now.max(begin),
            cpu: 0,
            discarded_more,
        };
        if self.write(stream, &packet, &Content::Empty)? {
            ring.discarded_reported = total;
            if !self.copies {
                ring.words.header().reported.store(total, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn view(&self, image: &Image) -> View {
        image.views.get(&self.session).copied().unwrap_or_default()
    }

    fn set_view(&self, image: &mut Image, change: impl FnOnce(&mut View)) {
        change(image.views.entry(self.session).or_default());
    }

    fn class_of(&mut self, image: &mut Image, contexts: &ContextList) -> usize {
        let class_idx = self.trace.assign_class(self.view(image).class_idx, contexts, &image.table);
        self.set_view(image, |view| view.class_idx = Some(class_idx));
        class_idx
    }

    /// Reports losses outside any ring, if there are new ones, in a stream of the process.
    pub(crate) fn report_lost(&mut self, image: &mut Image) -> Result<(), Refusal> {
        let total = image.lost().into_iter().fold(0, u64::saturating_add);
        let view = self.view(image);
        if total <= view.lost_reported {
            return Ok(());
        }
        image.read_objects()?;
        // Its packets have no events, so that any class will do: one that the session has.
        let of_session = image.rings().find(|ring| ring.owner == self.session).map(|ring| ring.contexts);
        let class_idx = self.class_of(image, &of_session.unwrap_or_default());
        let origin = image.origin();
        let stream = match view.lost_stream {
            Some(stream) => stream,
            None => self.trace.add_stream(class_idx, &origin.procname, &format!("{}-lost", image.name())),
        };
        self.set_view(image, |view| view.lost_stream = Some(stream));
        let now = self.trace.clock.now();
        let discarded_more = total - view.lost_reported;
        let packet = Packet { origin, timestamp_begin: view.attached_at, timestamp_end: now, cpu: 0, discarded_more };
        let result = self.write(stream, &packet, &Content::Empty);
        self.trace.close_stream(stream);
        if result? {
            self.set_view(image, |view| view.lost_reported = total);
        }
        Ok(())
    }

    /// Takes the last of every ring. The writers are done, or were told to stop.
    ///
    /// # Errors
    /// The image must be given up; what was written stays.
    pub(crate) fn finish(&mut self, image: &mut Image) -> Result<(), Refusal> {
        for idx in 0..image.slots.len() {
            with_ring(image, idx, |image, ring| {
                if ring.owner != self.session {
                    return Ok(());
                }
                let result = self.finish_ring(image, ring);
                self.give_back_stream(ring);
                result
            })?;
        }
        self.report_lost(image)
    }

    fn finish_ring(&mut self, image: &mut Image, ring: &mut Ring) -> Result<(), Refusal> {
        if ring.overwrite && ring.reading == Reading::Open {
            self.snapshot(image, ring, None)?;
            if !self.copies {
                give_back(ring, Turn::Ends);
            }
        }
        // A corrupt ring's counters are as good as the rest of it, but what they say is all there is.
        self.report_discarded(image, ring)
    }

    /// Copies what an overwrite ring holds, at most the newest `bytes_max` bytes of it, as if nobody had read the ring before, and
    /// leaves no trace of that in the ring.
    pub(crate) fn copy_rings(&mut self, image: &mut Image, bytes_max: Option<u64>) -> Result<(), Refusal> {
        self.copies = true;
        let view = self.view(image);
        let lost_reported = view.lost_base.into_iter().fold(0, u64::saturating_add);
        self.set_view(image, |view| *view = View { class_idx: None, lost_stream: None, lost_reported, ..*view });
        let mut result = Ok(());
        for idx in 0..image.slots.len() {
            let copied = with_ring(image, idx, |image, ring| {
                if ring.owner == self.session && ring.overwrite && ring.reading == Reading::Open {
                    self.copy_ring(image, ring, bytes_max)?;
                }
                Ok(())
            });
            result = result.and(copied);
        }
        let result = result.and_then(|()| self.report_lost(image));
        self.set_view(image, |now| *now = view);
        result
    }

    fn copy_ring(&mut self, image: &mut Image, ring: &mut Ring, bytes_max: Option<u64>) -> Result<(), Refusal> {
        let reader = std::mem::replace(&mut ring.reader, RingReader::new(true));
        // What was there when the session began is not wanted again.
        ring.reader.start_at(ring.begin_at);
        let stream = ring.stream.take();
        let base = &ring.base;
        let reported = [base.discarded_full, base.discarded_big, base.discarded_wait];
        let reported = reported.into_iter().fold(0, u64::saturating_add);
        let reported = std::mem::replace(&mut ring.discarded_reported, reported);
        let from = bytes_max.and_then(|bytes| newest(ring, bytes));
        let result = self.snapshot(image, ring, from).and_then(|()| self.report_discarded(image, ring));
        self.give_back_stream(ring);
        (ring.reader, ring.stream, ring.discarded_reported) = (reader, stream, reported);
        result
    }

    /// Overwrite mode: copies what the ring holds now, from position `from` on, without stopping its writer.
    ///
    /// Copies are made in a row and written later, since a fast writer overtakes whoever makes files meanwhile. Where the ring is
    /// given back, each packet is written at once: the next reader must find one packet too many at most.
    fn snapshot(&mut self, image: &mut Image, ring: &mut Ring, from: Option<u64>) -> Result<(), Refusal> {
        ring.notice_lease(image.ring_state_word(ring.idx));
        let batch_bytes_max = if self.copies { COPY_BATCH_BYTES_MAX } else { 0 };
        let mut batch: Vec<(PacketSpan, Vec<u8>)> = Vec::new();
        let mut batch_bytes = 0;
        // A writer that goes on could keep us for ever: one lap is what a snapshot means, and some more are tried for it.
        let ring_bytes = ring.shape.geometry.ring_bytes();
        let (mut wanted, mut tried) = (ring_bytes, 0);
        let target = ring.words.header().committed.load(Ordering::Relaxed);
        while wanted > 0 && tried < COPY_LAPS_MAX * ring_bytes {
            // What is committed later is wanted only where all of that was overwritten.
            let reached = ring.reader.consumed().wrapping_sub(target) < u64::MAX / 2;
            if reached && wanted < ring_bytes {
                break;
            }
            let span = match ring.reader.take(&ring.words, Want::Everything) {
                Ok(Some(span)) => span,
                Ok(None) => break,
                Err(corrupt) => {
                    self.write_copies(image, ring, &mut batch)?;
                    self.end_ring(image, ring, &format!("{} {:#x}", corrupt.reason, corrupt.value));
                    break;
                }
            };
            tried += span.bytes;
            if from.is_some_and(|from| span.begin.wrapping_sub(from) > u64::MAX / 2) {
                continue;
            }
            let mut copy = vec![0; span.bytes as usize];
            if image.file.read_exact_at(&mut copy, data_offset(ring, &span)).is_err() {
                return Err("was cut while it was read".to_owned());
            }
            if !ring.reader.confirm(&ring.words, &span) {
                // In a snapshot it was overwritten, as the channel says; else it was to be kept.
                self.tally.losses.packets_torn += u64::from(!self.copies);
                continue;
            }
            wanted = wanted.saturating_sub(span.bytes);
            batch_bytes += span.bytes;
            batch.push((span, copy));
            if batch_bytes > batch_bytes_max {
                batch_bytes = 0;
                self.write_copies(image, ring, &mut batch)?;
            }
        }
        self.write_copies(image, ring, &mut batch)
    }

    /// Writes copied packets to the trace.
    fn write_copies(
        &mut self,
        image: &mut Image,
        ring: &mut Ring,
        batch: &mut Vec<(PacketSpan, Vec<u8>)>,
    ) -> Result<(), Refusal> {
        let lease_begin_untrusted = ring.words.header().lease_begin.load(Ordering::Relaxed);
        for (span, copy) in batch.drain(..) {
            if self.is_from_future(&span) {
                self.end_ring(image, ring, &format!("a time stamp of the future: {:#x}", span.timestamp_end));
                break;
            }
            // Positions wrap: behind the lease's begin is what lies less than half the number space behind.
            let earlier_lease = span.begin.wrapping_sub(lease_begin_untrusted) > u64::MAX / 2;
            let origin =
                if earlier_lease { Origin { vtid: -1, procname: ENDED_THREAD, ..ring.origin } } else { ring.origin };
            let stream = self.stream_of(image, ring, span.timestamp_begin)?;
            let packet = packet_of(ring, &span, origin);
            if self.write(stream, &packet, &Content::Memory(&copy))? {
                ring.discarded_reported = ring.discarded_reported.max(span.discarded);
            }
            if !self.copies {
                give_back(ring, Turn::GoesOn);
            }
        }
        Ok(())
    }
}

/// Position of the packet at which the newest `bytes` bytes of an overwrite ring begin.
fn newest(ring: &Ring, bytes: u64) -> Option<u64> {
    let mut reader = ring.reader.clone();
    let mut spans = Vec::new();
    let mut left = ring.shape.geometry.ring_bytes();
    while left > 0
        && let Ok(Some(span)) = reader.take(&ring.words, Want::Everything)
    {
        left = left.saturating_sub(span.bytes);
        spans.push((span.begin, span.bytes + PACKET_HEADER_BYTES as u64));
    }
    let end = spans.last().map(|(begin, bytes)| begin.wrapping_add(*bytes))?;
    let mut sum = 0u64;
    let fits = spans.into_iter().rev().take_while(|(_, packet)| {
        sum = sum.saturating_add(*packet);
        sum <= bytes
    });
    Some(fits.last().map_or(end, |(begin, _)| begin))
}

/// Runs `visit` on ring `idx` if it is one of ours. The ring leaves its image meanwhile, so that both can be borrowed.
fn with_ring(
    image: &mut Image,
    idx: usize,
    visit: impl FnOnce(&mut Image, &mut Ring) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    if !matches!(image.slots[idx], Slot::Ours(_)) {
        return Ok(());
    }
    let mut slot = std::mem::replace(&mut image.slots[idx], Slot::Ignored);
    let result = if let Slot::Ours(ring) = &mut slot { visit(image, ring) } else { Ok(()) };
    image.slots[idx] = slot;
    result
}

/// Name for a thread that has ended and whose ring another thread uses since: its own name is gone.
const ENDED_THREAD: [u8; 16] = *b"(ended thread)\0\0";

fn data_offset(ring: &Ring, span: &PacketSpan) -> u64 {
    ring.shape.arena_offset + ring.shape.header_bytes + ring.shape.geometry.data_offset(span.begin)
}

fn packet_of(ring: &Ring, span: &PacketSpan, origin: Origin) -> Packet {
    Packet {
        origin,
        timestamp_begin: span.timestamp_begin,
        timestamp_end: span.timestamp_end,
        cpu: span.cpu,
        discarded_more: span.discarded.saturating_sub(ring.discarded_reported),
    }
}

/// Tells the writer what was taken. A writer that sleeps is woken once half of its ring is free, or when this visit
/// ends: waking it for each sub-buffer makes both sides switch for each.
fn give_back(ring: &mut Ring, turn: Turn) {
    let consumed = ring.reader.consumed();
    if ring.put_at != consumed {
        ring.mirror();
    }
    if !ring.wake_owed {
        return;
    }
    let unread = ring.words.header().committed.load(Ordering::Relaxed).wrapping_sub(consumed);
    if turn == Turn::Ends || unread <= ring.shape.geometry.ring_bytes() / 2 {
        ring.wake_owed = false;
        sys::futex_wake(&ring.words.header().consumed_seq);
    }
}

/// Whether a visit to a ring goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    GoesOn,
    Ends,
}

//! The Engine's log streams: 8-byte frame headers, or plain text where the container has a terminal.

/// The longest line that is looked at, in bytes: what is longer is cut.
const LONGEST_LINE: usize = 16 * 1024;

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard output, or a terminal.
    Output,
    /// Standard error.
    Error,
    /// The Engine's own words on the stream: a part of the log could not be read.
    Engine,
}

/// Takes a stream apart into lines, whatever the pieces that it comes in, and holds no more than one line of it.
///
/// A frame begins a line: the Engine writes each message as a frame of its own.
#[derive(Debug, Default)]
pub struct Frames {
    mode: Mode,
    header: Vec<u8>,
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Nothing but a part of the first header was seen.
    #[default]
    Beginning,
    /// Between frames.
    Header,
    /// In a frame, with so many bytes to come.
    Frame(Source, u32),
    /// No frames: a terminal.
    Plain,
    /// What stands where a header should be is none.
    Broken,
}

impl Frames {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece and gives out each line that it completes, without its line break.
    pub fn feed(&mut self, mut piece: &[u8], each: &mut impl FnMut(Source, &[u8])) {
        while !piece.is_empty() {
            piece = match self.mode {
                Mode::Beginning | Mode::Header => self.head(piece, each),
                Mode::Frame(source, left) => self.payload(piece, source, left, each),
                Mode::Plain => {
                    self.text(piece, Source::Output, each);
                    &[]
                }
                Mode::Broken => &[],
            };
        }
    }

    /// The stream has ended: gives out what was begun. A torn frame's text counts as far as it came.
    pub fn end(mut self, each: &mut impl FnMut(Source, &[u8])) {
        if self.mode == Mode::Beginning && !self.header.is_empty() && !could_be_header(&self.header) {
            let text = std::mem::take(&mut self.header);
            self.text(&text, Source::Output, each);
        }
        let source = if let Mode::Frame(source, _) = self.mode { source } else { Source::Output };
        self.finish_line(source, each);
    }

    /// Whether the stream could not be read to its end because it is not one of the Engine's.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.mode == Mode::Broken
    }

    fn head<'p>(&mut self, piece: &'p [u8], each: &mut impl FnMut(Source, &[u8])) -> &'p [u8] {
        let (taken, rest) = piece.split_at((8 - self.header.len()).min(piece.len()));
        self.header.extend_from_slice(taken);
        if !could_be_header(&self.header) {
            let first = self.mode == Mode::Beginning;
            self.mode = if first { Mode::Plain } else { Mode::Broken };
            let text = std::mem::take(&mut self.header);
            if first {
                self.text(&text, Source::Output, each);
            }
        } else if let [source, _, _, _, length @ ..] = self.header.as_slice()
            && let Ok(length) = <[u8; 4]>::try_from(length)
        {
            self.mode = frame(*source, u32::from_be_bytes(length));
            self.header.clear();
        }
        rest
    }

    fn payload<'p>(
        &mut self,
        piece: &'p [u8],
        source: Source,
        left: u32,
        each: &mut impl FnMut(Source, &[u8]),
    ) -> &'p [u8] {
        let here = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let (text, rest) = piece.split_at(here);
        self.text(text, source, each);
        // `here` is at most `left`.
        let left = left.saturating_sub(u32::try_from(here).unwrap_or(left));
        self.mode = Mode::Frame(source, left);
        if left == 0 {
            self.finish_line(source, each);
            self.mode = Mode::Header;
        }
        rest
    }

    fn text(&mut self, text: &[u8], source: Source, each: &mut impl FnMut(Source, &[u8])) {
        for part in text.split_inclusive(|b| *b == b'\n') {
            let (part, ends) = part.strip_suffix(b"\n").map_or((part, false), |part| (part, true));
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if ends {
                self.finish_line(source, each);
            }
        }
    }

    fn finish_line(&mut self, source: Source, each: &mut impl FnMut(Source, &[u8])) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if !line.is_empty() {
            each(source, line);
        }
        self.line.clear();
    }
}

/// Whether these bytes begin a header: a stream's number below 4 and three zeros. No text does.
fn could_be_header(bytes: &[u8]) -> bool {
    bytes.iter().take(4).enumerate().all(|(n, b)| if n == 0 { *b < 4 } else { *b == 0 })
}

fn frame(source: u8, length: u32) -> Mode {
    let source = match source {
        2 => Source::Error,
        3 => Source::Engine,
        _ => Source::Output,
    };
    if length == 0 { Mode::Header } else { Mode::Frame(source, length) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(source: u8, text: &[u8]) -> Vec<u8> {
        let mut frame = vec![source, 0, 0, 0];
        frame.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend(text);
        frame
    }

    fn lines<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<(Source, Vec<u8>)>, bool) {
        let mut lines = Vec::new();
        let mut frames = Frames::new();
        let mut keep = |source, line: &[u8]| lines.push((source, line.to_vec()));
        for piece in pieces {
            frames.feed(piece, &mut keep);
        }
        let broken = frames.is_broken();
        frames.end(&mut keep);
        (lines, broken)
    }

    fn line(source: Source, text: &str) -> (Source, Vec<u8>) {
        (source, text.as_bytes().to_vec())
    }

    #[test]
    fn frames_tell_the_streams_apart() {
        let stream = [framed(1, b"one\ntwo\n"), framed(2, b"bad\n"), framed(1, b""), framed(3, b"no log")].concat();
        let wanted = [
            line(Source::Output, "one"),
            line(Source::Output, "two"),
            line(Source::Error, "bad"),
            line(Source::Engine, "no log"),
        ];
        assert_eq!(lines([&stream[..]]), (wanted.to_vec(), false));
    }

    #[test]
    fn a_terminal_has_no_frames() {
        let wanted = vec![line(Source::Output, "one"), line(Source::Output, "two")];
        assert_eq!(lines([&b"one\r\ntw"[..], b"o"]), (wanted, false));
        assert_eq!(lines([&b"one"[..]]).0, [line(Source::Output, "one")]);
        assert_eq!(lines([]), (vec![], false));
    }

    #[test]
    fn torn_and_broken_streams_end_quietly() {
        let mut torn = framed(2, b"password authentication failed\n");
        torn.truncate(20);
        assert_eq!(lines([&torn[..]]), (vec![line(Source::Error, "password aut")], false));
        assert_eq!(lines([&torn[..5]]), (vec![], false));
        let broken = [framed(1, b"one\n"), b"no header at all".to_vec()].concat();
        assert_eq!(lines([&broken[..]]), (vec![line(Source::Output, "one")], true));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut frames = Frames::new();
        for _ in 0..100 {
            frames.feed(&[b'x'; 4096], &mut |_, _| panic!("no line has ended"));
        }
        assert!(frames.line.capacity() <= 2 * LONGEST_LINE);
        frames.feed(b"\n", &mut |_, line| assert_eq!(line.len(), LONGEST_LINE));
    }

    proptest! {
        #[test]
        fn pieces_may_be_cut_anywhere(
            messages in prop::collection::vec((1u8..4, "[a-z\n]{0,40}"), 0..8),
            cuts in prop::collection::vec(1usize..30, 0..40),
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|(source, text)| framed(*source, text.as_bytes())).collect();
            let (mut pieces, mut rest) = (Vec::new(), &stream[..]);
            for cut in cuts {
                let (piece, later) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = later;
            }
            pieces.push(rest);
            prop_assert_eq!(lines(pieces), lines([&stream[..]]));
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            lines([&bytes[..]]);
        }
    }
}

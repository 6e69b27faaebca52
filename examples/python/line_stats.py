"""A stream filter: it counts the lines, bytes and most frequent first words of what it reads, and prints a
summary every second.

It is examples/line-stats once more, in Python, and prints the same for the same input; that one's README
tells what, and which grants it can use.

    seq 1 1000000 | uv-run --stdin examples/python/line_stats.py
    uv-run --listen clients=127.0.0.1:7000 --signal hup,int,term examples/python/line_stats.py

The loop ends by itself when there is nothing more to read: only what brings input (poll handles) or works on
it (the idle handle) keeps it alive. All other handles are dereferenced.
"""

import re
import signal
import sys
import unicodedata
from collections import Counter, deque
from collections.abc import Callable
from functools import partial

import uv

SUMMARY_EVERY = 1000
"""Milliseconds from one summary to the next."""

RETRY = 100
"""Milliseconds until accepting is tried again after it has failed."""

CHUNK = 64 * 1024
"""Bytes that are read at once, and counted in one iteration of the loop."""

QUEUE = 4
"""Chunks that are read ahead of counting them. An input whose queue is full is not polled, so its
writer has to wait and memory stays bounded."""

WORD = 64
"""Bytes of a word that tell it from others."""

WORDS = 10_000
"""Different words that are counted. Lines that begin with yet another one count as lines only."""

TOP = 5
"""Words in a summary."""

BLANK = rb"\t\n\x0c\r "
FIRST_WORDS = re.compile(rb"^[\t\x0c\r ]*([^%s]{1,%d})" % (BLANK, WORD), re.MULTILINE)
NEXT_WORD = re.compile(rb"([%s]*)([^%s]*)" % (BLANK, BLANK))

NO_INPUT = (
    "there is nothing to read. With uv-run, grant standard input by --stdin, "
    "a socket for clients by --listen clients=127.0.0.1:0, or both"
)


class Stats:
    """The counts over all inputs."""

    def __init__(self) -> None:
        self.lines = 0
        self.bytes = 0
        self.clients = 0
        self.words: dict[bytes, int] = {}

    def add_words(self, words: list[bytes]) -> None:
        """Counts the first words of lines."""
        for word, count in Counter(words).items():
            if word in self.words:
                self.words[word] += count
            elif len(self.words) < WORDS:
                self.words[word] = count

    def __str__(self) -> str:
        """``12 lines, 345 bytes, 2 clients, words: the 5, a 3``, always on one line."""
        counts = f"{self.lines} lines, {self.bytes} bytes, {self.clients} clients"
        top = sorted(self.words.items(), key=lambda item: (-item[1], item[0]))[:TOP]
        words = ", ".join(f"{printable(word)} {count}" for word, count in top)
        return f"{counts}, words: {words}" if words else counts


def printable(word: bytes) -> str:
    """A word as text. Its origin is untrusted, so it must not control a terminal or end the line."""
    text = word.decode(errors="replace")
    return "".join("\ufffd" if unicodedata.category(c) == "Cc" or c.isspace() else c for c in text)


class Lines:
    """The lines of one input, put together from chunks that end anywhere. A line is never kept, only the
    beginning of its first word."""

    def __init__(self) -> None:
        self.lines = 0
        self.bytes = 0
        # Something has come since the last newline: of its first word, this much, and whether that is all.
        self.unfinished = False
        self.word = b""
        self.complete = False

    def feed(self, chunk: bytes, stats: Stats) -> None:
        """Counts the next chunk of the input."""
        self.bytes += len(chunk)
        stats.bytes += len(chunk)
        if not chunk:
            return
        first, newline, rest = chunk.partition(b"\n")
        self._begin(first)
        if not newline:
            return
        self.end(stats)
        whole, newline, last = rest.rpartition(b"\n")
        if newline:
            lines = whole.count(b"\n") + 1
            self.lines += lines
            stats.lines += lines
            stats.add_words(FIRST_WORDS.findall(whole))
        if last:
            self._begin(last)

    def _begin(self, piece: bytes) -> None:
        """Takes in the next piece of a line."""
        self.unfinished = True
        if self.complete:
            return
        found = NEXT_WORD.match(piece)
        assert found is not None  # It matches everything.
        if self.word and found[1]:
            self.complete = True
            return
        self.word = (self.word + found[2])[:WORD]
        self.complete = self.word != b"" and found.end() < len(piece)

    def end(self, stats: Stats) -> None:
        """Ends the line that has begun, if one has: also without a newline it is one."""
        if self.unfinished:
            self.lines += 1
            stats.lines += 1
            if self.word:
                stats.add_words([self.word])
            self.unfinished, self.word, self.complete = False, b"", False


class Filter:
    """State that the callbacks share: the statistics, the output, and the work that is waiting.

    Reading and counting are two steps. A poll callback only queues what it has read; an idle handle counts it
    chunk by chunk, one per iteration of the loop. So a signal or a timer waits for one chunk at most.
    """

    def __init__(self) -> None:
        self.stats = Stats()
        self.inputs: set[Input] = set()
        self.turns: deque[Input] = deque()
        self.output: list[str] = []
        self.idle = uv.Idle(callback=self.count_chunk)

    def enqueue(self, input: "Input") -> None:
        """Gives an input that has got its first chunk its turns."""
        self.turns.append(input)
        self.idle.start()

    def count_chunk(self, _: uv.Idle) -> None:
        """The inputs take turns, so that a flood from one does not keep others waiting."""
        input = self.turns.popleft()
        input.count_chunk()
        if input.chunks:
            self.turns.append(input)
        if not self.turns:
            self.idle.stop()

    def print(self, title: str) -> None:
        """Prints one line: the title and what has been counted."""
        self.output.append(f"{title}: {self.stats}\n")

    def reset(self) -> None:
        """Prints what has been counted until now, and counts from zero."""
        self.print("reset")
        self.stats = Stats()

    def end_inputs(self) -> None:
        """Stops reading from all inputs. Data that was read is still counted."""
        for handle in uv.Loop.get_current().handles:
            if isinstance(handle, uv.Poll):
                handle.close()

    def flush(self) -> None:
        """Writes what has been printed."""
        if self.output:
            sys.stdout.write("".join(self.output))
            sys.stdout.flush()
            self.output.clear()


class Input:
    """An input that is read to its end. When everything is counted, `at_end` is called."""

    def __init__(self, filter: Filter, descriptor: uv.Descriptor, at_end: Callable[["Input"], None]) -> None:
        self.filter = filter
        self.descriptor = descriptor
        self.at_end = at_end
        self.lines = Lines()
        self.chunks: deque[bytes] = deque()
        # Nothing more will be read: the end has come, or the connection was reset.
        self.ended = self.cut_off = False
        self.settled = False
        self.poll = uv.Poll(descriptor)
        self.poll.on_closed = self.closed
        self.poll.start(uv.PollEvent.READABLE, self.readable)

    def readable(self, poll: uv.Poll, status: uv.StatusCode, events: int) -> None:
        """Reads until the queue is full, or nothing is there any more."""
        if status != uv.StatusCode.SUCCESS:
            poll.close()  # The connection was reset.
            return
        had_chunks = bool(self.chunks)
        while True:
            if len(self.chunks) == QUEUE:
                poll.stop()
                break
            try:
                chunk = self.descriptor.recv(CHUNK)
            except BlockingIOError:
                break
            except uv.UVError:
                poll.close()
                break
            if not chunk:
                self.ended = True
                poll.stop()
                break
            self.chunks.append(chunk)
        if self.chunks and not had_chunks:
            self.filter.enqueue(self)
        self.settle()

    def count_chunk(self) -> None:
        """Counts the first chunk of the queue."""
        self.lines.feed(self.chunks.popleft(), self.filter.stats)
        if not self.ended and not self.poll.closing:
            self.poll.start(uv.PollEvent.READABLE)
        self.settle()

    def closed(self, _: uv.Poll) -> None:
        """If the handle was closed before the end of the input, it has none."""
        self.cut_off = not self.ended
        self.settle()

    def settle(self) -> None:
        """When nothing is left to be read or counted, counts what follows the last newline."""
        if self.settled or self.chunks or not (self.ended or self.cut_off):
            return
        self.settled = True
        self.lines.end(self.filter.stats)
        if self.ended:
            self.at_end(self)


def listen(filter: Filter, socket: uv.Descriptor) -> None:
    """Accepts clients, one in each iteration. When accepting fails, most likely because the host's limit of
    descriptors is reached, a timer starts polling again later."""

    def readable(poll: uv.Poll, status: uv.StatusCode, events: int) -> None:
        try:
            connection, _ = socket.accept()
        except BlockingIOError:
            return
        except uv.UVError:
            poll.stop()
            retry.start(RETRY)
            return
        try:
            Input(filter, connection, answer)
            filter.stats.clients += 1
        except uv.UVError:
            connection.close()  # The host's limit of handles.

    def resume(_: uv.Timer) -> None:
        if not poll.closing:
            poll.start()

    retry = uv.Timer(callback=resume)
    poll = uv.Poll(socket)
    poll.start(uv.PollEvent.READABLE, readable)


def answer(client: Input) -> None:
    """Tells a client what it has sent, then closes its connection."""
    rest = f"you sent {client.lines.lines} lines, {client.lines.bytes} bytes\n".encode()

    def write(poll: uv.Poll, status: uv.StatusCode, events: int) -> None:
        nonlocal rest
        try:
            rest = rest[client.descriptor.send(rest) :]
        except BlockingIOError:
            return
        except uv.UVError:
            rest = b""  # The client does not want to know.
        if not rest:
            poll.close(lambda _: client.descriptor.close())

    if not client.poll.closing:
        client.poll.start(uv.PollEvent.WRITABLE, write)


def granted[T](open: Callable[[], T]) -> T | None:
    """Returns the grant, or None if there is none."""
    try:
        return open()
    except uv.UVError as error:
        if error.code in (uv.StatusCode.ENOENT, uv.StatusCode.EACCES):
            return None
        raise


def watch_signal(signum: int, action: Callable[[], None]) -> None:
    handle = uv.Signal()
    granted(lambda: handle.start(signum, lambda *_: action()))
    handle.dereference()


def main() -> None:
    stdin = granted(partial(uv.open, "stdin"))
    clients = granted(partial(uv.open, "clients"))
    if stdin is None and clients is None:
        sys.exit(f"line-stats: {NO_INPUT}")

    loop = uv.Loop.get_current()
    filter = Filter()
    if stdin is not None:
        Input(filter, stdin, lambda input: input.poll.close())
    if clients is not None:
        listen(filter, clients)

    # It does not catch up: after a delay it prints one summary, not several.
    timer = uv.Timer()
    timer.start(SUMMARY_EVERY, lambda _: filter.print("summary"), SUMMARY_EVERY)
    timer.dereference()

    # The embedder may wake it at any time.
    wake_up = granted(lambda: uv.Async.named("print", callback=lambda _: filter.print("summary")))
    if wake_up is not None:
        wake_up.dereference()

    # SIGHUP starts afresh, SIGINT and SIGTERM end the filter.
    watch_signal(signal.SIGHUP, filter.reset)
    watch_signal(signal.SIGINT, filter.end_inputs)
    watch_signal(signal.SIGTERM, filter.end_inputs)

    # Right before the loop waits, so collected output is written first.
    prepare = uv.Prepare()
    prepare.start(lambda _: filter.flush())
    prepare.dereference()

    loop.run()
    filter.print("final summary")
    filter.flush()
    loop.close_all_handles()
    loop.run()
    loop.close()


main()

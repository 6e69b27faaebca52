"""Interprets a random program of the differential test: the Python side of the comparison.

The program is the script's argument, in the grammar of tests/conformance/program/src/script.rs. The
interpreter takes the same steps and writes the same trace as the one in
tests/conformance/program/src/interpret.rs. It prints a step that no guest can take itself, and
reads the answer from the next line of standard input. It prints the trace at the end.
"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import uv

CALLBACKS = 80
"""The number of callbacks after which a program ends, whatever its handles do."""

GUARD = 100_000
"""The time in milliseconds after which the guard of a loop ends its run."""

MODES = {
    "run-default": uv.RunMode.DEFAULT,
    "run-once": uv.RunMode.ONCE,
    "run-nowait": uv.RunMode.NOWAIT,
}

WATCHERS: dict[str, Callable[..., uv.Handle]] = {
    "timer": uv.Timer,
    "idle": uv.Idle,
    "prepare": uv.Prepare,
    "check": uv.Check,
    "async": uv.Async,
    "signal": uv.Signal,
}

# The kinds of handles that have an operation. All kinds have the operations that are not listed.
ONLY = {
    "start-oneshot": {"signal"},
    "again": {"timer"},
    "repeat": {"timer"},
    "set-repeat": {"timer"},
    "due-in": {"timer"},
    "signum": {"signal"},
    "send": {"async"},
    "start": {"timer", "idle", "prepare", "check", "poll", "signal"},
    "stop": {"timer", "idle", "prepare", "check", "poll", "signal"},
}


class Declared(NamedTuple):
    """The declaration of a handle in a program."""

    kind: str
    owner: int
    # The name of the grant, for a poll handle.
    source: str


class Program:
    """A parsed program."""

    def __init__(self, text: str) -> None:
        self.handles: list[Declared] = []
        # The steps of `main`.
        self.main: list[str] = []
        # The steps of callbacks, by handle, "callback" or "closed", and number.
        self.bodies: dict[tuple[int, str, int], list[str]] = {}
        lines = text.splitlines()
        _, loops, *guarded = lines[0].split()
        self.loops, self.guarded = int(loops), bool(guarded)
        steps: list[str] | None = None
        for line in lines[1:]:
            words = line.split()
            if line.startswith("  "):
                assert steps is not None, "a step before `main`"
                steps.append(line.strip())
            elif line == "main":
                steps = self.main
            elif steps is None:
                source = words[3] if len(words) > 3 else ""
                self.handles.append(Declared(words[1], number_in(words[2]), source))
            else:
                steps = self.bodies.setdefault((number_in(words[0]), words[1], int(words[2])), [])


def number_in(word: str) -> int:
    """The number of `h3` or `loop0`."""
    return int(word.lstrip("abcdefghijklmnopqrstuvwxyz"))


class Sdk:
    """The package `uv` as a side of the comparison: takes steps and returns their answers."""

    def __init__(
        self, program: Program, on_called: Callable[[int, str, int | None, str], None]
    ) -> None:
        self.loops: list[uv.Loop] = []
        # In the order in which they were made.
        self.handles: dict[int, Any] = {}
        self.descriptors: dict[str, uv.Descriptor] = {}
        self._program = program
        self._on_called = on_called

    def perform(self, step: str) -> str:
        """Takes a step and returns its answer: "ok", a number, or the name of an error."""
        subject, *words = step.split()
        try:
            if subject in ("raise", "burn"):
                return outside(step)
            at = number_in(subject)
            if subject.startswith("pair"):
                return self._pair_step(subject, words[0], step)
            if subject.startswith("loop"):
                return self._loop_step(self.loops[at], words[0])
            if words[0] == "make":
                self._make(at)
                return "ok"
            return self._handle_step(at, words)
        except uv.UVError as error:
            return name_of(error)

    def _make(self, at: int) -> None:
        kind, owner, source = self._program.handles[at]
        loop, callback = self.loops[owner], self._callback(at, 0)
        if kind == "poll":
            # By its number, as most scripts do.
            self.handles[at] = uv.Poll(self._descriptor(source).fileno(), loop, callback)
        elif kind == "guard":
            # The host sends it when no other event can occur.
            self.handles[at] = uv.Async.named(source, loop, callback)
        else:
            self.handles[at] = WATCHERS[kind](loop, callback)

    def _callback(self, at: int, number: int) -> Callable[..., None]:
        """Makes a handle's callback with this number, which reports its arguments."""

        def callback(handle: uv.Handle, *arguments: Any) -> None:
            assert handle is self.handles[at], "it is another handle's callback"
            match arguments:
                case ():
                    shown = ""
                case (signum,):
                    shown = f": {signum}"
                case (uv.StatusCode.SUCCESS, events):
                    shown = ": " + shown_events(events)
                case (status, events):
                    assert not events, "an error comes without events"
                    shown = ": " + status.name
            self._on_called(at, "callback", number, shown)

        return callback

    def _closed(self, at: int) -> Callable[[uv.Handle], None]:
        def closed(handle: uv.Handle) -> None:
            assert handle is self.handles[at], "it is another handle's close callback"
            self._on_called(at, "closed", None, "")

        return closed

    def _handle_step(self, at: int, words: Sequence[str]) -> str:
        handle, kind = self.handles[at], self._program.handles[at].kind
        callback = None
        if len(words) > 2 and words[-2] == "with":
            callback = self._callback(at, int(words[-1]))
            words = words[:-2]
        match [kind, *words]:
            case ["timer", "start", timeout, repeat]:
                handle.start(int(timeout), callback, int(repeat))
            case ["poll", "start", events]:
                handle.start(parsed_events(events), callback)
            case ["signal", "start", signum]:
                handle.start(int(signum), callback)
            case ["signal", "start-oneshot", signum]:
                handle.start_oneshot(int(signum), callback)
            case [_, "start"]:
                handle.start(callback)
            case [_, "send"]:
                handle.send(callback)
            case [_, "set-callback", number]:
                handle.callback = self._callback(at, int(number))
            case [_, "stop"]:
                handle.stop()
            case [_, "again"]:
                handle.again()
            case [_, "repeat"]:
                return str(handle.repeat)
            case [_, "set-repeat", repeat]:
                handle.repeat = int(repeat)
            case [_, "due-in"]:
                return str(handle.due_in)
            case [_, "signum"]:
                return str(handle.signum)
            case [_, "close"]:
                handle.close()
            case [_, "close-with"]:
                handle.close(self._closed(at))
            case [_, "active"]:
                return shown_flag(handle.active)
            case [_, "closing"]:
                return shown_flag(handle.closing)
            case [_, "closed"]:
                return shown_flag(handle.closed)
            case [_, "referenced"]:
                return shown_flag(handle.referenced)
            case [_, "reference"]:
                # The property and the method are equivalent: use each on some of the handles.
                if at % 2:
                    handle.referenced = True
                else:
                    handle.reference()
            case [_, "dereference"]:
                if at % 2:
                    handle.referenced = False
                else:
                    handle.dereference()
            case [_, "fileno"]:
                return self._fileno(at, handle)
            case [_, "buffers"]:
                return buffers(handle)
            case _:
                raise AssertionError(f"no such step: {words}")
        return "ok"

    def _fileno(self, at: int, handle: Any) -> str:
        number = handle.fileno()
        if not isinstance(handle, uv.Poll):
            return str(number)
        # The number is the guest's own, so the trace cannot contain it.
        its_own = self._descriptor(self._program.handles[at].source).fileno() == handle.fd == number
        return "its descriptor" if its_own else "another descriptor"

    def _loop_step(self, loop: uv.Loop, operation: str) -> str:
        match operation:
            case "stop":
                loop.stop()
            case "update-time":
                loop.update_time()
            case "now":
                return str(loop.now)
            case "alive":
                return shown_flag(loop.alive)
            case "timeout":
                timeout = loop.get_timeout()
                return "none" if timeout == -1 else str(timeout)
            case "walk":
                # A set has no order. The dictionary has the order in which libuv walks.
                found = loop.handles
                return str([at for at, handle in self.handles.items() if handle in found])
            case "close":
                loop.close()
            case "closed":
                return shown_flag(loop.closed)
            case _:
                return shown_flag(loop.run(MODES[operation]))
        return "ok"

    def _pair_step(self, pair: str, operation: str, step: str) -> str:
        if operation not in ("read", "fill"):
            return outside(step)
        try:
            descriptor = self._descriptor(pair)
        except uv.UVError:
            return "no such pair"
        return str(len(descriptor.recv(65_536)) if operation == "read" else fill(descriptor))

    def _descriptor(self, name: str) -> uv.Descriptor:
        if name not in self.descriptors:
            self.descriptors[name] = uv.open(name)
        return self.descriptors[name]


def fill(descriptor: uv.Descriptor) -> int:
    """Writes in pieces of the same size until there is no room, and returns the sum."""
    sent = 0
    while True:
        try:
            sent += descriptor.send(b"\1" * 512)
        except uv.UVError:
            if sent == 0:
                raise
            return sent


def buffers(handle: uv.Handle) -> str:
    """The answer of all four members, which agree."""

    def answer(function: Callable[[], object]) -> str:
        try:
            return str(function())
        except uv.UVError as error:
            return name_of(error)

    def set_send() -> None:
        handle.send_buffer_size = 4096

    def set_receive() -> None:
        handle.receive_buffer_size = 4096

    answers = [
        answer(lambda: handle.send_buffer_size),
        answer(lambda: handle.receive_buffer_size),
        answer(set_send),
        answer(set_receive),
    ]
    return answers[0] if len(set(answers)) == 1 else str(answers)


def outside(step: str) -> str:
    """Lets the test take a step that no guest can take."""
    print("step", step)
    return input()


def name_of(error: uv.UVError) -> str:
    """An error as traces show it."""
    match error:
        case uv.HandleClosedError():
            return "handle-closed"
        case uv.LoopClosedError():
            return "loop-closed"
        case _:
            return error.name


def shown_flag(flag: bool) -> str:
    """A flag as traces show it."""
    assert isinstance(flag, bool)
    return "true" if flag else "false"


def shown_events(events: int) -> str:
    """Poll events as traces show them."""
    names = [event.name.lower() for event in uv.PollEvent if event.name and events & event]
    return "|".join(names) or "none"


def parsed_events(events: str) -> int:
    """Poll events as scripts name them."""
    return sum(uv.PollEvent[name.upper()] for name in events.split("|") if name != "none")


class Interpreter:
    """Interprets a program and writes its trace."""

    def __init__(self, program: Program) -> None:
        # The index of the first guard: the guards of the loops follow the program's handles.
        self._guards = len(program.handles)
        program.handles += [
            Declared("timer" if program.guarded else "guard", owner, f"guard{owner}")
            for owner in range(program.loops)
        ]
        self.trace: list[str] = []
        self._program = program
        self._sdk = Sdk(program, self._called)
        self._made: set[int] = set()
        # How often each callback has run.
        self._runs: Counter[tuple[int, str]] = Counter()
        self._callbacks = 0
        self._depth = 0
        self._running: list[int] = []
        self._finishing: int | None = None
        self._finished: set[int] = set()

    def run(self) -> None:
        """Interprets the program. The trace is complete then."""
        for owner in range(self._program.loops):
            self._sdk.loops.append(uv.Loop())
            guard = self._guards + owner
            self._sdk.perform(f"h{guard} make")
            self._sdk.perform(f"h{guard} dereference")
            self._made.add(guard)
        self._steps(self._program.main)
        for owner in range(self._program.loops):
            self._step(f"loop{owner} finish")

    @property
    def _is_exhausted(self) -> bool:
        return self._callbacks > CALLBACKS

    def _steps(self, steps: Sequence[str]) -> None:
        self._depth += 1
        for step in steps:
            if not self._is_exhausted:
                self._step(step)
        self._depth -= 1

    def _called(self, at: int, which: str, callback: int | None, arguments: str) -> None:
        kind, owner, _ = self._program.handles[at]
        if at >= self._guards:
            event = "Closed" if which == "closed" else f"Callback({callback})"
            self._note(f"> guard of loop{owner} {event}")
            if which == "callback":
                self._sdk.perform(f"loop{owner} stop")
            return
        self._runs[at, which] += 1
        self._callbacks += 1
        is_exhausted, is_finishing = self._is_exhausted, self._finishing == owner
        shown = which if callback is None else f"{which} {callback}"
        self._note(f"> h{at} {kind} {shown}{arguments}")
        if is_exhausted and not is_finishing:
            self._sdk.perform(f"loop{owner} stop")
        elif not is_finishing:
            body = self._program.bodies.get((at, which, self._runs[at, which]))
            if body is not None:
                self._steps(body)
        self._note(f"< h{at}")

    def _step(self, step: str) -> None:
        subject, operation, *_ = step.split()
        if subject.startswith("h"):
            at = number_in(subject)
            if operation == "make":
                if at not in self._made and self._answer(step) == "ok":
                    self._made.add(at)
            elif at in self._made and fits(operation, self._program.handles[at].kind):
                self._answer(step)
        elif subject.startswith("loop") and operation in MODES:
            self._run_loop(number_in(subject), step)
        elif subject.startswith("loop") and operation == "finish":
            self._finish(number_in(subject), step)
        else:
            self._answer(step)

    def _run_loop(self, owner: int, step: str) -> None:
        if self._program.guarded and owner not in self._running:
            self._sdk.perform(f"h{self._guards + owner} start {GUARD} 0")
        self._running.append(owner)
        self._answer(step)
        self._running.pop()

    def _finish(self, owner: int, step: str) -> None:
        if owner in self._running or owner in self._finished or self._finishing is not None:
            return
        self._finishing = owner
        self._finished.add(owner)
        for at, declared in enumerate(self._program.handles):
            if declared.owner == owner and at in self._made:
                self._sdk.perform(f"h{at} close-with")
        self._running.append(owner)
        # The first run of a loop that was stopped before returns at once.
        self._sdk.perform(f"loop{owner} run-default")
        alive = self._sdk.perform(f"loop{owner} run-default")
        self._running.pop()
        close = self._sdk.perform(f"loop{owner} close")
        self._note(f"{step} -> alive {alive}, close {close}")
        self._finishing = None

    def _answer(self, step: str) -> str:
        answer = self._sdk.perform(step)
        self._note(f"{step} -> {answer}")
        return answer

    def _note(self, line: str) -> None:
        self.trace.append("  " * self._depth + line)


def fits(operation: str, kind: str) -> bool:
    """Whether handles of this kind have the operation."""
    return kind in ONLY.get(operation, {kind})


def main() -> None:
    """Interprets the program in the script's argument and prints its trace."""
    interpreter = Interpreter(Program(sys.argv[1]))
    interpreter.run()
    print("".join(f"trace {line}\n" for line in interpreter.trace), end="")

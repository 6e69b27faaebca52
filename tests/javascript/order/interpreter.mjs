// Runs random programs of timers, immediates, promise jobs and ticks, and prints what each has
// called, in order. It runs in Node and in the sandbox alike.
//
// A program is a list of actions. An action that makes a callback has a number, which is logged
// when it is called, and the actions that the callback does.

/** Runs programs, one after the other, and prints a line for each. */
export async function run(programs) {
  for (const { start, actions, length } of programs) {
    console.log(await traceOf(start, actions, length));
  }
}

/** Runs a program that is over after some milliseconds. It starts in a callback of a kind. */
function traceOf(start, actions, length) {
  return new Promise((resolve) => {
    const log = [];
    const handles = new Map();
    const begin = () => {
      setTimeout(() => resolve(log.join(" ")), length);
      perform(actions, log, handles);
    };
    if (start === "timeout") {
      setTimeout(begin, 1);
    } else {
      setImmediate(begin);
    }
  });
}

function perform(actions, log, handles) {
  for (const { kind, number, duration, times, target, actions: inner } of actions) {
    const called = () => {
      log.push(number);
      perform(inner, log, handles);
    };
    switch (kind) {
      case "timeout":
        handles.set(number, setTimeout(called, duration));
        break;
      case "interval": {
        let count = 0;
        const interval = setInterval(() => {
          count += 1;
          if (count === times) {
            clearInterval(interval);
          }
          log.push(`${number}.${count}`);
          if (count === 1) {
            perform(inner, log, handles);
          }
        }, duration);
        handles.set(number, interval);
        break;
      }
      case "immediate":
        handles.set(number, setImmediate(called));
        break;
      case "tick":
        process.nextTick(called);
        break;
      case "job":
        queueMicrotask(called);
        break;
      case "await":
        (async () => {
          await null;
          called();
          await undefined;
          log.push(`${number}+`);
        })();
        break;
      case "then":
        Promise.resolve(Promise.resolve())
          .then(called)
          .then(() => log.push(`${number}+`));
        break;
      case "clear":
        clearTimeout(handles.get(target));
        clearImmediate(handles.get(target));
        break;
      default:
        throw new Error(`there is no ${kind}`);
    }
  }
}

// How many callbacks there are per second. Runs on Node too, for comparison.

const now = () => performance.now();

function report(what, count, begin) {
  console.log(`${what}: ${Math.round(count / ((now() - begin) / 1000))} per second`);
}

await new Promise((resolve) => {
  const count = 100_000;
  const begin = now();
  let left = count;
  for (let n = 0; n < count; n += 1) {
    setTimeout(() => {
      left -= 1;
      if (left === 0) {
        report("timers, started and called", count, begin);
        resolve();
      }
    }, n % 100);
  }
});

await new Promise((resolve) => {
  const count = 200_000;
  const begin = now();
  let left = count;
  const again = () => {
    left -= 1;
    if (left === 0) {
      report("immediates, one after the other", count, begin);
      resolve();
    } else {
      setImmediate(again);
    }
  };
  setImmediate(again);
});

const count = 1_000_000;
const begin = now();
for (let n = 0; n < count; n += 1) {
  await null;
}
report("awaited values", count, begin);

/**
 * One end of what bench/channel.ts measures, a process of its own.
 *
 * channel-end.ts RIVAL MODULES serve COUNT_BYTES (0: echo)   prints {"port", "peerId"?}
 * channel-end.ts RIVAL MODULES bulk ADDRESS MIB CHUNK        prints {"seconds", "cpuSeconds"}: from the first write to the word that all came
 * channel-end.ts RIVAL MODULES dial ADDRESS COUNT            prints {"ms": […]}: from nothing to an end that proved who it is
 * channel-end.ts RIVAL MODULES ask ADDRESS COUNT AT_ONCE     prints {"ms": […], "seconds"}: questions of 32 bytes and their answers
 * channel-end.ts RIVAL MODULES crowd ADDRESS COUNT           prints {"open"}, and stays
 * @module
 */
import { type Address, manyAtOnce, type Rival, type RivalName, rivalOf } from './channel-rivals.ts';

const QUESTION_BYTES = 32;
/** Writes that wait at a time. */
const WRITES = 4;

const [name, modules, job, where, ...numbers] = process.argv.slice(2) as [
  RivalName,
  string,
  string,
  string,
  ...string[],
];
const rival = await rivalOf(name, modules);
const [first = 0, second = 0] = numbers.map(Number);

const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

async function bulk(address: Address, mib: number, chunk: number): Promise<object> {
  const pipe = await rival.open(address);
  const { promise: came, resolve } = Promise.withResolvers<void>();
  pipe.onBytes(() => resolve());
  const bytes = Buffer.alloc(chunk, 7);
  let left = (mib * 1024 * 1024) / chunk;
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const pump = (): void => {
    if (left === 0) return;
    left -= 1;
    pipe.write(bytes, pump);
  };
  for (let i = 0; i < WRITES; i += 1) pump();
  await came;
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

async function dial(address: Address, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const startedMs = performance.now();
    const close = await rival.dial(address);
    taken.push(performance.now() - startedMs);
    await close();
  }
  return taken;
}

/** Questions over a pipe are answered in order. */
async function askOver(address: Address): ReturnType<NonNullable<Rival['asker']>> {
  const pipe = await rival.open(address);
  const waiting: (() => void)[] = [];
  let came = 0;
  pipe.onBytes((count) => {
    for (came += count; came >= QUESTION_BYTES; came -= QUESTION_BYTES) waiting.shift()?.();
  });
  return (question) =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      pipe.write(question, () => {});
    });
}

async function ask(address: Address, count: number, atOnce: number): Promise<object> {
  const question = new Uint8Array(QUESTION_BYTES).fill(9);
  const put = await (rival.asker?.(address) ?? askOver(address));
  const taken: number[] = [];
  const one = async (): Promise<void> => {
    const askedMs = performance.now();
    await put(question);
    taken.push(performance.now() - askedMs);
  };
  for (let i = 0; i < 200; i += 1) await put(question);
  const startedMs = performance.now();
  let left = count;
  const run = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  return { ms: taken, seconds: (performance.now() - startedMs) / 1000 };
}

async function crowd(address: Address, count: number): Promise<void> {
  if (rival.crowd !== undefined) await rival.crowd(address, count);
  else await manyAtOnce(count, () => rival.dial(address));
}

// Ends with its driver.
process.stdin.resume().on('end', () => process.exit(0));
if (job === 'serve')
  say(await rival.serve(Number(where) === 0 ? 'echo' : { countBytes: Number(where) }));
else {
  const address = JSON.parse(where) as Address;
  if (job === 'bulk') say(await bulk(address, first, second));
  else if (job === 'dial') say({ ms: await dial(address, first) });
  else if (job === 'ask') say(await ask(address, first, second));
  else {
    await crowd(address, first);
    say({ open: first });
  }
}

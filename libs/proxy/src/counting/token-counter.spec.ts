import { Worker } from 'node:worker_threads';
import { TokenCounter } from './token-counter';

/** A thread that answers the length of a body, never answers `stuck`, and dies of `dies`. */
const THREAD = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ body }) => {
    const text = Buffer.from(body).toString();
    if (text === 'dies') throw new Error('as told');
    if (text !== 'stuck') parentPort.postMessage(text.length);
  });`;

let started: Worker[];
let counter: TokenCounter;

beforeEach(() => {
  started = [];
  counter = new TokenCounter(() => {
    const worker = new Worker(THREAD, { eval: true });
    started.push(worker);
    return worker;
  }, 4_000);
});
afterEach(() => counter.close());

const count = (text: string): Promise<number | null> =>
  counter.count({ tokenizer: 'o200k_base', body: Buffer.from(text) });

test('no thread is started before there is something to count, and one is enough', async () => {
  expect(started).toHaveLength(0);
  expect(await Promise.all(['a', 'bb', 'ccc'].map(count))).toEqual([1, 2, 3]);
  expect(started).toHaveLength(1);
});

test('a text that takes too long, or ends the thread, is not counted, and the next one is', async () => {
  expect(await Promise.all(['stuck', 'bb', 'dies', 'ccc'].map(count))).toEqual([null, 2, null, 3]);
}, 30_000);

test('of very many at once the last are not counted', async () => {
  const counts = await Promise.all(Array.from({ length: 40 }, () => count('aaaa')));
  expect(counts.slice(0, 17)).toEqual(Array(17).fill(4));
  expect(counts.slice(17)).toEqual(Array(23).fill(null));
});

test('closing answers whoever waits', async () => {
  const waiting = ['stuck', 'a'].map(count);
  await counter.close();
  expect(await Promise.all(waiting)).toEqual([null, null]);
});

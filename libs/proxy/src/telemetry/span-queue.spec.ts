import { SpanQueue } from './span-queue';

const rules = { most: 10, batch: 4, delayMs: 60_000 };

/** A receiver that answers when it is told to. */
class Receiver {
  readonly batches: number[][] = [];
  answer: (isTaken: boolean) => void = () => undefined;
  readonly take = (batch: number[]): Promise<boolean> => {
    this.batches.push(batch);
    return new Promise((answer) => (this.answer = answer));
  };
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

test('sends full batches one after the other, and the rest when it is told to', async () => {
  const receiver = new Receiver();
  const queue = new SpanQueue<number>(rules, receiver.take, () => undefined);
  for (let i = 0; i < 3; i++) queue.push(i);
  await turn();
  expect(receiver.batches).toEqual([]);
  for (let i = 3; i < 7; i++) queue.push(i);
  await turn();
  expect(receiver.batches).toEqual([[0, 1, 2, 3]]);
  const flushed = queue.flush();
  receiver.answer(true);
  await turn();
  expect(receiver.batches).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6],
  ]);
  receiver.answer(true);
  await flushed;
  expect(queue.length).toBe(0);
});

test('drops what has no room while the receiver is slow, and counts it', async () => {
  const receiver = new Receiver();
  const lost: [number, string][] = [];
  const queue = new SpanQueue<number>(rules, receiver.take, (...loss) => lost.push(loss));
  for (let i = 0; i < 20; i++) queue.push(i);
  await turn();
  expect([queue.length, receiver.batches.length]).toEqual([10, 1]);
  expect(lost).toEqual(Array.from({ length: 6 }, () => [1, 'queue_full']));
  receiver.answer(false);
  await turn();
  expect(lost.at(-1)).toEqual([4, 'export_failed']);
  queue.abandon();
  expect([lost.at(-1), queue.length]).toEqual([[6, 'export_failed'], 0]);
});

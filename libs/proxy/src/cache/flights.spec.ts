import fc from 'fast-check';
import { Flight, Flights, type Landing, type Waiting } from './flights';
import type { KeptAnswer } from './kept-answer';

const KEPT = { body: Buffer.from('kept') } as KeptAnswer;
const stored = Promise.resolve();
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

let joined = 0;
let flights: Flights;

beforeEach(() => {
  joined = 0;
  flights = new Flights(() => joined++, 60_000);
});

interface Caller extends Waiting {
  /** Undefined while it waits. */
  landing: Landing | undefined;
}

/** A call that asks the question `id`. */
function call(id = 'a', of = flights): Caller {
  const caller: Caller = { onCut: null, landing: undefined };
  const got = of.join(id, caller);
  if (got instanceof Promise) void got.then((landing) => (caller.landing = landing));
  else caller.landing = got;
  return caller;
}
const flightOf = ({ landing }: Caller): Flight => {
  expect(landing).toBeInstanceOf(Flight);
  return landing as Flight;
};

test('the first asks, and those that wait get its answer', async () => {
  const leader = call();
  const others = [call(), call(), call()];
  await turn();
  expect(others.map(({ landing }) => landing)).toEqual([undefined, undefined, undefined]);
  expect(joined).toBe(3);
  flightOf(leader).land(KEPT, stored);
  await turn();
  expect(others.map(({ landing }) => landing)).toEqual([KEPT, KEPT, KEPT]);
  expect(others.map(({ onCut }) => onCut)).toEqual([null, null, null]);
});

test('who comes before the answer is stored has it at once, and who comes after asks the store first', async () => {
  let store = (): void => undefined;
  const leader = call();
  flightOf(leader).land(KEPT, new Promise((done) => (store = done)));
  expect(call().landing).toBe(KEPT);
  store();
  await turn();
  expect(call().landing).toBeInstanceOf(Flight);
  expect(joined).toBe(0);
});

test('other questions are flights of their own', async () => {
  const leader = call('a');
  const other = call('b');
  const waiting = call('b');
  flightOf(leader).land(KEPT, stored);
  await turn();
  expect(waiting.landing).toBeUndefined();
  flightOf(other).scatter();
  await turn();
  expect(waiting.landing).toBeNull();
});

test('after an error one asks and the others wait on', async () => {
  const first = call();
  const [second, third] = [call(), call()];
  flightOf(first).fail();
  await turn();
  expect(third.landing).toBeUndefined();
  const late = call();
  expect(late.landing).toBeUndefined();
  flightOf(second).land(KEPT, stored);
  await turn();
  expect([third.landing, late.landing]).toEqual([KEPT, KEPT]);
});

test('after an answer that is not kept all ask for themselves', async () => {
  const leader = call();
  const others = [call(), call()];
  flightOf(leader).scatter();
  await turn();
  expect(others.map(({ landing }) => landing)).toEqual([null, null]);
  expect(call().landing).toBeInstanceOf(Flight);
});

test('who is cut waits no longer, and is not the next to lead', async () => {
  const leader = call();
  const [gone, next] = [call(), call()];
  gone.onCut?.();
  await turn();
  expect(gone.landing).toBeNull();
  flightOf(leader).fail();
  await turn();
  expect(next.landing).toBe(leader.landing);
});

test('who has waited long enough asks for itself, and nobody waits for that call any more', async () => {
  const hasty = new Flights(() => undefined, 1);
  const leader = call('a', hasty);
  const waiting = call('a', hasty);
  while (waiting.landing === undefined) await new Promise((later) => setTimeout(later, 1));
  expect(waiting.landing).toBeNull();
  const next = call('a', hasty);
  expect(flightOf(next)).not.toBe(leader.landing);
  // What the slow one ends with is nothing to those that ask by now.
  flightOf(leader).fail();
  const last = call('a', hasty);
  expect(last.landing).toBeUndefined();
  flightOf(next).land(KEPT, stored);
  await turn();
  expect(last.landing).toBe(KEPT);
});

test('who wants a new answer waits for nobody, and leads where nobody does', async () => {
  const anew = flights.lead('a') as Flight;
  expect(anew).toBeInstanceOf(Flight);
  expect(flights.lead('a')).toBeNull();
  const waiting = call();
  anew.land(KEPT, new Promise(() => undefined));
  await turn();
  expect(waiting.landing).toBe(KEPT);
  const newer = flights.lead('a') as Flight;
  expect(newer).toBeInstanceOf(Flight);
  expect(newer).not.toBe(anew);
});

const step = fc.oneof(
  fc.record({ act: fc.constant('call' as const), id: fc.constantFrom('a', 'b') }),
  fc.record({ act: fc.constantFrom('land', 'scatter', 'fail', 'cut'), of: fc.nat() }),
);

test('whatever happens, nobody waits in vain, and each question is asked once at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const all = new Flights(() => undefined, 60_000);
      const calls: { readonly id: string; readonly caller: Caller; isOver: boolean }[] = [];
      const leading = (id?: string) =>
        calls.filter((one) => !one.isOver && one.caller.landing instanceof Flight && (id ?? one.id) === one.id);
      const end = async (how: string, of: number): Promise<void> => {
        const leaders = leading();
        const leader = leaders[of % leaders.length];
        if (!leader) return;
        leader.isOver = true;
        const flight = flightOf(leader.caller);
        if (how === 'land') flight.land(KEPT, stored);
        else if (how === 'scatter') flight.scatter();
        else flight.fail();
        await turn();
      };
      for (const one of steps) {
        if ('id' in one) calls.push({ id: one.id, caller: call(one.id, all), isOver: false });
        else if (one.act === 'cut') calls[one.of % calls.length]?.caller.onCut?.();
        else await end(one.act, one.of);
        for (const id of ['a', 'b']) expect(leading(id).length).toBeLessThanOrEqual(1);
      }
      while (leading().length > 0) await end('fail', 0);
      expect(calls.filter(({ caller }) => caller.landing === undefined)).toEqual([]);
      expect(call('a', all).landing).toBeInstanceOf(Flight);
      expect(call('b', all).landing).toBeInstanceOf(Flight);
    }),
  );
});

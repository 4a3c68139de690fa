import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createDepartment, offerFakeModels } from '../department';
import { createPlace, type Gateway } from '../gateway';
import { KillablePostgres } from '../proof/killable-postgres';
import { cpuMicros, residentKib, startChild, startGateway } from './children';
import { requestBytes, WireClient } from './wire-client';

/**
 * What the gateway's process keeps of an hour's work: departments with budgets for each of their people, whole and streamed
 * answers, callers who hang up and callers who are refused, at a steady rate. Prints its memory minute by minute.
 */

const DEPARTMENTS = 20;
const PEOPLE = 10;
const SAMPLE_MS = 5_000;
const PROMPT = 'ipsum '.repeat(150);

type Wish = 'whole' | 'streamed' | 'hung up' | 'refused';
/** Of a hundred requests. */
const WISHES: Readonly<Record<Wish, number>> = { whole: 60, streamed: 30, 'hung up': 6, refused: 4 };
const HAND = Object.entries(WISHES).flatMap(([wish, times]) => Array<Wish>(times).fill(wish as Wish));

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { minutes: text, rate: text } });
  const minutes = Number(values.minutes ?? 60);
  const rate = Number(values.rate ?? 100);
  const postgres = await KillablePostgres.start();
  const place = await createPlace(postgres.database);
  const provider = await startChild('provider.ts');
  const gateway = await startGateway(place, provider.url);
  try {
    await offerFakeModels(gateway);
    const tokens: string[] = [];
    for (let i = 0; i < DEPARTMENTS; i++) {
      const { id, token } = await createDepartment(gateway, { budget: '1000000.00' });
      const each = { metric: 'tokens', period: 'day', limit: '1000000000', scope: 'user', target: '*' };
      await gateway.must('PUT', `/api/v1/admin/tenants/${id}/budgets`, each);
      tokens.push(token);
    }
    const samples = await soak(gateway, tokens, rate, minutes);
    const third = Math.max(1, Math.floor(samples.length / 3));
    const [middle, last] = [median(samples.slice(third, 2 * third)), median(samples.slice(-third))];
    say(`\nmedian of the second third ${mb(middle)} MB, of the last ${mb(last)} MB: ${(last / middle).toFixed(3)}`);
  } finally {
    await gateway.stop();
    provider.process.kill();
    await postgres.remove();
    await rm(place.folder, { recursive: true, force: true });
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const mb = (kib: number): string => (kib / 1024).toFixed(0);

/** @returns resident memory in KiB, a sample every five seconds */
async function soak(gateway: Gateway, tokens: readonly string[], rate: number, minutes: number): Promise<number[]> {
  const { process: server } = gateway;
  const callers = new Callers(gateway.url, tokens);
  const samples: number[] = [];
  say(`${rate} requests/s for ${minutes} minutes, ${tokens.length} departments with ${PEOPLE} people each`);
  say('minute      requests      MB median       MB most    CPU ms per 1,000');
  const sampling = setInterval(() => samples.push(residentKib(server)), SAMPLE_MS);
  try {
    let endMs = performance.now();
    for (let minute = 1; minute <= minutes; minute++) {
      const [before, asked] = [cpuMicros(server), callers.asked];
      await callers.askUntil((endMs += 60_000), rate);
      const recent = samples.slice(-60_000 / SAMPLE_MS);
      const cpu = (cpuMicros(server) - before) / (callers.asked - asked);
      const cells = [String(callers.asked), mb(median(recent)), mb(Math.max(...recent)), cpu.toFixed(0)];
      say(String(minute).padStart(6) + cells.map((cell, i) => cell.padStart(i === 3 ? 20 : 14)).join(''));
    }
    await callers.done();
    return samples;
  } finally {
    clearInterval(sampling);
  }
}

/** Whoever asks: each request is another person's, in a mix that comes round every hundred. */
class Callers {
  asked = 0;
  readonly #idle: WireClient[] = [];
  readonly #underway = new Set<Promise<void>>();
  #failure: Error | undefined;

  constructor(
    private readonly url: string,
    private readonly tokens: readonly string[],
  ) {}

  /** At intervals of chance (Poisson), whatever becomes of those before. @throws what one met with that it should not have */
  async askUntil(endMs: number, rate: number): Promise<void> {
    for (let atMs = performance.now(); atMs < endMs; atMs += (-Math.log(1 - Math.random()) / rate) * 1_000) {
      const waitMs = atMs - performance.now();
      if (waitMs > 0) await new Promise((later) => setTimeout(later, waitMs));
      if (this.#failure) throw this.#failure;
      this.ask();
    }
  }

  async done(): Promise<void> {
    await Promise.all(this.#underway);
    for (const client of this.#idle) client.close();
  }

  private ask(): void {
    const number = this.asked++;
    const wish = HAND[(number * 37) % HAND.length] as Wish;
    const call = this.send(wish, number)
      .catch((error: Error) => void (this.#failure ??= error))
      .then(() => void this.#underway.delete(call));
    this.#underway.add(call);
  }

  private async send(wish: Wish, number: number): Promise<void> {
    const client = this.#idle.pop() ?? new WireClient(this.url);
    client.onPiece = wish === 'hung up' ? () => client.close() : null;
    const answered = client.send(this.requestOf(wish, number));
    if (wish === 'whole' || wish === 'streamed') await answered;
    // In the client's eyes these fail: it takes nothing but a whole 200.
    else await assert.rejects(answered);
    this.#idle.push(client);
  }

  private requestOf(wish: Wish, number: number): Buffer {
    const token = this.tokens[number % this.tokens.length];
    const stream = wish === 'streamed' || wish === 'hung up';
    const body = {
      model: wish === 'refused' ? 'unheard-of' : stream ? 'fake-n10-g50' : 'fake-l20',
      ...{ max_tokens: 1_000, user: `person-${Math.floor(number / this.tokens.length) % PEOPLE}` },
      ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
      messages: [{ role: 'user', content: `${number} ${PROMPT}` }],
    };
    return requestBytes(this.url, { authorization: `Bearer ${token}` }, JSON.stringify(body));
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

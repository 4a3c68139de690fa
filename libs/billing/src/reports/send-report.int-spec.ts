import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Response } from 'express';
import { dashed } from '@app/platform';
import { BillingWorld } from '../../test/billing-world';
import { LAYOUTS } from './layouts';
import { readAs } from './reading';
import { Report } from './report';
import { Reports } from './reports.service';
import { sendCsv, sendReport } from './send-report';

const ROWS = 100_000;
const BATCHES = ROWS / 2_000;
const QUERY = { period: '2026-05', layout: 'detail' } as const;

describe('a bill of many rows', () => {
  let world: BillingWorld;
  let server: Server;
  let answer: (response: Response) => Promise<void>;
  let failure: unknown;

  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.addTenant('alpha');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
    const template = world.row({ at: new Date('2026-05-01T00:00:00Z') });
    await world.book(template);
    await world.asSuperuser(
      `INSERT INTO ledger (id, at, tenant_id, token_id, model, provider, rate_card, formula, status, outcome, input_tokens, output_tokens,
         cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, cost_nanos)
       SELECT gen_random_uuid(), at + n * interval '1 second', tenant_id, token_id, model, provider, rate_card, formula, status, outcome,
         input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, cost_nanos
       FROM ledger, generate_series(1, $2::int - 1) n WHERE id = $1`,
      [dashed(template.id), ROWS],
    );
    // As the server does by itself within a minute.
    await world.asSuperuser('ANALYZE ledger');
    const app = express();
    app.get('/', (_, response) => {
      failure = undefined;
      answer(response).catch((error: unknown) => (failure = error));
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await world.close();
  });

  async function get(method = 'GET'): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(request({ host: '127.0.0.1', port, agent: false, method }).end(), 'response')) as [
      IncomingMessage,
    ];
    return response;
  }

  it('streams with flat memory and gives the bytes its manifest tells', async () => {
    answer = async (response) => sendReport(await world.reports.open(world.admin, QUERY), response);
    const response = await get();
    expect(response.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="usage-detail_20260430T220000Z_20260531T220000Z.csv"',
      'x-report-schema': 'usage-detail/3',
    });
    const hash = createHash('sha256');
    let lines = 0;
    let chunks = 0;
    let most = 0;
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hash.update(chunk);
      lines += chunk.toString('latin1').split('\n').length - 1;
      if (chunks++ % 64 !== 0) continue;
      collectGarbage();
      most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    expect(lines).toBe(ROWS + 1);
    // All rows at once take far more than this.
    expect(most).toBeLessThan(24 * 2 ** 20);
    const asOf = response.headers['x-report-as-of'] as string;
    expect(await world.reports.manifest(world.admin, { ...QUERY, asOf })).toMatchObject({
      rows: ROWS,
      sha256: hash.digest('hex'),
    });
  }, 240_000);

  it('reads no further than somebody takes, and stops when they leave', async () => {
    const { selection } = await world.reports.open(world.admin, QUERY);
    let batches = 0;
    const read = readAs(world.db.database, world.admin);
    answer = (response) =>
      sendReport(
        new Report<unknown>(LAYOUTS.detail as never, (work) => ((batches += 1), read(work)), selection, 'USD', 'UTC'),
        response,
      );
    const response = await get();
    await once(response, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(batches).toBeLessThan(BATCHES / 2);
    response.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const left = batches;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(batches).toBe(left);
    expect(failure).toBeUndefined();
  });

  it('does not end properly when the database goes away in the middle', async () => {
    const { database } = await world.db.otherProcess();
    const reports = new Reports(database, world.config, world.clock);
    answer = async (response) => sendReport(await reports.open(world.admin, QUERY), response);
    const response = await get();
    const whole = (async () => {
      for await (const chunk of response) if (chunk) await database.close();
    })();
    await expect(whole).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(failure).toBeInstanceOf(Error);
  });

  it('reads no bill for those who ask for its head alone, and does not take it for sent', async () => {
    let read = 0;
    const chunks = async function* (): AsyncGenerator<string> {
      for (; read < 1_000; read++) yield await Promise.resolve(`${read}\r\n`);
    };
    for (const [method, sent] of [
      ['HEAD', false],
      ['GET', true],
    ] as const) {
      read = 0;
      const isSent = new Promise<boolean>((resolve) => {
        answer = async (asked) => resolve(await sendCsv(chunks(), 'bill.csv', asked));
      });
      const response = await get(method);
      response.resume();
      await once(response, 'end');
      expect(response.headers['content-disposition']).toBe('attachment; filename="bill.csv"');
      expect([await isSent, read === 1_000]).toEqual([sent, sent]);
    }
  });

  it('leaves what goes wrong before the first byte to be answered as an error', async () => {
    const { database } = await world.db.otherProcess();
    const report = await new Reports(database, world.config, world.clock).open(world.admin, QUERY);
    await database.close();
    let sent: boolean | undefined;
    answer = async (response) => {
      await sendReport(report, response).catch((error: unknown) => {
        sent = response.headersSent;
        response.status(503).end();
        throw error;
      });
    };
    expect((await get()).statusCode).toBe(503);
    expect(sent).toBe(false);
    expect(failure).toBeInstanceOf(Error);
  });
});

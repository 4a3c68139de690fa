import 'reflect-metadata';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { LedgerRow } from '@app/billing';
import type * as HoldFile from '../../../libs/quota/src/hold';
import type * as HoldsFile from '../../../libs/quota/src/holds.service';
import type * as LeaseFile from '../../../libs/quota/src/window-lease';

/**
 * Loaded into a built gateway before it starts, in place of its money, to tell how little that could cost: one number for all budgets, two
 * short lines a call in a file, written once a turn of the event loop and waited for, and one line a call for the database, where it is
 * kept as it is. No windows, no leases, no checks, nothing that could be read again, and nothing that survives a fault.
 */

const load = createRequire(join(__dirname, '../../../dist/libs/quota/src/index.js'));
const built = <T>(file: string): T => load(file) as T;

const { makeHold } = built<typeof HoldFile>('./hold');
const { Holds } = built<typeof HoldsFile>('./holds.service');
const { LeaseSet } = built<typeof LeaseFile>('./window-lease');

const BOOK_MS = 50;
const NO_LEASES = new LeaseSet([]);
const path = join(tmpdir(), `openclawmu-least-${process.pid}.log`);
const file = openSync(path, 'w');
process.once('exit', () => {
  closeSync(file);
  rmSync(path, { force: true });
});

let left = Number.MAX_SAFE_INTEGER;
let lines = '';
let turn: { readonly done: Promise<void>; end(): void } | null = null;
let rows: string[] = [];
let database: Promise<Client> | null = null;

function written(line: string): Promise<void> {
  lines += line;
  if (turn === null) {
    let end!: () => void;
    const done = new Promise<void>((resolve) => (end = resolve));
    turn = { done, end };
    setImmediate(() => {
      writeSync(file, lines);
      lines = '';
      turn = null;
      end();
    });
  }
  return turn.done;
}

const DESK: HoldFile.HoldDesk = {
  settle: ({ id, atMs, amount, attribution }, used, entry) => {
    const { status, counts, providerRequestId } = entry as LedgerRow;
    const cost = Number(used.cost);
    left += Number(amount.cost) - cost;
    const row = `${id} ${atMs} ${attribution.number} ${cost} ${counts.input} ${counts.output} ${status} ${providerRequestId}`;
    if (rows.push(row) === 1) setTimeout(() => void book(), BOOK_MS);
    return written(`S ${row}\n`);
  },
  release: () => undefined,
  narrow: ({ leases }) => leases,
};

Holds.prototype.reserve = (_, { costNanos, tokens }, { attribution }, id = '') => {
  const worst = { cost: costNanos, tokens: BigInt(tokens) };
  const hold = makeHold(id, attribution, attribution.call, Date.now(), worst, NO_LEASES, DESK);
  const cost = Number(costNanos);
  if (left < cost) return Promise.reject(new Error('nothing is left'));
  left -= cost;
  return written(`H ${id} ${hold.atMs} ${attribution.number} ${cost} ${tokens}\n`).then(() => hold);
};

async function book(): Promise<void> {
  const some = rows.join('\n');
  rows = [];
  const client = await (database ??= connect());
  await client.query({
    name: 'book',
    text: `INSERT INTO rows SELECT * FROM string_to_table($1, E'\\n')`,
    values: [some],
  });
}

/** Its rows are the connection's own. */
async function connect(): Promise<Client> {
  const client = new Client({ connectionString: process.env['DATABASE_URL'] });
  await client.connect();
  await client.query('CREATE TEMPORARY TABLE rows (line text)');
  return client;
}

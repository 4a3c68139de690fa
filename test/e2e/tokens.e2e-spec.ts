import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { asSuperuser } from '../support/database';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { beside, Gateway } from '../support/gateway';
import { openStream } from '../support/open-stream';

/** Two gateway processes on one database: what is done through the first must hold in the second as well. */
let fake: FakeProvider;
let first: Gateway;
let second: Gateway;
let both: readonly Gateway[];

beforeAll(async () => {
  fake = await FakeProvider.start();
  first = await Gateway.start({ providers: fakeProviders(fake) });
  await offerFakeModels(first);
  second = await Gateway.start({ place: await beside(first.place), providers: fakeProviders(fake) });
  both = [first, second];
});
afterAll(async () => {
  await second.kill();
  await rm(second.place.folder, { recursive: true, force: true });
  await first.remove();
  await fake.close();
});

/** The product promises a second. Twice that before we say it is broken, because test machines are slow. */
const SOON_MS = 2_000;

interface Token {
  readonly id: string;
  readonly token: string;
  readonly label: string;
  readonly status: string;
  readonly expiresAt: string | null;
}

const ask = (gateway: Gateway, token: string, model = 'fake-n1') =>
  gateway.call('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hello!' }] }, token);
const statusOf = async (gateway: Gateway, token: string, model?: string) => (await ask(gateway, token, model)).status;

/** What a token is answered in both processes, as soon as they agree on `status`. */
const answeredInBoth = (token: string, status: number, model?: string) =>
  eventually(
    async () => [await statusOf(first, token, model), await statusOf(second, token, model)],
    (seen) => seen.every((one) => one === status),
    SOON_MS,
  );

const newToken = (tenant: string, fields: object = {}) =>
  first.must<Token>('POST', `/api/v1/admin/tenants/${tenant}/tokens`, { label: 'test', ...fields });
const tokenPath = ({ id, tokenId }: Department) => `/api/v1/admin/tenants/${id}/tokens/${tokenId}`;

/** Opens a stream in each process; `cut` resolves when both have been ended with an error of that code. */
async function openInBoth(token: string): Promise<{ cut(code: string): Promise<void>; finish(): Promise<void> }> {
  const streams = [await openStream(first.url, token, fake), await openStream(second.url, token, fake)];
  return {
    async cut(code) {
      for (const { ended, upstream } of streams) {
        const { text } = await ended;
        expect(text).toContain(`"gateway_code":"${code}"`);
        expect(text).not.toContain('[DONE]');
        await fake.waitFor(() => upstream.outcome === 'aborted');
      }
    },
    async finish() {
      for (const { upstream } of streams) upstream.resume();
      for (const { ended } of streams) expect((await ended).text).toContain('[DONE]');
    },
  };
}

describe('what ends a token ends it in every process, with its open streams', () => {
  test('a revocation', async () => {
    const department = await createDepartment(first, { budget: '1.00' });
    const streams = await openInBoth(department.token);
    await first.must('POST', `${tokenPath(department)}/revoke`);
    await streams.cut('credentials_invalid');
    await answeredInBoth(department.token, 401);
  });

  test('a revocation by the token itself, as it leaked, in one call', async () => {
    const department = await createDepartment(first, { budget: '1.00' });
    const streams = await openInBoth(department.token);
    const revoked = await second.must<Token & { changed: boolean }>('POST', '/api/v1/admin/tokens/revoke', {
      token: department.token,
    });
    expect(revoked).toMatchObject({ id: department.tokenId, status: 'revoked', changed: true });
    await streams.cut('credentials_invalid');
    await answeredInBoth(department.token, 401);
  });

  test('a revocation while nobody listens, because every connection that hears of changes was just cut', async () => {
    const department = await createDepartment(first, { budget: '1.00' });
    const streams = await openInBoth(department.token);
    await asSuperuser(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = '${first.place.database.name}' AND query ~ 'change_counters|LISTEN'`,
    );
    await first.must('POST', `${tokenPath(department)}/revoke`);
    await streams.cut('credentials_invalid');
    await answeredInBoth(department.token, 401);
    for (const gateway of both) expect(gateway.logs).toContain('lost the connection that hears of changes');
  });

  test('a rotation without grace; its successor works', async () => {
    const department = await createDepartment(first, { budget: '1.00' });
    const streams = await openInBoth(department.token);
    const next = await first.must<Token>('POST', `${tokenPath(department)}/rotate`, {});
    await streams.cut('credentials_invalid');
    await answeredInBoth(department.token, 401);
    await answeredInBoth(next.token, 200);
  });

  test('the end of a grace period, and not before', async () => {
    const department = await createDepartment(first, { budget: '1.00' });
    const streams = await openInBoth(department.token);
    const next = await first.must<Token>('POST', `${tokenPath(department)}/rotate`, { gracePeriodSeconds: 5 });
    expect(await statusOf(first, department.token)).toBe(200);
    await answeredInBoth(next.token, 200);
    await streams.cut('credentials_invalid');
    await answeredInBoth(department.token, 401);
  });

  test('its expiry', async () => {
    const { id } = await createDepartment(first, { budget: '1.00' });
    const { token } = await newToken(id, { expiresAt: new Date(Date.now() + 6_000).toISOString() });
    const streams = await openInBoth(token);
    await streams.cut('credentials_invalid');
    await answeredInBoth(token, 401);
  });

  test('the suspension of its tenant; it works again when that is resumed', async () => {
    const { id, token } = await createDepartment(first, { budget: '1.00' });
    const streams = await openInBoth(token);
    await first.must('POST', `/api/v1/admin/tenants/${id}/suspend`);
    await streams.cut('tenant_suspended');
    await answeredInBoth(token, 403);
    await second.must('POST', `/api/v1/admin/tenants/${id}/resume`);
    await answeredInBoth(token, 200);
  });

  test('the deletion of its tenant, for good', async () => {
    const { id, token } = await createDepartment(first, { budget: '1.00' });
    const streams = await openInBoth(token);
    await first.must('DELETE', `/api/v1/admin/tenants/${id}`);
    await streams.cut('credentials_invalid');
    await answeredInBoth(token, 401);
    expect((await first.call('POST', `/api/v1/admin/tenants/${id}/resume`)).status).toBeGreaterThanOrEqual(400);
    expect((await first.call('POST', '/api/v1/admin/tenants', { id })).body['code']).toBe('tenant_exists');
    await answeredInBoth(token, 401);
  });

  test("but nothing of another token's", async () => {
    const department = await createDepartment(first, { budget: '1.00' });
    const other = await newToken(department.id);
    const streams = await openInBoth(other.token);
    await first.must('POST', `${tokenPath(department)}/revoke`);
    await answeredInBoth(department.token, 401);
    await streams.finish();
  });
});

describe('allowed models', () => {
  test('of a token and of its tenant both bind, and a change reaches every process', async () => {
    const { id, token: free } = await createDepartment(first, { budget: '1.00' });
    const { token: narrow } = await newToken(id, { allowedModels: ['fake-n1'] });
    await answeredInBoth(narrow, 200, 'fake-n1');
    await answeredInBoth(narrow, 403, 'fake-n2');
    await answeredInBoth(free, 200, 'fake-n2');

    await first.must('PATCH', `/api/v1/admin/tenants/${id}`, { allowedModels: ['fake-n2'] });
    await answeredInBoth(free, 403, 'fake-n1');
    await answeredInBoth(free, 200, 'fake-n2');
    await answeredInBoth(narrow, 403, 'fake-n1');
    await first.must('PATCH', `/api/v1/admin/tenants/${id}`, { allowedModels: null });
    await answeredInBoth(narrow, 200, 'fake-n1');
  });

  test('show in the list of models', async () => {
    const { id } = await createDepartment(first);
    const { token } = await newToken(id, { allowedModels: ['nothing-at-all'] });
    expect((await second.must<{ data: unknown[] }>('GET', '/v1/models', undefined, token)).data).toEqual([]);
  });
});

describe('managing tokens', () => {
  test('a token is shown once; listing and showing it tell all but the secret', async () => {
    const { id } = await createDepartment(first);
    const made = await newToken(id, { label: 'nightly reports' });
    expect(made.token).toMatch(new RegExp(`^tk_${id}_[0-9a-f]{32}$`));
    const shown = await second.call<Token>('GET', `/api/v1/admin/tenants/${id}/tokens/${made.id}`);
    const listed = await second.call<{ items: Token[] }>('GET', `/api/v1/admin/tenants/${id}/tokens`);
    expect(shown.body).toMatchObject({ label: 'nightly reports', status: 'active', hint: made.token.slice(-4) });
    expect(listed.body.items.map((token) => token.id)).toContain(made.id);
    for (const { text } of [shown, listed]) expect(text).not.toContain(made.token);
    const trail = await first.call('GET', `/api/v1/admin/audit?tenant=${id}`);
    expect(trail.text).toContain(made.id);
    expect(trail.text).not.toContain(made.token.slice(-32));
  });

  test('an idempotency key gives the same token again, from either process, and makes one', async () => {
    const { id } = await createDepartment(first);
    const create = (gateway: Gateway) =>
      gateway.call<Token>('POST', `/api/v1/admin/tenants/${id}/tokens`, { label: 'once' }, undefined, {
        'idempotency-key': `key-${id}`,
      });
    const answers = await Promise.all([first, second, first, second].map(create));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1);
    await answeredInBoth(answers[0]?.body.token as string, 200, 'local/demo');
    const { items } = await first.must<{ items: Token[] }>('GET', `/api/v1/admin/tenants/${id}/tokens`);
    expect(items.filter(({ label }) => label === 'once')).toHaveLength(1);
  });

  test('concurrent rotations of one token have one successor', async () => {
    const department = await createDepartment(first);
    const answers = await Promise.all(
      [first, second, first, second].map((gateway) => gateway.call('POST', `${tokenPath(department)}/rotate`, {})),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  test('revoking twice is fine, and what does not exist is a 404', async () => {
    const department = await createDepartment(first);
    await first.must('POST', `${tokenPath(department)}/revoke`);
    const again = await first.must<{ changed: boolean }>('POST', `${tokenPath(department)}/revoke`);
    expect(again.changed).toBe(false);
    const unknown = `tk_${department.id}_${'0'.repeat(32)}`;
    const answer = await first.call('POST', '/api/v1/admin/tokens/revoke', { token: unknown });
    expect([answer.status, answer.body['code']]).toEqual([404, 'token_not_found']);
    expect(answer.text).not.toContain(unknown);
  });
});

describe('the two kinds of keys', () => {
  test('an admin key opens no route of a tenant, and a token none of the admin', async () => {
    const { token, id } = await createDepartment(first);
    for (const path of ['/v1/models', '/api/v1/tenant', '/api/v1/tenant/tokens', '/api/v1/tenant/budgets'])
      for (const key of Object.values(first.place.keys))
        expect([path, (await first.call('GET', path, undefined, key)).status]).toEqual([path, 403]);
    expect(await statusOf(first, first.place.keys.admin)).toBe(403);
    for (const path of ['/api/v1/admin/tenants', `/api/v1/admin/tenants/${id}`, '/api/v1/admin/audit', '/metrics'])
      expect([path, (await first.call('GET', path, undefined, token)).status]).toEqual([path, 403]);
  });

  test('a member may not manage tokens, and an owner only those of its own tenant', async () => {
    const own = await createDepartment(first, { role: 'member' });
    const other = await createDepartment(first);
    expect((await first.call('GET', '/api/v1/tenant/tokens', undefined, own.token)).status).toBe(403);
    for (const verb of ['', '/rotate', '/revoke']) {
      const path = `/api/v1/tenant/tokens/${own.tokenId}${verb}`;
      const answer = await first.call(verb ? 'POST' : 'GET', path, verb ? {} : undefined, other.token);
      expect([verb, answer.status, answer.body['code']]).toEqual([verb, 404, 'token_not_found']);
    }
    expect(await statusOf(first, own.token)).not.toBe(401);
  });
});

describe('wrong keys', () => {
  const wrong = [
    'nonsense',
    'tk_finance_short',
    `tk_nobody_${'0'.repeat(32)}`,
    `ak_root_${'0'.repeat(32)}`,
    `tk_../../x_${'0'.repeat(32)}`,
    `tk_${'x'.repeat(4_000)}`,
  ];

  test.each(wrong.map((key) => [key.slice(0, 40), key]))('%s is a 401 that clients do not repeat', async (_, key) => {
    for (const [path, dialect] of [
      ['/v1/chat/completions', 'error'],
      ['/v1/messages', 'error'],
      ['/api/v1/admin/tenants', 'code'],
    ] as const) {
      const answer = await first.call(path.startsWith('/v1') ? 'POST' : 'GET', path, undefined, key);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get('x-should-retry')).toBe('false');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.body).toHaveProperty(dialect);
      expect(answer.text).not.toContain(key);
    }
  });

  test('a flood of them neither locks out nor starves the right one, and leaves a bounded trace', async () => {
    const { id, token } = await createDepartment(first, { budget: '100.00' });
    const refused = async () =>
      (await first.must<{ items: unknown[] }>('GET', '/api/v1/admin/audit?action=access.refused&limit=200')).items
        .length;
    const before = await residentBytes();
    const flood = Array.from(
      { length: 1_000 },
      (_, i) => `${i % 2 ? `tk_${id}` : 'ak_root'}_${randomBytes(16).toString('hex')}`,
    );
    const answers: number[] = [];
    const attack = async () => {
      for (let key = flood.pop(); key; key = flood.pop())
        for (const path of ['/v1/models', '/api/v1/admin/tenants'])
          answers.push((await first.call('GET', path, undefined, key)).status);
    };
    let over = false;
    const attacks = Promise.all(Array.from({ length: 20 }, attack)).finally(() => (over = true));
    const good: number[] = [];
    while (!over) good.push(await statusOf(first, token));
    await attacks;
    expect(new Set(answers)).toEqual(new Set([401]));
    expect(answers).toHaveLength(2_000);
    expect(good.length).toBeGreaterThan(1);
    expect(new Set(good)).toEqual(new Set([200]));

    // Sixty records of their own at most and one a second, however long that took; the rest is counted in a summary.
    await eventually(refused, (count) => count > 0);
    expect(await refused()).toBeLessThan(150);
    expect((await residentBytes()) - before).toBeLessThan(100 * 1024 * 1024);
    expect((await first.must<{ ok: boolean }>('GET', '/api/v1/admin/audit/verification')).ok).toBe(true);
  });
});

async function residentBytes(): Promise<number> {
  const { text } = await first.call('GET', '/metrics');
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

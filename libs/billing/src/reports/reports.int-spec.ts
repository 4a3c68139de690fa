import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatNanos, parseNanos } from '@app/platform';
import { tenantPrincipal } from '../../../../test/support/principals';
import { BillingWorld } from '../../test/billing-world';
import { CACHED, type LedgerRow } from '../ledger/ledger-row';

/** An hour in Berlin's first of October, which is still September in UTC. */
const OCTOBER_FIRST = new Date('2026-09-30T22:30:00.000Z');
const october = { period: '2026-10' } as const;
const alpha = tenantPrincipal('alpha');
const beta = tenantPrincipal('beta');

const records = (csv: string): string[][] =>
  csv
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));

describe('reports', () => {
  let world: BillingWorld;
  let rows: Record<'first' | 'second' | 'cached' | 'foreign' | 'before' | 'after', LedgerRow>;

  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.addTenant('alpha', 'CC-1');
    await world.addTenant('beta', '=cmd()');
    await world.addToken('tok_alpha', 'alpha', 'Laptop, "old"\nline two');
    await world.addToken('tok_beta', 'beta', '@home');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'], 'claude*': ['3', '15'] });
    const at = (ms: number) => new Date(OCTOBER_FIRST.getTime() + ms);
    rows = {
      before: world.row({ at: new Date('2026-09-30T21:59:59.999Z') }),
      first: world.row({ at: OCTOBER_FIRST, subject: '+49 30 1234' }),
      second: world.row({
        at: OCTOBER_FIRST,
        model: 'claude-opus',
        api: 'messages',
        endUser: 'alpha’s guest',
        status: 'estimated',
        outcome: 'aborted',
      }),
      cached: world.row({
        at: at(86_400_000),
        counts: { input: 1, output: 1, cacheRead: 3, cacheWrite5m: 4, cacheWrite1h: 5, reasoning: 6 },
      }),
      foreign: world.row({
        at: at(3_600_000),
        tenantId: 'beta',
        tokenId: 'tok_beta',
        providerRequestId: "'-1",
        api: null,
      }),
      after: world.row({ at: new Date('2026-10-31T23:00:00.000Z') }),
    };
    await world.book(...Object.values(rows));
  });
  afterAll(() => world.close());

  const inOctober = () => [rows.first, rows.second, rows.cached, rows.foreign];
  const sum = (some: readonly LedgerRow[]): string =>
    formatNanos(some.reduce((total, { costNanos }) => total + costNanos, 0n));

  describe('usage', () => {
    it('sums a month of the gateway’s time zone by tenant, dearest first', async () => {
      const report = await world.usage.rollUp(world.admin, { ...october, by: 'tenant' });
      expect(report).toMatchObject({
        from: '2026-09-30T22:00:00.000Z',
        to: '2026-10-31T23:00:00.000Z',
        currency: 'USD',
        moreItems: 0,
        items: [
          { key: 'alpha', label: 'ALPHA', requests: 3, cost: sum([rows.first, rows.second, rows.cached]) },
          { key: 'beta', label: 'BETA', requests: 1, cost: sum([rows.foreign]) },
        ],
        totals: {
          requests: 4,
          cost: sum(inOctober()),
          tokens: { input: 3_001, output: 301, cacheRead: 3, cacheWrite5m: 4, cacheWrite1h: 5, reasoning: 6 },
        },
      });
    });

    it.each([
      ['model', ['claude-opus', 'gpt-4o']],
      ['token', ['tok_alpha', 'tok_beta']],
      ['day', ['2026-10-01', '2026-10-02']],
      ['subject', ['+49 30 1234', null]],
      ['endUser', ['alpha’s guest', null]],
      ['costCenter', ['=cmd()', 'CC-1']],
      ['api', ['chat', 'messages', null]],
    ] as const)('sums by %s', async (by, keys) => {
      const { items, totals } = await world.usage.rollUp(world.admin, { ...october, by });
      expect(items.map(({ key }) => key).sort()).toEqual([...keys].sort());
      expect(items.reduce((total, { cost }) => total + parseNanos(cost), 0n)).toBe(parseNanos(totals.cost));
      if (by === 'day') expect(items.map(({ key }) => key)).toEqual(keys);
      if (by === 'token') expect(items.map(({ label }) => label)).toContain('@home');
    });

    it('is zero, not missing, where nothing was used', async () => {
      const report = await world.usage.rollUp(world.admin, { by: 'model', period: '2025-01' });
      expect(report).toMatchObject({
        items: [],
        moreItems: 0,
        totals: { requests: 0, cost: '0.00', tokens: { input: 0 } },
      });
    });

    it('does not pass over a tenant that is misspelt', async () => {
      await expect(world.usage.rollUp(world.admin, { by: 'model', tenant: 'alhpa' })).rejects.toMatchObject({
        code: 'tenant_not_found',
      });
    });

    it('lists requests newest first, page by page, without gap or repeat', async () => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await world.usage.requests(world.admin, { ...october, limit: 1, ...(cursor && { cursor }) });
        seen.push(...page.items.map(({ requestId }) => requestId));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      const [newer, older] = [rows.first.id, rows.second.id].sort().reverse();
      expect(seen).toEqual([rows.cached.id, rows.foreign.id, newer, older].map((id) => `req_${id}`));
    });

    it('filters the list', async () => {
      const ids = async (filter: object) =>
        (await world.usage.requests(world.admin, { ...october, limit: 50, ...filter })).items.map(
          ({ requestId }) => requestId,
        );
      expect(await ids({ tenant: 'beta' })).toEqual([`req_${rows.foreign.id}`]);
      expect(await ids({ model: 'claude-opus' })).toEqual([`req_${rows.second.id}`]);
      expect(await ids({ token: 'tok_beta' })).toEqual([`req_${rows.foreign.id}`]);
      expect(await ids({ status: 'estimated' })).toEqual([`req_${rows.second.id}`]);
    });

    it.each(['[]', '["x","y"]', '["2026-02-30T00:00:00.000Z","z"]', `["99999-01-01","${'0'.repeat(32)}"]`])(
      'refuses the cursor %s',
      async (key) => {
        const cursor = Buffer.from(key).toString('base64url');
        await expect(world.usage.requests(world.admin, { limit: 5, cursor })).rejects.toMatchObject({
          code: 'cursor_invalid',
        });
      },
    );

    it('shows a request with everything that was billed', async () => {
      expect(await world.usage.request(world.admin, `req_${rows.cached.id}`)).toMatchObject({
        tenant: 'alpha',
        costCenter: 'CC-1',
        tokenLabel: 'Laptop, "old"\nline two',
        tokens: rows.cached.counts,
        cost: formatNanos(rows.cached.costNanos),
        currency: 'USD',
        rateCard: 1,
        formula: 2,
        status: 'actual',
      });
    });
  });

  describe('the wall between departments', () => {
    it('shows a tenant nothing of another, whatever it asks for', async () => {
      const queries = { ...october, tenant: 'beta', limit: 50 };
      for (const by of ['model', 'token', 'day', 'subject', 'endUser', 'costCenter', 'api'] as const) {
        const own = await world.usage.rollUp(beta, { ...october, by });
        expect(own.totals.requests).toBe(1);
        expect(JSON.stringify(own)).not.toMatch(/alpha|CC-1|Laptop/i);
      }
      await expect(world.usage.requests(alpha, queries)).rejects.toMatchObject({ code: 'tenant_not_found' });
      expect((await world.usage.requests(beta, { ...october, limit: 50 })).items.map(({ tenant }) => tenant)).toEqual([
        'beta',
      ]);
      for (const layout of ['detail', 'daily', 'period', 'chargeback', 'focus'] as const) {
        const csv = await world.csv(beta, { ...october, layout });
        expect(records(csv)).toHaveLength(2);
        expect(csv).not.toMatch(/alpha|CC-1|Laptop/i);
        await expect(world.csv(alpha, { ...october, layout, tenant: 'beta' })).rejects.toMatchObject({
          code: 'tenant_not_found',
        });
        expect((await world.reports.manifest(beta, { ...october, layout })).totals.requests).toBe(1);
      }
    });

    it('answers alike for a request of another and for none', async () => {
      const answer = (id: string) => world.usage.request(beta, id).catch((error: unknown) => error);
      const [foreign, missing] = await Promise.all([
        answer(`req_${rows.first.id}`),
        answer(`req_${rows.first.id.slice(0, -4)}beef`),
      ]);
      expect(foreign).toMatchObject({ code: 'usage_not_found' });
      expect(foreign).toEqual(missing);
      expect(await world.usage.request(beta, `req_${rows.foreign.id}`)).toMatchObject({ tenant: 'beta' });
    });

    it.each(['', 'req_', 'req_zz', `req_${'f'.repeat(12)}7${'f'.repeat(19)}`, "req_' OR 1=1"])(
      'knows no request %j',
      async (id) => {
        await expect(world.usage.request(world.admin, id)).rejects.toMatchObject({ code: 'usage_not_found' });
      },
    );
  });

  describe('CSV', () => {
    it('has a line for each request, in an order of its own', async () => {
      const csv = await world.csv(beta, { ...october, layout: 'detail' });
      expect(csv).toBe(
        'request_id,time,tenant,cost_center,token_id,token_label,subject,end_user,model,provider,provider_request_id,' +
          'input_tokens,audio_input_tokens,cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens,' +
          'output_tokens,audio_output_tokens,reasoning_tokens,web_searches,service_tier,' +
          'rate_card,formula,list_cost,cost,currency,status,outcome,corrects_request_id,reason,saved,api\r\n' +
          `req_${rows.foreign.id},2026-09-30T23:30:00.000Z,beta,'=cmd(),tok_beta,'@home,,,gpt-4o,openai,''-1,` +
          '1000,0,0,0,0,100,0,0,0,,1,2,0.0035,0.0035,USD,actual,completed,,,,\r\n',
      );
      const all = await world.csv(world.admin, { ...october, layout: 'detail' });
      const ids = [...all.matchAll(/^req_([0-9a-f]{32})/gm)].map(([, id]) => id);
      expect(ids).toEqual([...[rows.first.id, rows.second.id].sort(), rows.foreign.id, rows.cached.id]);
      const apis = new Map(records(all).map((cells) => [cells[0], cells.at(-1)]));
      expect([rows.first, rows.second, rows.foreign, rows.cached].map(({ id }) => apis.get(`req_${id}`))).toEqual([
        ...['chat', 'messages', '', 'chat'],
      ]);
    });

    it('rolls up by day and for the period, to the same nano', async () => {
      const daily = await world.csv(world.admin, { ...october, layout: 'daily' });
      expect(records(daily).map((cells) => cells.slice(0, 5).join(' '))).toEqual([
        'day tenant cost_center model requests',
        '2026-10-01 alpha CC-1 claude-opus 1',
        '2026-10-01 alpha CC-1 gpt-4o 1',
        "2026-10-01 beta '=cmd() gpt-4o 1",
        '2026-10-02 alpha CC-1 gpt-4o 1',
      ]);
      const manifests = await Promise.all(
        (['detail', 'daily', 'period', 'chargeback', 'focus'] as const).map((layout) =>
          world.reports.manifest(world.admin, { ...october, layout }),
        ),
      );
      expect(manifests.map(({ rows: count }) => count)).toEqual([4, 4, 3, 2, 4]);
      for (const { totals } of manifests) expect(totals).toMatchObject({ requests: 4, cost: sum(inOctober()) });
    });

    it('charges cost centres, one line for each tenant of theirs', async () => {
      const cost = sum([rows.first, rows.second, rows.cached]);
      expect(await world.csv(world.admin, { ...october, layout: 'chargeback' })).toBe(
        'period_start,period_end,cost_center,tenant,requests,input_tokens,audio_input_tokens,cache_read_tokens,' +
          'cache_write_5m_tokens,cache_write_1h_tokens,output_tokens,audio_output_tokens,reasoning_tokens,web_searches,' +
          'list_cost,cost,currency,cached_requests,saved\r\n' +
          "2026-09-30T22:00:00.000Z,2026-10-31T23:00:00.000Z,'=cmd(),beta,1,1000,0,0,0,0,100,0,0,0,0.0035,0.0035,USD,0,0.00\r\n" +
          `2026-09-30T22:00:00.000Z,2026-10-31T23:00:00.000Z,CC-1,alpha,3,2001,0,3,4,5,201,0,6,0,${cost},${cost},USD,0,0.00\r\n`,
      );
    });

    it('has the FOCUS columns, a charge for each day, tenant, model and rate card', async () => {
      const csv = await world.csv(beta, { ...october, layout: 'focus' });
      const [names = [], cells = []] = records(csv.replace('"{""cost_center"":""=cmd()""}"', 'TAGS'));
      const charge = Object.fromEntries(names.map((name, index) => [name, cells[index]]));
      // All columns of the feature level "Mandatory" in FOCUS 1.2, in the order of their names.
      const mandatory =
        'BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ' +
        'ChargeClass ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName ' +
        'ListCost PricingQuantity PricingUnit ProviderName PublisherName ServiceCategory ServiceName';
      expect(names).toEqual(expect.arrayContaining(mandatory.split(' ')));
      expect(charge).toEqual({
        BilledCost: '0.0035',
        BillingAccountId: 'OpenClawMU',
        BillingAccountName: 'OpenClawMU',
        BillingCurrency: 'USD',
        BillingPeriodEnd: '2026-10-31T23:00:00Z',
        BillingPeriodStart: '2026-09-30T22:00:00Z',
        ChargeCategory: 'Usage',
        ChargeClass: '',
        ChargeDescription: 'gpt-4o by openai',
        ChargeFrequency: 'Usage-Based',
        ChargePeriodEnd: '2026-10-01T22:00:00Z',
        ChargePeriodStart: '2026-09-30T22:00:00Z',
        ConsumedQuantity: '1100',
        ConsumedUnit: 'Tokens',
        ContractedCost: '0.0035',
        EffectiveCost: '0.0035',
        InvoiceIssuerName: 'OpenClawMU',
        ListCost: '0.0035',
        PricingQuantity: '1100',
        PricingUnit: 'Tokens',
        ProviderName: 'openai',
        PublisherName: 'openai',
        ServiceCategory: 'AI and Machine Learning',
        ServiceName: 'Language model inference',
        ServiceSubcategory: 'Generative AI',
        SkuId: 'gpt-4o',
        SubAccountId: 'beta',
        SubAccountName: 'beta',
        Tags: 'TAGS',
        x_RateCard: '1',
        x_Requests: '1',
        x_ServiceTier: '',
        x_InputTokens: '1000',
        x_AudioInputTokens: '0',
        x_CacheReadTokens: '0',
        x_CacheWrite5mTokens: '0',
        x_CacheWrite1hTokens: '0',
        x_OutputTokens: '100',
        x_AudioOutputTokens: '0',
        x_ReasoningTokens: '0',
        x_WebSearches: '0',
        x_CachedRequests: '0',
        x_SavedCost: '0.00',
      });
    });

    it('tells what tiers, searches and markups do to the bill, in every layout', async () => {
      await world.addTenant('gamma', 'CC-3');
      const card = await world.cards.import(world.admin, {
        currency: 'USD',
        exchange: { from: 'EUR', rate: '1.25' },
        markups: [{ tenant: 'gamma', percent: '10' }],
        prices: [
          {
            ...{ model: 'gpt-4o', input: '2', output: '8', audioInput: '20', fees: { webSearch: '0.01' } },
            tiers: { priority: { input: '4', output: '16' } },
          },
        ],
      });
      await world.reload();
      const at = new Date('2026-02-02T12:00:00Z');
      const gamma = {
        at,
        tenantId: 'gamma',
        rateCard: card.version,
        counts: { input: 1_000, audioInput: 100, output: 0 },
      };
      const standard = world.row({ ...gamma, webSearches: 2, endUser: 'ann' });
      await world.book(standard, world.row({ ...gamma, serviceTier: 'priority' }));
      // 0.002 + 0.002 + 0.02 and 0.004 + 0.0004, in euros.
      expect(standard.costNanos).toBe(33_000_000n);
      const february = { period: '2026-02', tenant: 'gamma' };
      for (const layout of ['detail', 'daily', 'period', 'chargeback', 'focus'] as const) {
        const { totals } = await world.reports.manifest(world.admin, { ...february, layout });
        expect(totals).toMatchObject({
          ...{ tokens: { input: 2_000, audioInput: 200 }, webSearches: 2 },
          ...{ listCost: '0.0355', cost: '0.03905' },
        });
      }
      const focus = records(await world.csv(world.admin, { ...february, layout: 'focus' }));
      const of = (name: string) => focus.slice(1).map((cells) => cells[focus[0]?.indexOf(name) ?? -1]);
      expect(of('x_ServiceTier')).toEqual(['', 'priority']);
      expect(of('ListCost')).toEqual(['0.03', '0.0055']);
      expect(of('ContractedCost')).toEqual(['0.033', '0.00605']);
      expect(of('BilledCost')).toEqual(of('ContractedCost'));
      expect(of('x_WebSearches')).toEqual(['2', '0']);
      expect(await world.usage.request(world.admin, `req_${standard.id}`)).toMatchObject({
        ...{ endUser: 'ann', webSearches: 2, serviceTier: null },
        ...{ listCost: '0.03', cost: '0.033' },
      });
    });

    it('tells calls that the response cache answered, and what they saved, beside the bill and not in it', async () => {
      const at = new Date('2026-05-05T05:05:05.005Z');
      const bought = world.row({ at });
      const free = { reason: CACHED, counts: { input: 0, output: 0 } };
      // More than a number of JSON holds exactly.
      const hits = [bought.costNanos, 9_007_199_254_740_993n].map((savedNanos) =>
        world.row({ at, ...free, savedNanos }),
      );
      await world.book(bought, ...hits);
      const may = { period: '2026-05' } as const;
      const saved = { cachedRequests: 2, saved: '9007199.258240993' };
      for (const by of ['tenant', 'token', 'subject', 'day'] as const) {
        const { items, totals } = await world.usage.rollUp(world.admin, { ...may, by });
        expect(items).toMatchObject([{ requests: 3, cost: '0.0035', ...saved }]);
        expect(totals).toMatchObject({ requests: 3, cost: '0.0035', ...saved });
      }
      for (const layout of ['daily', 'period', 'chargeback', 'focus'] as const) {
        const [names = [], ...lines] = records(await world.csv(world.admin, { ...may, layout }));
        expect(lines.map((cells) => cells.slice(-2))).toEqual([['2', saved.saved]]);
        expect(names.slice(-2)).toEqual(
          layout === 'focus' ? ['x_CachedRequests', 'x_SavedCost'] : ['cached_requests', 'saved'],
        );
      }
      const detail = records(await world.csv(world.admin, { ...may, layout: 'detail' })).slice(1);
      expect(detail.map((cells) => cells.slice(-3, -1)).sort()).toEqual([
        ['', ''],
        ['cached', '0.0035'],
        ['cached', '9007199.254740993'],
      ]);
      expect(await world.usage.request(world.admin, `req_${hits[0]?.id}`)).toMatchObject({
        ...{ status: 'actual', reason: 'cached', cost: '0.00', saved: '0.0035' },
      });
      expect(await world.usage.request(world.admin, `req_${bought.id}`)).toMatchObject({ reason: null, saved: null });
    });

    it('tells corrections apart in the FOCUS columns', async () => {
      const corrected = world.row({ at: new Date('2026-03-03T03:03:03.003Z') });
      const correction = world.row({ at: new Date('2026-03-03T04:00:00.000Z'), status: 'correction' });
      await world.book(corrected, correction);
      const [names = [], ...lines] = records(await world.csv(world.admin, { period: '2026-03', layout: 'focus' }));
      expect(lines.map((cells) => cells[names.indexOf('ChargeClass')])).toEqual(['', 'Correction']);
    });

    it('tells why a line is not sure, as text that no spreadsheet runs', async () => {
      const at = new Date('2025-03-03T03:03:03.003Z');
      const correction = world.row({ at, status: 'correction' });
      await world.book(world.row({ at, status: 'unconfirmed', reason: 'no_answer' }), correction);
      await world.asSuperuser("UPDATE ledger SET reason = '=cmd() of line 17' WHERE id = $1", [correction.id]);
      const lines = records(await world.csv(world.admin, { period: '2025-03', layout: 'detail' }));
      expect(lines.map((cells) => cells.at(-3)).sort()).toEqual(["'=cmd() of line 17", 'no_answer', 'reason']);
    });

    it('is told by its manifest, byte for byte, and can be had again after rows came late', async () => {
      const query = { period: '2026-07', layout: 'detail', tenant: 'alpha' } as const;
      await world.book(world.row({ at: new Date('2026-07-07T07:07:07.007Z') }));
      const manifest = await world.reports.manifest(world.admin, query);
      const csv = await world.csv(world.admin, query);
      expect(manifest).toMatchObject({
        schema: 'usage-detail/3',
        filename: 'usage-detail_alpha_20260630T220000Z_20260731T220000Z.csv',
        rows: 1,
        bytes: Buffer.byteLength(csv),
        sha256: createHash('sha256').update(csv).digest('hex'),
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await world.book(world.row({ at: new Date('2026-07-01T00:00:00.000Z') }));
      expect(records(await world.csv(world.admin, query))).toHaveLength(3);
      expect(await world.csv(world.admin, { ...query, asOf: manifest.asOf })).toBe(csv);
      await expect(world.csv(world.admin, { ...query, asOf: '2999-01-01T00:00:00Z' })).rejects.toMatchObject({
        code: 'validation_failed',
      });
    });

    it('does not change when a department moves to another cost centre or a card is imported', async () => {
      const before = await world.csv(world.admin, { ...october, layout: 'period' });
      await world.asSuperuser("UPDATE tenants SET cost_center = 'CC-9', name = 'Renamed'");
      await world.priceAt({ 'gpt-4o': ['99', '99'] });
      expect(await world.csv(world.admin, { ...october, layout: 'period' })).toBe(before);
      await world.asSuperuser("UPDATE tenants SET cost_center = 'CC-1' WHERE id = 'alpha'");
    });

    it('loads into PostgreSQL as it is, every value exact', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'report-'));
      try {
        await chmod(folder, 0o755);
        const file = join(folder, 'detail.csv');
        await writeFile(file, await world.csv(world.admin, { ...october, layout: 'detail' }), { mode: 0o644 });
        await world.asSuperuser(`
          CREATE TABLE loaded (request_id text, time timestamptz, tenant text, cost_center text, token_id text, token_label text,
            subject text, end_user text, model text, provider text, provider_request_id text, input_tokens bigint,
            audio_input_tokens bigint, cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint,
            output_tokens bigint, audio_output_tokens bigint, reasoning_tokens bigint, web_searches bigint, service_tier text,
            rate_card int, formula int, list_cost numeric, cost numeric, currency text, status text, outcome text, corrects_request_id text, reason text, saved numeric, api text);
          COPY loaded FROM '${file}' (FORMAT csv, HEADER match)`);
        const differences = await world.asSuperuser(`
          SELECT * FROM loaded FULL JOIN (
            SELECT *, cost_nanos / 1e9 AS exact FROM ledger WHERE at >= '2026-09-30T22:00Z' AND at < '2026-10-31T23:00Z') l
            ON request_id = 'req_' || replace(l.id::text, '-', '')
          WHERE (time, loaded.input_tokens, loaded.cache_read_tokens, loaded.cache_write_5m_tokens, loaded.cache_write_1h_tokens,
              loaded.output_tokens, loaded.reasoning_tokens, cost, regexp_replace(loaded.subject, '^''', ''),
              regexp_replace(loaded.provider_request_id, '^''', ''))
            IS DISTINCT FROM (at, l.input_tokens, l.cache_read_tokens, l.cache_write_5m_tokens, l.cache_write_1h_tokens,
              l.output_tokens, l.reasoning_tokens, exact, l.subject, l.provider_request_id)`);
        expect(differences).toEqual([]);
        const labels = await world.asSuperuser<{ token_label: string }>(
          'SELECT DISTINCT token_label FROM loaded ORDER BY 1',
        );
        expect(labels.map((row) => row.token_label)).toEqual(["'@home", 'Laptop, "old"\nline two']);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
});

import { reconcile, type ReconcileOptions } from './reconcile';

const OPENAI =
  'start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,model,input_tokens,output_tokens,input_cached_tokens\n';
const ANTHROPIC =
  'usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,' +
  'usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,speed\n';
const BILL =
  'time,model,provider,input_tokens,cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens,output_tokens,reasoning_tokens,status,request_id,corrects_request_id\r\n';
const NOON = Date.parse('2026-11-03T12:00:00Z') / 1_000;

async function* text(whole: string): AsyncGenerator<string> {
  yield await Promise.resolve(whole);
}
const compare = async (theirs: string, ours: string, options?: ReconcileOptions) =>
  (await reconcile(text(theirs), [() => text(BILL + ours)], options)).days;

it('finds no drift where both count the same, each in its own way', async () => {
  const openai = await compare(
    `\ufeff${OPENAI}${NOON},${NOON + 60},a,b,proj,2.0,gpt-4o-2024-08-06,1500,60,400\n${NOON},,,,,1,gpt-4o,10,1,\n${NOON},,,,,,,,,\n`,
    '2026-11-03T00:00:00.000Z,gpt-4o,openai,1000,400,60,40,40,20,actual\r\n' +
      '2026-11-03T23:59:59.999Z,gpt-4o,openai,10,0,0,0,1,0,actual\r\n' +
      '2026-11-03T12:00:00.000Z,gpt-4o,other,9,9,9,9,9,9,actual\r\n',
  );
  expect(openai).toEqual([
    {
      day: '2026-11-03',
      model: 'gpt-4o',
      ours: { input: 1_110, cacheRead: 400, cacheWrite: 0, output: 61 },
      theirs: { input: 1_110, cacheRead: 400, cacheWrite: 0, output: 61 },
      drift: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
      ourRequests: 2,
      theirRequests: 3,
      uncertain: 0,
      isDrifting: false,
    },
  ]);
  const anthropic = await compare(
    `${ANTHROPIC}2026-11-03,claude-sonnet-4-20250514,key,Default,standard,≤ 200k,5,1,2,3,4,\n`,
    '2026-11-03T12:00:00.000Z,claude-sonnet-4,anthropic,5,3,1,2,3,1,actual\r\n',
  );
  expect(anthropic).toEqual([expect.objectContaining({ isDrifting: false, theirRequests: null })]);
});

it('tells the drift of each day and model, and how much of ours is uncertain', async () => {
  const found = await compare(
    `${ANTHROPIC}2026-11-04,claude-x,,,,,100,0,0,0,10,\n2026-11-03,claude-y,,,,,7,0,0,0,1,\n`,
    '2026-11-04T12:00:00.000Z,claude-x,anthropic,150,0,0,0,400,0,unconfirmed\r\n' +
      '2026-11-04T13:00:00.000Z,claude-z,anthropic,1,0,0,0,1,0,actual\r\n',
  );
  expect(
    found.map(({ day, model, drift, uncertain, isDrifting }) => ({ day, model, drift, uncertain, isDrifting })),
  ).toEqual([
    {
      day: '2026-11-03',
      model: 'claude-y',
      drift: { input: -7, cacheRead: 0, cacheWrite: 0, output: -1 },
      uncertain: 0,
      isDrifting: true,
    },
    {
      day: '2026-11-04',
      model: 'claude-x',
      drift: { input: 50, cacheRead: 0, cacheWrite: 0, output: 390 },
      uncertain: 1,
      isDrifting: true,
    },
    {
      day: '2026-11-04',
      model: 'claude-z',
      drift: { input: 1, cacheRead: 0, cacheWrite: 0, output: 1 },
      uncertain: 0,
      isDrifting: true,
    },
  ]);
});

describe('corrections', () => {
  const theirs = `${ANTHROPIC}2026-11-03,claude-x,,,,,10,0,0,2,5,\n`;
  const call = '2026-11-03T23:59:00.000Z,claude-x,anthropic,0,0,0,900,400,0,unconfirmed,req_a,\r\n';
  const correction = '2026-11-03T23:59:00.000Z,claude-x,anthropic,10,2,0,-900,-395,0,correction,req_k,req_a\r\n';
  const compared = async (...bills: string[]) => {
    const { days, strayCorrections } = await reconcile(
      text(theirs),
      bills.map((bill) => () => text(BILL + bill)),
    );
    return { strayCorrections, days };
  };
  const settled = {
    strayCorrections: 0,
    days: [
      expect.objectContaining({
        day: '2026-11-03',
        ours: { input: 10, cacheRead: 2, cacheWrite: 0, output: 5 },
        ourRequests: 1,
        uncertain: 0,
        isDrifting: false,
      }) as unknown,
    ],
  };

  it('move our count on the day of the call they correct, make no request of their own, and end a doubt', async () => {
    expect((await compared(call)).days).toMatchObject([{ uncertain: 1, isDrifting: true }]);
    expect(await compared(call + correction)).toEqual(settled);
  });

  it('by a rate card change the price, and end no doubt', async () => {
    const priced = `${BILL.trimEnd()},rate_card,reason\r\n${call.trimEnd()},2,no_answer\r\n`;
    const repriced = correction.trimEnd().replace('10,2,0,-900,-395', '0,0,0,0,0');
    const uncertain = async (reason: string): Promise<unknown> => {
      const bill = () => text(`${priced}${repriced},3,${reason}\r\n`);
      return (await reconcile(text(theirs), [bill])).days[0]?.uncertain;
    };
    expect(await uncertain('rate card 3: The contract says so')).toBe(1);
    expect(await uncertain('Invoice')).toBe(0);
  });

  it('are taken from a later bill, in whatever order bills are given', async () => {
    expect(await compared(call, correction)).toEqual(settled);
    expect(await compared(correction, call)).toEqual(settled);
  });

  it('are left out and told where the call is in no bill that was given', async () => {
    const { days, strayCorrections } = await compared(correction);
    expect(strayCorrections).toBe(1);
    expect(days).toMatchObject([{ ourRequests: 0, drift: { input: -10, cacheRead: -2, cacheWrite: 0, output: -5 } }]);
  });

  it('alone may take something back', async () => {
    await expect(compared(call.replace(',900,', ',-900,'))).rejects.toThrow(
      /line 2: "-900" in the column cache_write_1h/,
    );
  });
});

it('counts no call that the response cache has answered', async () => {
  const bill =
    BILL.replace('status', 'status,reason') +
    '2026-11-03T12:00:00.000Z,gpt-4o,openai,5,0,0,0,3,0,actual,,req_1,\r\n' +
    '2026-11-03T12:01:00.000Z,gpt-4o,openai,0,0,0,0,0,0,actual,cached,req_2,\r\n' +
    '2026-11-04T12:01:00.000Z,gpt-4o,openai,0,0,0,0,0,0,actual,cached,req_3,\r\n';
  const { days } = await reconcile(text(`${OPENAI}${NOON},,,,,1,gpt-4o,5,3,0\n`), [() => text(bill)]);
  expect(days).toEqual([expect.objectContaining({ ourRequests: 1, theirRequests: 1, isDrifting: false })]);
});

it('follows other names of the provider and of models', async () => {
  const [row, ...others] = await compare(
    `${ANTHROPIC}2026-11-03,claude-opus-5,,,,,5,0,0,0,4,\n`,
    '2026-11-03T12:00:00.000Z,smart,claude-eu,5,0,0,0,4,0,actual\r\n',
    { provider: 'claude-eu', models: new Map([['claude-opus-5', 'smart']]) },
  );
  expect({ row, others }).toMatchObject({ row: { model: 'smart', isDrifting: false }, others: [] });
});

it.each([
  ['what is no export', 'a,b\n1,2\n', '', /columns of a usage export/],
  ['an empty file', '', '', /no lines/],
  [
    'a count that is none',
    `${ANTHROPIC}2026-11-03,claude-x,,,,,12,x,0,0,1,\n`,
    '',
    /line 2: "x" in the column usage_input_tokens_cache_write_5m/,
  ],
])('refuses %s', async (_, theirs, ours, message) => {
  await expect(compare(theirs, ours)).rejects.toThrow(message);
});

it.each([
  ['a day of a spreadsheet', `${ANTHROPIC}11/3/2026,claude-x,,,,,1,0,0,0,1,\n`, /line 2: "11\/3\/2026" .* is no day/],
  ['milliseconds', `${OPENAI}${NOON * 1_000},,,,,1,gpt-4o,10,1,\n`, /line 2: "\d{13}" .* is no moment in seconds/],
  ['no moment', `${OPENAI},,,,,1,gpt-4o,10,1,\n`, /line 2: "" in the column start_time is no moment/],
])('refuses %s rather than to let all drift', async (_, theirs, message) => {
  await expect(compare(theirs, '')).rejects.toThrow(message);
});

it('passes over a sum that somebody has added below', async () => {
  const [row] = await compare(`${ANTHROPIC}2026-11-03,claude-x,,,,,1,0,0,0,1,\n\nTotal,,,,,,1,0,0,0,1,\n`, '');
  expect(row?.theirs).toEqual({ input: 1, cacheRead: 0, cacheWrite: 0, output: 1 });
});

it('refuses bills that have a request twice, as those of a tenant and of the whole gateway', async () => {
  const bill = () => text(`${BILL}2026-11-03T12:00:00.000Z,claude-x,anthropic,1,0,0,0,1,0,actual,req_a,\r\n`);
  const theirs = `${ANTHROPIC}2026-11-03,claude-x,,,,,1,0,0,0,1,\n`;
  expect((await reconcile(text(theirs), [bill])).days).toMatchObject([{ isDrifting: false }]);
  await expect(reconcile(text(theirs), [bill, bill])).rejects.toThrow(/req_a stands in two of the bills/);
});

it('refuses a bill of another layout', async () => {
  const roll = () => text('day,tenant,model\r\n2026-11-03,a,b\r\n');
  await expect(reconcile(text(`${ANTHROPIC}2026-11-03,claude-x,,,,,1,0,0,0,1,\n`), [roll])).rejects.toThrow(
    /layout detail/,
  );
});

import { propose } from './propose';

async function* text(whole: string): AsyncGenerator<string> {
  yield await Promise.resolve(whole);
}

const EXPORT = 'provider_request_id,input_tokens,cache_read_tokens,output_tokens\n';
const BILL =
  'request_id,provider_request_id,input_tokens,cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens,output_tokens,' +
  'reasoning_tokens,status,corrects_request_id\r\n';

const proposed = async (theirs: string, ours: string) =>
  (await propose(text(EXPORT + theirs), [text(BILL + ours)])).proposals;

it('proposes what the provider counted of each request that is billed otherwise', async () => {
  const found = await proposed(
    'up-1,10,2,5\nup-2,7,0,1\nup-3,1,1,1\n',
    'req_a,up-1,0,0,0,900,400,0,quarantined,\r\nreq_b,up-2,7,0,0,0,1,0,actual,\r\nreq_c,,9,9,9,9,9,9,unconfirmed,\r\n',
  );
  expect(found).toEqual([
    {
      requestId: 'req_a',
      providerRequestId: 'up-1',
      tokens: expect.objectContaining({ input: 10, cacheRead: 2, cacheWrite1h: 0, output: 5 }) as unknown,
    },
  ]);
});

it('takes corrections into account', async () => {
  const corrected = 'req_a,up-1,0,0,0,900,400,0,quarantined,\r\nreq_k,up-1,10,2,0,-900,-395,0,correction,req_a\r\n';
  expect(await proposed('up-1,10,2,5\n', corrected)).toEqual([]);
  expect(await proposed('up-1,10,2,6\n', corrected)).toEqual([expect.objectContaining({ requestId: 'req_a' })]);
});

it('names the requests of which no bill has the call', async () => {
  const correction = 'req_k,up-3,10,2,0,-900,-395,0,correction,req_a\r\n';
  const theirs = text(`${EXPORT}up-1,10,2,6\nup-2,1,0,1\nup-3,1,0,1\n`);
  expect(await propose(theirs, [text(`${BILL}req_b,up-2,1,0,0,0,1,0,actual,\r\n`), text(BILL + correction)])).toEqual({
    proposals: [],
    unbilled: ['up-1', 'up-3'],
  });
});

it('adds up what stands in several bills, and proposes nothing where it knows a correction alone', async () => {
  const call = 'req_a,up-1,0,0,0,900,400,0,quarantined,\r\n';
  const correction = 'req_k,up-1,10,2,0,-900,-395,0,correction,req_a\r\n';
  const from = async (...bills: string[]) =>
    (
      await propose(
        text(`${EXPORT}up-1,10,2,6\n`),
        bills.map((bill) => text(BILL + bill)),
      )
    ).proposals;
  expect(await from(correction)).toEqual([]);
  expect(await from(correction, call)).toEqual([expect.objectContaining({ requestId: 'req_a' })]);
});

it('refuses an export by day, a doubled request and another bill', async () => {
  await expect(propose(text('usage_date_utc,model_version\n2026-11-03,claude\n'), [text(BILL)])).rejects.toThrow(
    /line for each request/,
  );
  await expect(proposed('up-1,1,1,1\nup-1,1,1,1\n', '')).rejects.toThrow(/up-1 twice/);
  await expect(propose(text(`${EXPORT}up-1,1,1,1\n`), [text('day,tenant\r\n2026-11-03,a\r\n')])).rejects.toThrow(
    /layout detail/,
  );
});

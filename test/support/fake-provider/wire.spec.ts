import { gunzipSync } from 'node:zlib';
import { FakeProvider, PROVIDER_KEY } from '../fake-provider';
import { openRaw, postRaw, type RawAnswer } from './raw-client';

// What an SDK hides: the bytes, where they are cut, and how a connection ends.
let provider: FakeProvider;

beforeEach(async () => {
  provider = await FakeProvider.start();
});

afterEach(() => provider.close());

const KEY = { 'x-api-key': PROVIDER_KEY, 'anthropic-version': '2023-06-01', 'accept-encoding': 'gzip' };
const json = (model: string, stream: boolean) =>
  JSON.stringify({ model, stream, max_tokens: 10_000, messages: [{ role: 'user', content: 'hi' }] });
const path = (route: string) => `${provider.url}/v1/${route}`;
const messages = (model: string, stream = true): Promise<RawAnswer> =>
  postRaw(path('messages'), KEY, json(model, stream));

/** The text of the answer, read by the rules of server-sent events. */
function textOf(body: Buffer): string {
  const blocks = body.toString('utf8').replace(/\r\n?/g, '\n').split('\n\n');
  return blocks
    .map((block) => JSON.parse(dataOf(block) || '{}') as { delta?: { text?: string } })
    .reduce((text, { delta }) => text + (delta?.text ?? ''), '');
}

const dataOf = (block: string): string =>
  block
    .split('\n')
    .flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? [])
    .join('\n');

describe('framing', () => {
  it('writes one event per chunk, as providers do', async () => {
    const { chunks, body, complete, headers } = await messages('fake-n3');

    expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(chunks.map((chunk) => /^event: (\w+)\ndata: \{.*\}\n\n$/.exec(chunk.toString())?.[1])).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      ...Array<string>(3).fill('content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(textOf(body)).toBe('lorem '.repeat(3));
    expect(complete).toBe(true);
  });

  it.each([
    ['crlf', /^event: message_start\r\ndata: \{[^\n]*\}\r\n\r\nevent/],
    ['cr', /^event: message_start\rdata: \{[^\n]*\}\r\revent/],
    ['tight', /^event:message_start\ndata:\{[^\n]*\}\n\nevent/],
    ['comments', /^: keep-alive\n\nevent: message_start\n/],
    ['spread', /^event: message_start\ndata: \{\ndata: {2}"type": "message_start",\n/],
    ['extras', /\nevent: future_event\ndata: \{"type":"future_event","index":0,"future_field":\{"deep":\[1\]\}\}\n\n/],
  ])('knows %s', async (framing, shape) => {
    const { body } = await messages(`fake-n3-emoji-${framing}`);

    expect(body.toString('utf8')).toMatch(shape);
    expect(textOf(body)).toBe('ü👩‍🚀 '.repeat(3));
  });

  it.each([1, 3, 7, 64])('cuts the stream every %i bytes, inside characters too', async (size) => {
    const { chunks, body } = await messages(`fake-n3-emoji-b${size}`);

    expect(chunks.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
    expect(chunks.some((chunk) => chunk.toString('utf8').includes('\uFFFD'))).toBe(true);
    expect(textOf(body)).toBe('ü👩‍🚀 '.repeat(3));
  });

  it('sends everything in one write, or one huge event', async () => {
    const coalesced = await messages('fake-n30-p');
    const huge = await messages('fake-n1-s2000000');

    expect(coalesced.chunks).toHaveLength(1);
    expect(textOf(coalesced.body)).toBe('lorem '.repeat(30));
    expect(Math.max(...huge.chunks.map((chunk) => chunk.length))).toBeGreaterThan(2_000_000);
    expect(textOf(huge.body)).toHaveLength(2_000_000);
  });

  it.each([true, false])('compresses for those who accept it (stream: %s)', async (stream) => {
    const { headers, body, chunks } = await messages('fake-n5-gzip', stream);
    const plain = await postRaw(
      path('messages'),
      { ...KEY, 'accept-encoding': 'identity' },
      json('fake-n5-gzip', stream),
    );

    expect(headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(body).toString()).toContain('lorem ');
    expect(chunks.length > 5).toBe(stream);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toContain('lorem ');
  });

  it('ends a chat stream with [DONE]', async () => {
    const { body } = await postRaw(path('chat/completions'), KEY, json('fake-n1-crlf', true));

    expect(body.toString()).toMatch(/\r\n\r\ndata: \[DONE\]\r\n\r\n$/);
  });
});

describe('broken answers', () => {
  it('tells a clean early end from a cut connection', async () => {
    const clean = await messages('fake-t2');
    const cut = await messages('fake-x2');

    expect([clean.complete, cut.complete]).toEqual([true, false]);
    for (const { body } of [clean, cut]) {
      expect(textOf(body)).toBe('lorem '.repeat(2));
      expect(body.includes('message_stop')).toBe(false);
    }
  });

  it('breaks a whole body in its middle', async () => {
    const clean = await messages('fake-t1', false);
    const cut = await messages('fake-x1', false);
    const errorEvent = await messages('fake-y1', false);

    expect([clean.complete, cut.complete, errorEvent.complete]).toEqual([true, false, false]);
    for (const { body } of [clean, cut]) expect(() => JSON.parse(body.toString()) as unknown).toThrow(SyntaxError);
  });

  it('breaks at the very edges', async () => {
    provider.script('empty', { breakAt: { at: 'after-headers', how: 'truncate' } });
    provider.script('opened', { breakAt: { at: 0, how: 'disconnect' } });
    provider.script('endless', { breakAt: { at: 20, how: 'truncate' } });
    const opened = (await messages('opened')).body.toString();
    const endless = (await messages('endless')).body;

    await expect(messages('fake-nohead')).rejects.toThrow('only 0 bytes');
    expect(await messages('empty')).toMatchObject({ status: 200, body: Buffer.alloc(0), complete: true });
    expect(await messages('empty', false)).toMatchObject({ status: 200, body: Buffer.alloc(0), complete: true });
    expect(opened).toContain('message_start');
    expect(opened).not.toContain('content_block_delta');
    expect(textOf(endless)).toBe('lorem '.repeat(20));
    expect(endless.includes('content_block_stop')).toBe(false);
  });

  it('pauses first where it is to pause and to break', async () => {
    provider.script('both', { pauseAt: 2, breakAt: { at: 2, how: 'disconnect' } });
    const answer = messages('both');
    const request = await provider.waitForRequest(({ paused }) => paused);

    request.resume();
    expect(textOf((await answer).body)).toBe('lorem '.repeat(2));
    expect(request.outcome).toBe('broken');
  });
});

describe('callers', () => {
  it('notes one who leaves in the middle of the upload', async () => {
    const socket = await openRaw(path('messages'), { ...KEY, 'content-length': '5000' }, '{"model":"fa');
    socket.destroy();
    const request = await provider.waitForRequest(({ outcome }) => outcome === 'aborted');

    expect(request.body.toString()).toBe('{"model":"fa');
    expect(provider.tally().tokens.input).toBe(0);
  });

  it('may leave as soon as they have read the end, and count as served', async () => {
    const socket = await openRaw(path('messages'), KEY, json('fake-n2', true));
    for await (const bytes of socket) if ((bytes as Buffer).includes('message_stop')) break;
    const [request] = provider.requests;

    expect(request?.outcome).toBe('completed');
    await provider.close();
    expect(provider.tally()).toMatchObject({ completed: 1, aborted: 0 });
  });

  it('generates no faster than the caller reads', async () => {
    const unread = await openRaw(path('messages'), KEY, json('fake-n200-s100000', true));
    const request = await provider.waitForRequest(({ pieces }) => pieces > 0);

    // The one who reads begins later and gets everything; by then the other would have been done as well.
    expect(textOf((await messages('fake-n200-s100000-i1')).body)).toHaveLength(200 * 100_000);
    expect(request.outcome).toBe('open');
    expect(request.pieces).toBeLessThan(200);

    unread.destroy();
    await provider.waitFor(() => request.outcome !== 'open');
    expect(request.outcome).toBe('aborted');
    expect(request.charged.output).toBe(request.pieces);
  });
});

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Secret, type GatewayConfig } from '@app/platform';
import { makeCertificates, type Certificates } from '../../../../test/support/certificates';
import { ConnectProxy } from '../../../../test/support/connect-proxy';
import { expectNothingLeft } from '../../../../test/support/processes';
import { SwiftServer } from '../../../../test/support/swift-server';
import { DeliveryWorld } from '../../test/delivery-world';
import { S3Destination, type S3Settings } from './s3-destination';

const Bucket = 'finance';
const MIB = 1024 * 1024;
/** Longer than any of these tests may last. */
const LONG = { connectMs: 600_000, silenceMs: 600_000 };

/** Bytes of buffers that somebody holds. Twice, because what one collection finds is let go beside it. */
function living(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('a bucket', () => {
  let server: SwiftServer;
  let client: S3Client;
  let settings: S3Settings;

  beforeAll(async () => {
    server = await SwiftServer.start(Bucket);
    client = server.client();
    settings = {
      bucket: Bucket,
      prefix: 'llm/bills',
      region: 'us-east-1',
      endpoint: server.endpoint,
      internal: false,
      forcePathStyle: true,
      accessKeyId: server.credentials.accessKeyId,
      secretAccessKey: new Secret(server.credentials.secretAccessKey),
    };
  }, 300_000);
  afterAll(async () => {
    client?.destroy();
    await server?.stop();
    await expectNothingLeft(server.folder);
  });

  const keys = async (): Promise<string[]> =>
    ((await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'llm/bills/' }))).Contents ?? []).map(
      ({ Key = '' }) => Key.slice('llm/bills/'.length),
    );
  const text = async (key: string): Promise<string> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: `llm/bills/${key}` }));
    return (await Body?.transformToString()) ?? '';
  };
  const uploads = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];
  const never = new AbortController().signal;
  const place = (change: Partial<S3Settings> = {}, egress: GatewayConfig['egress'] = {}, patience = LONG) =>
    new S3Destination({ ...settings, ...change }, egress, patience);

  /** A megabyte at a time. */
  async function* megabytes(count: number, onEach: (index: number) => void = () => undefined): AsyncGenerator<string> {
    for (let index = 0; index < count; index += 1) {
      onEach(index);
      yield await Promise.resolve(String(index % 10).repeat(MIB));
    }
  }

  it('has a file whole, and another in its place', async () => {
    await place().write('a/one.csv', megabytes(1), never);
    expect(await text('a/one.csv')).toBe('0'.repeat(MIB));
    await place().write('a/one.csv', only('day,tenant\r\n'), never);
    expect(await text('a/one.csv')).toBe('day,tenant\r\n');
    const { ContentType } = await client.send(new HeadObjectCommand({ Bucket, Key: 'llm/bills/a/one.csv' }));
    expect(ContentType).toBe('text/csv; charset=utf-8; header=present');
  });

  it('takes a file of many parts, of which only a few are in memory', async () => {
    let most = 0;
    const before = living();
    const watch = (index: number): void => {
      // Every seventh of eight in a part, so that each place within a part is looked at in the end.
      if (index % 7 === 0) most = Math.max(most, living() - before);
    };
    await place().write('a/large.csv', megabytes(192, watch), never);
    const { ContentLength, ETag } = await client.send(new HeadObjectCommand({ Bucket, Key: 'llm/bills/a/large.csv' }));
    expect(ContentLength).toBe(192 * MIB);
    expect(ETag).toMatch(/-24"$/);
    // Two parts under way, one that is gathered and, for a moment, the same in one piece.
    expect(most).toBeLessThan(40 * MIB);
    expect((await text('a/large.csv')).slice(-MIB)).toBe('1'.repeat(MIB));
  }, 180_000);

  it.each([
    ['small', 1],
    ['large', 20],
  ])('keeps what was there when a %s file breaks off at its end', async (_, count) => {
    await place().write('a/kept.csv', only('as it was'), never);
    const broken = async function* (): AsyncGenerator<string> {
      yield* megabytes(count);
      throw new Error('not the bytes that were promised');
    };
    await expect(place().write('a/kept.csv', broken(), never)).rejects.toThrow('not the bytes that were promised');
    expect(await text('a/kept.csv')).toBe('as it was');
    expect(await uploads()).toEqual([]);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const endless = megabytes(1_000, (index) => index === 20 && stop.abort());
    await expect(place().write('a/stopped.csv', endless, stop.signal)).rejects.toThrow();
    expect(await keys()).not.toContain('a/stopped.csv');
  });

  it('drops the parts that a killed process has left, and nobody else’s', async () => {
    const begin = (Key: string) => client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    await begin('llm/bills/a/left.csv');
    await begin('llm/bills/a/left.csv.theirs');
    await place().write('a/left.csv', only('whole'), never);
    expect((await uploads()).map(({ Key }) => Key)).toEqual(['llm/bills/a/left.csv.theirs']);
  });

  it.each([
    ['a wrong secret', { secretAccessKey: new Secret('wrong') }, /signature/i],
    ['a bucket that is not there', { bucket: 'nobody' }, /NoSuchBucket|bucket does not exist/i],
  ])('says what is wrong with %s', async (_, change, reason) => {
    await expect(place(change).write('a/never.csv', only('x'), never)).rejects.toThrow(reason);
  });

  it('that takes a request and says nothing more is not waited for', async () => {
    const silent = await listening(createServer());
    try {
      const endpoint = `http://127.0.0.1:${portOf(silent)}`;
      const writing = place({ endpoint }, {}, { ...LONG, silenceMs: 50 }).write('a/never.csv', only('x'), never);
      await expect(writing).rejects.toThrow('timed out after 50 ms of inactivity');
    } finally {
      silent.close();
    }
  });

  describe('behind an outbound proxy', () => {
    let proxy: ConnectProxy;
    let general: GatewayConfig['egress'];
    beforeEach(async () => {
      proxy = await ConnectProxy.start();
      general = { proxy: new Secret(`http://user:hunter2@127.0.0.1:${proxy.port}`) };
    });
    afterEach(() => proxy.close());
    const authorization = `Basic ${Buffer.from('user:hunter2').toString('base64')}`;
    /** Under a name that only the proxy can resolve. */
    const named = () => server.endpoint.replace('127.0.0.1', 's3.example');

    it('has a file of many parts', async () => {
      await place({ endpoint: named() }, general).write('p/large.csv', megabytes(20), never);
      const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key: 'llm/bills/p/large.csv' }));
      expect(ContentLength).toBe(20 * MIB);
      const authorities = new Set(proxy.asked.map((asked) => JSON.stringify(asked)));
      expect([...authorities]).toEqual([JSON.stringify({ authority: new URL(named()).host, authorization })]);
    });

    it('that is its own is reached through that, from inside too', async () => {
      const away = { proxy: new Secret('http://127.0.0.1:1') };
      const own = { endpoint: named(), internal: true, proxy: general.proxy as Secret };
      await place(own, away).write('p/own.csv', only('own'), never);
      expect(await text('p/own.csv')).toBe('own');
    });

    it.each([
      ['inside', { internal: true }],
      ['told so', { proxy: 'none' as const }],
    ])('is reached without it where it is %s', async (name, change) => {
      await place(change, general).write('p/direct.csv', only(name), never);
      expect(await text('p/direct.csv')).toBe(name);
      expect(proxy.asked).toEqual([]);
    });

    it('that leads nowhere says so, and no more', async () => {
      proxy.refusal = 403;
      await expect(place({}, general).write('p/never.csv', only('x'), never)).rejects.toThrow(
        new Error(`the proxy 127.0.0.1:${proxy.port} answered 403`),
      );
    });

    it('that does not connect is not waited for', async () => {
      proxy.refusal = 'silence';
      const writing = place({}, general, { ...LONG, connectMs: 50 }).write('p/never.csv', only('x'), never);
      await expect(writing).rejects.toThrow('the proxy did not connect in time');
    });

    it('is delivered to, the manifest after the bill', async () => {
      const world = await DeliveryWorld.open();
      try {
        Object.assign(world.billing.config.current, { egress: general });
        await world.billing.addTenant('alpha');
        await world.billing.priceAt({ 'gpt-4o': ['2.5', '10'] });
        const yesterday = new Date(Date.now() - 86_400_000);
        await world.billing.book(world.billing.row({ at: yesterday }));
        world.configure({
          report: 'detail',
          schedule: '* * * * *',
          to: { s3: { ...settings, prefix: 'llm/bills/w' } },
        });
        await world.runner.carryOutDue();
        expect(await world.history()).toMatchObject([['done', expect.any(String), 1, 0]]);
        const [csv = '', manifest = '', ...more] = (await keys()).filter((key) => key.startsWith('w/')).sort(csvFirst);
        expect(more).toEqual([]);
        expect(csv).toMatch(/^w\/usage-detail\/\d\/dt=([\d-]{10})\/usage-detail-\1\.csv$/);
        const head = (key: string) => client.send(new HeadObjectCommand({ Bucket, Key: `llm/bills/${key}` }));
        const [first, second] = [await head(csv), await head(manifest)];
        expect(second.LastModified?.getTime()).toBeGreaterThanOrEqual(first.LastModified?.getTime() ?? Infinity);
        expect(JSON.parse(await text(manifest))).toMatchObject({ rows: 1, bytes: first.ContentLength, revision: 1 });
        expect(new Set(proxy.asked.map(({ authority }) => authority))).toEqual(
          new Set([new URL(server.endpoint).host]),
        );
      } finally {
        await world.close();
      }
    });
  });

  describe('with a certificate of a private authority', () => {
    let made: Certificates;
    let secured: Server;
    let proxy: ConnectProxy;
    beforeAll(async () => {
      made = makeCertificates();
      const [cert, key, ca] = [made.server.cert, made.server.key, made.ca].map(read);
      const door = createTlsServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (socket) => {
        const inside = connect(Number(new URL(server.endpoint).port), '127.0.0.1');
        inside.on('error', () => socket.destroy());
        socket.on('error', () => inside.destroy());
        socket.pipe(inside).pipe(socket);
      });
      secured = await listening(door);
      proxy = await ConnectProxy.start();
    });
    afterAll(async () => {
      await proxy.close();
      secured.close();
      made.remove();
    });

    const tls = (
      leftOut: Partial<Record<'ca' | 'cert' | 'key' | 'servername', undefined>> = {},
    ): S3Settings['tls'] => ({
      ca: read(made.ca),
      cert: read(made.client.cert),
      key: new Secret(read(made.client.key)),
      servername: 'inside.example',
      ...leftOut,
    });
    const endpoint = () => `https://127.0.0.1:${portOf(secured)}`;

    it('is trusted where that and its name are given, and shown a client certificate', async () => {
      await place({ endpoint: endpoint(), tls: tls() }).write('t/direct.csv', only('direct'), never);
      expect(await text('t/direct.csv')).toBe('direct');
    });

    it('is reached through an outbound proxy too', async () => {
      const change = { endpoint: `https://inside.example:${portOf(secured)}`, tls: tls({ servername: undefined }) };
      const general = { proxy: new Secret(`http://127.0.0.1:${proxy.port}`) };
      await place(change, general).write('t/tunnel.csv', only('tunnel'), never);
      expect(await text('t/tunnel.csv')).toBe('tunnel');
      expect(proxy.asked[0]?.authority).toBe(`inside.example:${portOf(secured)}`);
    });

    it.each([
      ['the authority', { ca: undefined }, /unable to (get|verify)|self-signed/],
      ['the name', { servername: undefined }, /does not match/],
      ['the client certificate', { cert: undefined, key: undefined }, /certificate required|closed|reset/i],
    ])('says what is wrong without %s', async (_, leftOut, reason) => {
      const change = { endpoint: endpoint(), tls: tls(leftOut) };
      await expect(place(change).write('t/never.csv', only('x'), never)).rejects.toThrow(reason);
    });
  });
});

const read = (file: string): string => readFileSync(file, 'utf8');

async function listening<Listener extends Server>(listener: Listener): Promise<Listener> {
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  return listener;
}

const portOf = (listener: Server): number => (listener.address() as AddressInfo).port;

const csvFirst = (a: string, b: string): number => Number(b.endsWith('.csv')) - Number(a.endsWith('.csv'));

async function* only(text: string): AsyncGenerator<string> {
  yield await Promise.resolve(text);
}

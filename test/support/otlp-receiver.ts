import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Attributes = Readonly<Record<string, unknown>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 2 server, 3 client. */
  readonly kind: number;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly attributes: Attributes;
  /** 0 unset, 2 error. */
  readonly status: number;
  readonly resource: Attributes;
}

export interface ReceivedPoint {
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Attributes;
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
}

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What the collector does with an export. */
export type Mood = 'takes' | 'refuses' | 'is silent';

/** A collector that speaks OTLP over HTTP, and decodes the protobuf of the public definitions (opentelemetry-proto 1.x). */
export class OtlpReceiver {
  mood: Mood = 'takes';
  readonly received: Received[] = [];
  private constructor(private readonly server: Server) {}

  /** @param server such as one with TLS */
  static async start(server: Server = createServer()): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver(server);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        receiver.received.push({ path, headers, body: Buffer.concat(parts) });
        if (receiver.mood === 'is silent') return;
        if (receiver.mood === 'refuses') response.writeHead(503, { 'retry-after': '60' }).end();
        else response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get spans(): ReceivedSpan[] {
    return this.bodies('/v1/traces').flatMap((body) =>
      all(read(body), 1).flatMap((resourceSpans) => {
        const resource = attributesIn(all(one(resourceSpans, 1), 1));
        return all(resourceSpans, 2).flatMap((scope) => all(scope, 2).map((span) => spanOf(span, resource)));
      }),
    );
  }

  /** Of the last export of metrics. */
  get points(): ReceivedPoint[] {
    const last = this.bodies('/v1/metrics').at(-1);
    if (!last) return [];
    return all(read(last), 1).flatMap((resource) =>
      all(resource, 2).flatMap((scope) => all(scope, 2).flatMap((metric) => pointsOf(metric))),
    );
  }

  /** Everything that was sent, as bytes. */
  get bytes(): Buffer {
    return Buffer.concat(this.received.map(({ body }) => body));
  }

  forget(): void {
    this.received.length = 0;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private bodies(path: string): Buffer[] {
    return this.received.filter((one) => one.path === path).map(({ body }) => body);
  }
}

function spanOf(span: Fields, resource: Attributes): ReceivedSpan {
  return {
    traceId: bytes(span, 1).toString('hex'),
    spanId: bytes(span, 2).toString('hex'),
    traceState: bytes(span, 3).toString(),
    parentSpanId: bytes(span, 4).toString('hex'),
    name: bytes(span, 5).toString(),
    kind: Number(number(span, 6)),
    startNanos: number(span, 7),
    endNanos: number(span, 8),
    attributes: attributesIn(all(span, 9)),
    status: Number(number(one(span, 15), 3)),
    resource,
  };
}

function pointsOf(metric: Fields): ReceivedPoint[] {
  return all(one(metric, 9), 1).map((point) => ({
    metric: bytes(metric, 1).toString(),
    unit: bytes(metric, 3).toString(),
    attributes: attributesIn(all(point, 9)),
    count: Number(number(point, 4)),
    sum: double(number(point, 5)),
    bounds: doublesIn(bytes(point, 7)),
  }));
}

/** The fields of a message by their numbers; numbers of any width as bits. */
type Fields = ReadonlyMap<number, readonly (Buffer | bigint)[]>;

function read(buffer: Buffer): Fields {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      if (byte === undefined) throw new Error('a number is cut');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > buffer.length) throw new Error('a field is cut');
    at += length;
    return buffer.subarray(at - length, at);
  };
  while (at < buffer.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    let value: Buffer | bigint;
    if (kind === 0) value = varint();
    else if (kind === 1) value = take(8).readBigUInt64LE();
    else if (kind === 2) value = take(Number(varint()));
    else if (kind === 5) value = BigInt(take(4).readUInt32LE());
    else throw new Error(`there is no wire type ${kind}`);
    const known = fields.get(tag >> 3);
    if (known) known.push(value);
    else fields.set(tag >> 3, [value]);
  }
  return fields;
}

const NOTHING = Buffer.alloc(0);
const bytes = (fields: Fields, id: number): Buffer => {
  const value = fields.get(id)?.at(-1);
  return Buffer.isBuffer(value) ? value : NOTHING;
};
const number = (fields: Fields, id: number): bigint => {
  const value = fields.get(id)?.at(-1);
  return typeof value === 'bigint' ? value : 0n;
};
const all = (fields: Fields, id: number): Fields[] => (fields.get(id) ?? []).map((value) => read(value as Buffer));
const one = (fields: Fields, id: number): Fields => read(bytes(fields, id));

const double = (bits: bigint): number => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(bits);
  return buffer.readDoubleLE();
};
const doublesIn = (packed: Buffer): number[] =>
  Array.from({ length: packed.length / 8 }, (_, i) => packed.readDoubleLE(i * 8));

const attributesIn = (pairs: readonly Fields[]): Attributes =>
  Object.fromEntries(pairs.map((pair) => [bytes(pair, 1).toString(), valueOf(one(pair, 2))]));

function valueOf(value: Fields): unknown {
  if (value.has(1)) return bytes(value, 1).toString();
  if (value.has(2)) return number(value, 2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, number(value, 3)));
  if (value.has(4)) return double(number(value, 4));
  return value.has(5) ? all(one(value, 5), 1).map(valueOf) : null;
}

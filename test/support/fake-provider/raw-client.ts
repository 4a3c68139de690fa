import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer as it was on the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-case names; the last one wins where a name is repeated. */
  readonly headers: Readonly<Record<string, string>>;
  /** The chunks of a chunked body, or the whole body as a single one. */
  readonly chunks: readonly Buffer[];
  readonly body: Buffer;
  /** False when the connection ended before the HTTP message did. */
  readonly complete: boolean;
}

const HEAD_END = '\r\n\r\n';

/** Sends one POST and hands the socket over: for tests that read slowly, or leave midway. */
export async function openRaw(url: string, headers: Record<string, string>, body: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  await new Promise<void>((resolve) => socket.write(requestText(url, headers, body), () => resolve()));
  return socket;
}

/** A POST as it goes over the wire. */
export function requestText(url: string, headers: Record<string, string>, body: string): string {
  const { hostname, pathname, search } = new URL(url);
  const lines = Object.entries({ host: hostname, 'content-length': String(Buffer.byteLength(body)), ...headers });
  return `POST ${pathname}${search} HTTP/1.1\r\n${lines.map((pair) => pair.join(': ')).join('\r\n')}${HEAD_END}${body}`;
}

/** Sends one POST and reads until the connection ends. Rejects when it ends before a status line. */
export async function postRaw(url: string, headers: Record<string, string>, body: string): Promise<RawAnswer> {
  const socket = await openRaw(url, { ...headers, connection: 'close' }, body);
  const received: Buffer[] = [];
  for await (const bytes of socket) received.push(bytes as Buffer);
  return parse(Buffer.concat(received));
}

function parse(wire: Buffer): RawAnswer {
  const headEnd = wire.indexOf(HEAD_END);
  if (headEnd < 0) throw new Error(`no answer, only ${wire.length} bytes`);
  const [statusLine = '', ...lines] = wire.toString('latin1', 0, headEnd).split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => [line.split(':', 1)[0]?.toLowerCase(), after(line, ':')]));
  const rest = wire.subarray(headEnd + HEAD_END.length);
  const { chunks, complete } = headers['transfer-encoding'] === 'chunked' ? unchunked(rest) : plain(rest, headers);
  return { status: Number(statusLine.split(' ')[1]), headers, chunks, body: Buffer.concat(chunks), complete };
}

function plain(rest: Buffer, headers: Record<string, string>): Pick<RawAnswer, 'chunks' | 'complete'> {
  return { chunks: [rest], complete: rest.length === Number(headers['content-length']) };
}

function unchunked(rest: Buffer): Pick<RawAnswer, 'chunks' | 'complete'> {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return { chunks, complete: false };
    const size = parseInt(rest.toString('latin1', at, lineEnd), 16);
    if (size === 0) return { chunks, complete: true };
    chunks.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

const after = (line: string, mark: string): string => line.slice(line.indexOf(mark) + 1).trim();

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** How long a server may take for an answer before a test gives up on it. */
const PATIENCE_MS = 20_000;

export interface WireAnswer {
  readonly status: number;
  /** Lower-case names; the last one wins where a name is repeated. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything that came, further answers included. */
  readonly text: string;
}

export async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined); // a server that hangs up on nonsense is in its right
  return socket;
}

/** Sends bytes as they are, whether they are HTTP or not, and reads until the server hangs up. */
export async function sendWire(url: string, ...parts: readonly (string | Buffer)[]): Promise<WireAnswer> {
  const socket = await dial(url);
  for (const part of parts) socket.write(part);
  return readWire(socket);
}

export async function readWire(socket: Socket): Promise<WireAnswer> {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  await once(socket, 'close');
  clearTimeout(timer);
  const [head = '', body = ''] = split(text);
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => pair(line)));
  return { status: Number(statusLine.split(' ')[1]), headers, body, text };
}

const split = (text: string): string[] => {
  const at = text.indexOf('\r\n\r\n');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 4)];
};

const pair = (line: string): [string, string] => {
  const at = line.indexOf(':');
  return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
};

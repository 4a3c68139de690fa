import type { Socket } from 'node:net';
import type { FakeProvider, ReceivedRequest } from './fake-provider';
import { openRaw } from './fake-provider/raw-client';
import { readWire, type WireAnswer } from './wire';

/** A streamed answer that stands still midway, as a department would have many open. */
export interface OpenStream {
  /** The provider's side: `resume()` lets it go on. */
  readonly upstream: ReceivedRequest;
  /** All that was received when the connection has ended. */
  readonly ended: Promise<WireAnswer>;
  leave(): void;
}

let count = 0;

/** Opens a chat stream and resolves when its second piece was sent and the provider waits. */
export async function openStream(gatewayUrl: string, token: string, fake: FakeProvider): Promise<OpenStream> {
  const model = `fake-n4-h2-i${++count}`;
  const body = JSON.stringify({ model, stream: true, max_tokens: 50, messages: [{ role: 'user', content: 'Hello!' }] });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' };
  const socket = await openRaw(`${gatewayUrl}/v1/chat/completions`, headers, body);
  const ended = readWire(socket);
  const upstream = await fake.waitForRequest(model);
  await fake.waitFor(() => upstream.paused);
  return { upstream, ended, leave: () => leave(socket) };
}

const leave = (socket: Socket): void => void socket.destroy();

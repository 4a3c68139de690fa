import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Behaviour = (answer: ServerResponse, request: IncomingMessage) => void;

export const accept: Behaviour = (answer) => answer.writeHead(204).end();

export const answerWith =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (answer) =>
    answer.writeHead(status, headers).end('thank you');

/** Reads everything and says nothing. */
export const hang: Behaviour = () => undefined;

/** Breaks off before the answer's head is whole. */
export const breakOff: Behaviour = (_, request) => {
  request.socket.write('HTTP/1.1 200 O');
  request.socket.destroy();
};

/** A receiver of notices on this machine. */
export class Receiver {
  readonly received: Received[] = [];
  behave: Behaviour = accept;
  readonly #server: Server;

  private constructor(make: (listener: RequestListener) => Server) {
    this.#server = make((request, answer) => this.receive(request, answer));
  }

  /** @param make such as a server with TLS */
  static async start(make: (listener: RequestListener) => Server = createServer): Promise<Receiver> {
    const receiver = new Receiver(make);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/notices`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  private receive(request: IncomingMessage, answer: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const { headers } = request;
      const id = String(headers['webhook-id']);
      this.received.push({ id, headers, body: Buffer.concat(chunks).toString('utf8') });
      this.behave(answer, request);
    });
  }
}

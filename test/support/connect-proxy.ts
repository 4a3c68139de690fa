import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface Tunnelled {
  readonly authority: string;
  readonly authorization: string | undefined;
}

/** An outbound proxy on 127.0.0.1 that opens tunnels (CONNECT), resolves every name to 127.0.0.1, and notes what it is asked for. */
export class ConnectProxy {
  readonly asked: Tunnelled[] = [];
  /** Answered in place of a tunnel. */
  refusal: number | 'silence' | null = null;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly protocol: 'http' | 'https',
  ) {
    server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => this.open(request, socket, head));
    server.on('connection', (socket: Socket) => this.#sockets.add(socket));
  }

  static async start(tls?: { cert: string; key: string }): Promise<ConnectProxy> {
    const server = tls ? createTlsServer(tls) : createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new ConnectProxy(server, tls ? 'https' : 'http');
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  private open({ url = '', headers }: IncomingMessage, socket: Socket, head: Buffer): void {
    this.asked.push({ authority: url, authorization: headers['proxy-authorization'] });
    socket.on('error', () => undefined);
    if (this.refusal === 'silence') return;
    if (this.refusal !== null) return void socket.end(`HTTP/1.1 ${this.refusal} No\r\n\r\nsecret words`);
    const there = connect(Number(url.slice(url.lastIndexOf(':') + 1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.write(head);
      there.pipe(socket).pipe(there);
    });
    this.#sockets.add(there);
    there.on('error', () => socket.destroy());
    socket.on('close', () => there.destroy());
  }
}

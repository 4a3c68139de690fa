import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** What lies between a gateway and its database on another machine: TCP, and somebody on the way who may forget connections. */
export class DatabaseNetwork {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** The database's address by way of this. */
    readonly url: string,
  ) {}

  /** @param url of a database on a unix socket */
  static async before(url: string): Promise<DatabaseNetwork> {
    const { hostname, port } = new URL(url);
    const socket = join(decodeURIComponent(hostname), `.s.PGSQL.${port}`);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port: near } = server.address() as AddressInfo;
    const network = new DatabaseNetwork(server, url.replace(/@[^/]+/, `@127.0.0.1:${near}`));
    server.on('connection', (client) => network.join(client, connect(socket)));
    return network;
  }

  /** From here on nothing passes on the connections that stand, and neither end is told; new ones work. */
  forget(): void {
    for (const socket of this.sockets) socket.unpipe().resume();
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private join(near: Socket, far: Socket): void {
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(socket);
          for (const each of [near, far]) each.destroy();
        });
    }
  }
}

import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { ExecutionContextHost } from '@nestjs/core/internal';
import { Requires } from '@app/platform';
import { type GatewayDatabase, openGatewayDatabase, silentLog } from '../../../../test/support/gateway-database';
import { jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import { turn } from '../../test/test-caller';
import { ProcessLock } from '../process-lock';
import { KnownLimits } from '../rates/known-limits.service';
import { UNLIMITED } from '../rates/tenant-limits.dto';
import { saveLimits } from '../rates/tenant-limits.queries';
import { ConcurrencyGuard } from './concurrency.guard';
import { ConcurrentRequests } from './concurrent-requests.service';

class Routes {
  @Requires('model:invoke')
  call(this: void): void {}
}

/** A call that has arrived and was not let in yet. */
interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Socket;
}

describe('the guard of calls at the same time', () => {
  let db: GatewayDatabase;
  let lock: ProcessLock;
  let requests: ConcurrentRequests;
  let guard: ConcurrencyGuard;
  const server = createServer();
  const principal = tenantPrincipal('a');

  beforeAll(async () => {
    db = await openGatewayDatabase();
    const id = randomUUID();
    await db.database.platform(jobPrincipals.for('test'), async (tx) => {
      await tx.query("INSERT INTO gateway_processes (id, host, pid) VALUES ($1, 'test', 1)", [id]);
      await tx.query(
        "INSERT INTO tenants (id, name, status, settings, created_at, updated_at) VALUES ('a', 'a', 'active', '{}', now(), now())",
      );
      await saveLimits(tx, 'a', { ...UNLIMITED, concurrentRequestsPerToken: 1, concurrentRequests: 1 });
    });
    lock = new ProcessLock(db.urls.gatewayUrl, id, silentLog);
    await lock.hold();
    const { database, changes } = await db.otherProcess();
    requests = new ConcurrentRequests(database, jobPrincipals, silentLog, id, () => 5_000);
    requests.start(changes);
    const limits = new KnownLimits(database, jobPrincipals, changes, silentLog);
    await limits.onModuleInit();
    guard = new ConcurrencyGuard(limits, requests);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(async () => {
    server.close().closeAllConnections();
    await requests.stop();
    await lock.release();
    await db.close();
  });

  async function arrive(): Promise<Arrived> {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write('POST /v1/messages HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{}');
    const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
    return { request, response, client };
  }

  const pass = ({ request, response }: Arrived, caller = principal): Promise<boolean> =>
    guard.canActivate(
      new ExecutionContextHost(
        [Object.assign(request, { principal: caller }), response],
        Routes,
        Routes.prototype.call,
      ),
    ) as Promise<boolean>;

  async function leave({ client, response }: Arrived): Promise<void> {
    const closed = once(response, 'close');
    client.destroy();
    await closed;
  }

  /** Whether a call is let on by now; `undefined` while it waits. */
  const byNow = (passing: Promise<boolean>): Promise<boolean | void> => Promise.race([passing, turn()]);

  test('lets a call on at once that leaves while it waits, and the next one when the first has ended', async () => {
    const [first, gone, next] = [await arrive(), await arrive(), await arrive()];
    expect(await pass(first)).toBe(true);
    const leaving = pass(gone);
    const waiting = pass(next);
    expect(await byNow(leaving)).toBeUndefined();
    await leave(gone);
    expect(await byNow(leaving)).toBe(true);
    expect(await byNow(waiting)).toBeUndefined();
    await leave(first);
    expect(await byNow(waiting)).toBe(true);
    await leave(next);
  });

  test('takes a token for the one that it was rotated from', async () => {
    const enter = jest.spyOn(requests, 'enter');
    try {
      const rotated = await arrive();
      expect(await pass(rotated, tenantPrincipal('a', { id: 'tok_2', lineage: 'tok_1' }))).toBe(true);
      expect(enter.mock.calls.map(([key]) => key)).toEqual(['token tok_1', 'tenant a']);
      await leave(rotated);
    } finally {
      enter.mockRestore();
    }
  });

  test('keeps no slot for a call that left before it came here, or in the moment in which it was admitted', async () => {
    const early = await arrive();
    await leave(early);
    expect(await pass(early)).toBe(true);
    const [first, late, next] = [await arrive(), await arrive(), await arrive()];
    expect(await pass(first)).toBe(true);
    const [admitted, waiting] = [pass(late), pass(next)];
    // Both in one turn, as when a server loses many connections.
    first.response.emit('close');
    late.response.emit('close');
    expect(await byNow(admitted)).toBe(true);
    expect(await byNow(waiting)).toBe(true);
    for (const call of [first, late, next]) await leave(call);
  });
});

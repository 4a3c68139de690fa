import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { fetch } from 'undici';
import { eventually } from './department';

const run = promisify(execFile);

const INSTALL = 'apt-get install -y --no-install-recommends swift-proxy swift-account swift-container swift-object';
const KINDS = ['account', 'container', 'object'] as const;
/** What Debian's packages make for the servers, which do not run as root. */
const ACCOUNT = 'swift';
const INSTALL_LIMIT_MS = 240_000;
/** It takes four seconds, and more where others want the processors too. */
const START_LIMIT_MS = 60_000;
const LAST_LINES = 40;

/** A server that speaks S3, checks signatures and knows multipart uploads: OpenStack Swift of Debian's packages, on loopback. */
export class SwiftServer {
  readonly credentials = { accessKeyId: 'test:tester', secretAccessKey: 'testing' };

  private constructor(
    readonly folder: string,
    readonly endpoint: string,
    private readonly servers: readonly ChildProcess[],
  ) {}

  /** Installs what it needs where it may. @param bucket is there when it has started */
  static async start(bucket: string): Promise<SwiftServer> {
    await install();
    const folder = await mkdtemp(join(tmpdir(), 'swift-'));
    const user = process.getuid?.() === 0 ? ACCOUNT : userInfo().username;
    const devices = join(folder, 'devices');
    await mkdir(join(devices, 'd1'), { recursive: true });
    await chmod(folder, 0o755);
    const ids = await idsOf(user);
    if (ids) for (const each of [devices, join(devices, 'd1')]) await chown(each, ids.uid, ids.gid);

    const ports = await freePorts(KINDS.length + 1);
    for (const [index, kind] of KINDS.entries()) {
      const port = ports[index] as number;
      await ring(folder, kind, port);
      await writeFile(join(folder, `${kind}.conf`), storageConfig(folder, user, kind, port));
    }
    const port = ports.at(-1) as number;
    await writeFile(join(folder, 'proxy.conf'), proxyConfig(folder, user, port));
    const servers = [...KINDS, 'proxy'].map((kind) =>
      spawn(`/usr/bin/swift-${kind}-server`, [join(folder, `${kind}.conf`), '-v'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    const said = lastLinesOf(servers);
    const started = new SwiftServer(folder, `http://127.0.0.1:${port}`, servers);
    try {
      // The servers behind the door too: it opens first, and answers for those that are not there with 503.
      const areThere = async (): Promise<boolean> => (await Promise.all(ports.map(answers))).every(Boolean);
      await eventually(areThere, Boolean, START_LIMIT_MS);
      // On a busy machine one of them may still let the door wait too long for the first things it asks.
      await eventually(() => started.make(bucket), Boolean, START_LIMIT_MS);
    } catch (error) {
      await started.stop();
      throw new Error(`Swift does not start. Its servers said:\n${said.join('\n')}`, { cause: error });
    }
    return started;
  }

  /** Somebody who may do everything there. */
  client(): S3Client {
    return new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: this.credentials,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.servers.map(async (server) => {
        if (server.exitCode !== null || server.signalCode !== null) return;
        const gone = once(server, 'exit');
        server.kill('SIGKILL');
        await gone;
      }),
    );
    await rm(this.folder, { recursive: true, force: true });
  }

  /** @returns false where it was refused for want of somebody behind the door */
  private async make(bucket: string): Promise<boolean> {
    const client = this.client();
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return true;
    } catch (error) {
      // Made by a request that was told otherwise.
      if (error instanceof BucketAlreadyOwnedByYou) return true;
      if (error instanceof S3ServiceException && (error.$metadata.httpStatusCode ?? 0) >= 500) return false;
      throw error;
    } finally {
      client.destroy();
    }
  }
}

/** Of what processes print, the end, as it comes. */
function lastLinesOf(processes: readonly ChildProcess[]): readonly string[] {
  const lines: string[] = [];
  for (const { stdout, stderr } of processes)
    for (const stream of [stdout, stderr])
      if (stream)
        createInterface(stream).on('line', (line) => {
          lines.splice(0, lines.length - LAST_LINES + 1);
          lines.push(line);
        });
  return lines;
}

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}`).then(
    ({ status }) => status < 500,
    () => false,
  );

async function install(): Promise<void> {
  if (existsSync('/usr/bin/swift-proxy-server') && existsSync('/usr/bin/swift-object-server')) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw new Error(`This test needs an S3 server. Run as root: apt-get update && ${INSTALL}`);
  const [command = '', ...options] = INSTALL.split(' ');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run(command, ['update'], { env, timeout: INSTALL_LIMIT_MS });
  await run(command, options, { env, timeout: INSTALL_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 });
}

async function idsOf(user: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  return ports;
}

/** Where Swift finds who keeps what: one device, one copy. */
async function ring(folder: string, kind: string, port: number): Promise<void> {
  const build = (...args: string[]): Promise<unknown> =>
    run('/usr/bin/swift-ring-builder', [`${kind}.builder`, ...args], { cwd: folder });
  await build('create', '4', '1', '0');
  await build('add', `r1z1-127.0.0.1:${port}/d1`, '1');
  // It ends with 1 for a warning: there is only one device.
  await build('rebalance').catch((error: { code?: number }) => {
    if (error.code !== 1) throw error;
  });
}

const common = (folder: string, user: string, port: number): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${user}
swift_dir = ${folder}
# They wait for each other half a second to three by themselves, and a busy machine is slower.
conn_timeout = 60
node_timeout = 60
recoverable_node_timeout = 60
container_update_timeout = 60
`;

const storageConfig = (
  folder: string,
  user: string,
  kind: string,
  port: number,
): string => `${common(folder, user, port)}
devices = ${folder}/devices
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;

/** The order matters: with slo before s3api a multipart upload is answered 501. */
const FILTERS: Readonly<Record<string, string>> = {
  catch_errors: '',
  cache: 'memcache_servers = 127.0.0.1:1',
  s3api: 'location = us-east-1\nmin_segment_size = 1',
  tempauth: 'user_test_tester = testing .admin',
  bulk: '',
  slo: '',
  dlo: '',
  versioned_writes: 'allow_versioned_writes = true',
  symlink: '',
};

const proxyConfig = (folder: string, user: string, port: number): string => `${common(folder, user, port)}
[pipeline:main]
pipeline = ${Object.keys(FILTERS).join(' ')} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# Of the one server of each kind, none is given up for what it once was late with.
error_suppression_limit = 1000000
${Object.entries(FILTERS)
  .map(([name, settings]) => `[filter:${name}]\nuse = egg:swift#${name === 'cache' ? 'memcache' : name}\n${settings}\n`)
  .join('')}`;

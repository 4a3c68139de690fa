import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/department';
import { Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';

/** Bills are delivered by the gateway as `npm start` starts it: from the code that was compiled in advance. */

let bucket: Server;
const objects: string[] = [];
let gateway: Gateway;

beforeAll(async () => {
  bucket = createServer((request, response) => {
    if (request.method === 'PUT') objects.push(decodeURIComponent(request.url?.split('?')[0] ?? ''));
    request.resume().on('end', () => response.writeHead(200, { etag: '"1"' }).end());
  }).listen(0, '127.0.0.1');
  await new Promise((done) => bucket.once('listening', done));
  // With no other flags, because V8 takes what it compiled for no others.
  gateway = await Gateway.start({ node: [] });
});
afterAll(async () => {
  bucket.close();
  await gateway.remove();
  await expectNothingLeft(gateway.place.folder);
});

test('a bucket gets its files', async () => {
  const { port } = bucket.address() as AddressInfo;
  const s3 = {
    ...{ bucket: 'finance', region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true },
    ...{ accessKeyId: 'key', secretAccessKey: 'secret' },
  };
  await gateway.configure({ deliveries: [{ name: 'lake', report: 'period', schedule: '0 0 1 * *', to: { s3 } }] });
  gateway.process.kill('SIGHUP');
  const runs = async () =>
    (await gateway.must<{ items: { state: string; error: string | null }[] }>('GET', '/api/v1/admin/deliveries/runs'))
      .items;
  const [run] = await eventually(runs, ([first]) => first?.state === 'done' || first?.state === 'retrying');
  expect(run).toMatchObject({ state: 'done', error: null });
  expect(objects.map((path) => path.replace(/\d{4}-\d\d/g, 'MONTH'))).toEqual([
    '/finance/usage-period/2/period=MONTH/usage-period-MONTH.csv',
    '/finance/usage-period/2/period=MONTH/_usage-period-MONTH.manifest.json',
  ]);
});

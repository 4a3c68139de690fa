import { accept, hang, Receiver } from '../../libs/webhooks/test/receiver';
import { Books } from '../support/books';
import { eventually } from '../support/department';
import { beside, Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';

/** `kill -9` of a gateway that has claimed a notice and not recorded what became of it: another one sends it, under the same id. */

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let receiver: Receiver;
let books: Books;
const gateways: Gateway[] = [];

const start = async (place?: Gateway['place']): Promise<Gateway> => {
  const webhooks = [{ name: 'alerts', url: receiver.url, secret }];
  const gateway = await Gateway.start({ config: { webhooks }, ...(place && { place }) });
  gateways.push(gateway);
  return gateway;
};

beforeAll(async () => {
  receiver = await Receiver.start();
});
afterAll(async () => {
  await books.close();
  await Promise.all(gateways.map((gateway) => gateway.kill()));
  await receiver.close();
  for (const gateway of gateways) await gateway.remove();
  for (const { place } of gateways) await expectNothingLeft(place.folder);
});

test('a notice survives the process that was sending it', async () => {
  const first = await start();
  books = await Books.open(first.place.database);
  receiver.behave = hang;
  const { id } = await first.must<{ id: string }>('POST', '/api/v1/admin/webhooks/endpoints/alerts/test');
  await eventually(() => receiver.received.length === 1);
  await first.kill();
  const rows = () => books.query('SELECT id, state, attempts FROM webhook_deliveries');
  expect(await rows()).toEqual([{ id, state: 'pending', attempts: 1 }]);

  receiver.behave = accept;
  const second = await start(await beside(first.place));
  // Until the lease is over, the row is another's: what is announced meanwhile is sent, this one is not.
  await second.must('POST', '/api/v1/admin/webhooks/endpoints/alerts/test');
  await eventually(() => receiver.received.length === 2);
  expect(receiver.received[1]?.id).not.toBe(id);
  await books.query("UPDATE webhook_deliveries SET due_at = due_at - interval '60 seconds' WHERE state = 'pending'");
  await eventually(rows, (found) => found.every((row) => row['state'] === 'delivered'));
  expect(receiver.received.map((one) => one.id)).toEqual([id, receiver.received[1]?.id, id]);
  expect(receiver.received[2]?.body).toBe(receiver.received[0]?.body);
});

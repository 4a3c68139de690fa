import { webcrypto } from 'node:crypto';
import { Secret } from '@app/platform';
import { signatureHeaders } from './signature';

/** As a receiver would, by another implementation of HMAC than the one that signed. */
async function verifies(secret: string, headers: Record<string, string>, body: string): Promise<boolean> {
  const bytes = Uint8Array.from(atob(secret.replace('whsec_', '')), (letter) => letter.charCodeAt(0));
  const key = await webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const signed = new TextEncoder().encode(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  for (const signature of headers['webhook-signature']?.split(' ') ?? []) {
    const [version, base64] = signature.split(',');
    if (
      version === 'v1' &&
      (await webcrypto.subtle.verify('HMAC', key, Buffer.from(base64 as string, 'base64'), signed))
    )
      return true;
  }
  return false;
}

const OLD = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
const BODY = '{"type":"budget.threshold","data":{"name":"Zoë €"}}';
const AT = new Date('2026-11-22T11:28:02.999Z');

test('the example of the standard', () => {
  // From the test vectors of the reference libraries of Standard Webhooks.
  const secret = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const at = new Date(1_614_265_330_000);
  expect(signatureHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', '{"test": 2432232314}', [secret], at)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('either secret of two verifies, another does not, and nothing else can be signed with it', async () => {
  const headers = signatureHeaders('msg_1', BODY, [new Secret(NEW), new Secret(OLD)], AT);
  expect(headers['webhook-timestamp']).toBe('1795346882');
  expect(await verifies(OLD, headers, BODY)).toBe(true);
  expect(await verifies(NEW, headers, BODY)).toBe(true);
  expect(await verifies(NEW.replace('Ag', 'Aw'), headers, BODY)).toBe(false);
  expect(await verifies(OLD, headers, `${BODY} `)).toBe(false);
  expect(await verifies(OLD, { ...headers, 'webhook-id': 'msg_2' }, BODY)).toBe(false);
  expect(await verifies(OLD, { ...headers, 'webhook-timestamp': '1795346883' }, BODY)).toBe(false);
});

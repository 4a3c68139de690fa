import { bodyOf, wants, type Notice } from './notice';

const notice: Notice = { event: 'budget.threshold', tenant: 'finance', data: { percent: 80 } };
const own: Notice = { event: 'webhook.test', tenant: null, data: {} };

test.each([
  [['*'], undefined, true],
  [['budget.*'], undefined, true],
  [['budget.threshold'], undefined, true],
  [['webhook.test', 'budget.threshold'], undefined, true],
  [['budget.refused'], undefined, false],
  [['webhook.*'], undefined, false],
  [['*'], ['finance', 'legal'], true],
  [['*'], ['legal'], false],
  [['budget.refused'], ['finance'], false],
])('events %j and tenants %j: %s', (events, tenants, wanted) =>
  expect(wants({ events, tenants }, notice)).toBe(wanted),
);

test('who named tenants does not hear of the gateway itself', () => {
  expect(wants({ events: ['*'], tenants: undefined }, own)).toBe(true);
  expect(wants({ events: ['*'], tenants: ['finance'] }, own)).toBe(false);
});

test('a body', () =>
  expect(bodyOf(notice, new Date('2026-11-22T11:28:02.406Z'))).toBe(
    '{"type":"budget.threshold","timestamp":"2026-11-22T11:28:02.406Z","data":{"tenant":"finance","percent":80}}',
  ));

import { Principal, type PrincipalFields } from './principal';

const fields: PrincipalFields = {
  kind: 'tenant',
  id: 'tok_1',
  tenantId: 'finance',
  permissions: new Set(['model:invoke']),
  origin: { via: 'api', ip: '192.0.2.1', requestId: 'req_1' },
};
const genuine = Principal.mint(fields);

it('a minted principal is genuine', () => expect(Principal.isGenuine(genuine)).toBe(true));

it.each<[string, unknown]>([
  ['the fields it was minted from', fields],
  ['a spread', { ...genuine }],
  ['a copy through JSON', JSON.parse(JSON.stringify(genuine))],
  ['a structured clone', structuredClone(genuine)],
  ['an object that inherits from one', Object.create(genuine)],
  ['an object with the class’s prototype', Object.assign(Object.create(Principal.prototype) as object, genuine)],
  ['a disguised object', Object.setPrototypeOf({ ...genuine }, Principal.prototype)],
  ['a proxy', new Proxy(genuine, {})],
  ['the prototype itself', Principal.prototype],
  ['the class', Principal],
  ['an object with a field of the private name', { '#verified': true, verified: true }],
  ['null', null],
  ['undefined', undefined],
  ['a string', 'tok_1'],
  ['a number', 1],
])('%s is not', (_, lookAlike) => expect(Principal.isGenuine(lookAlike)).toBe(false));

it('what was not given is null, never undefined', () => {
  const { tenantId, label, allowedModels, subject } = Principal.mint({ ...fields, tenantId: undefined });
  expect({ tenantId, label, allowedModels, subject }).toEqual({
    tenantId: null,
    label: null,
    allowedModels: null,
    subject: null,
  });
});

it('a principal that may use no model keeps its empty list', () => {
  expect(Principal.mint({ ...fields, allowedModels: [] }).allowedModels).toEqual([]);
});

it('may do what it was given and nothing else', () => {
  expect(genuine.may('model:invoke')).toBe(true);
  expect(genuine.may('tenant:tokens')).toBe(false);
});

import { atOnce } from '@app/platform';
import { Findings, Scanner } from '@app/policy';
import { readRequest } from '../request/request-reader';
import { Skipper } from '../scan/json-steps';
import { inspectAnswer } from './answer-inspection';
import { inspectRequest } from './request-inspection';
import { Siblings } from './siblings';

const scanner = new Scanner([{ name: 'people', action: 'mask', on: 'both', detect: ['email'] }]);
const TIMES = 1_000;

/** Strings and values that are stepped over while something is done. */
function stepsOf(work: () => void): number {
  const steps = [jest.spyOn(Skipper.prototype, 'string'), jest.spyOn(Skipper.prototype, 'value')];
  work();
  const count = steps.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  steps.forEach((step) => step.mockRestore());
  return count;
}

const many = (text: string): string => Array(TIMES).fill(text).join(',');

describe('what is looked through costs no more than its length', () => {
  const deep = (levels: number): string => (levels === 0 ? '{}' : `{"data":"a","more":${deep(levels - 1)}}`);

  test.each([
    ['a list', `"data":[${many('"a"')}]`],
    ['a key that comes again and again', many('"data":"a"')],
    ['a thought that comes again and again', many('"thinking":"a"')],
    ['objects in objects', `"more":${deep(200)}`],
  ])('%s', (_, members) => {
    const block = `{"type":"tool_use","id":"t","name":"f","input":{${members}}}`;
    const asked = Buffer.from(`{"model":"m","messages":[{"role":"assistant","content":[${block}]}]}`);
    const facts = readRequest('messages', asked);
    expect(stepsOf(() => atOnce(inspectRequest(asked, facts, scanner, false, new Findings())))).toBeLessThan(
      20 * TIMES,
    );
    const answer = Buffer.from(`{"type":"message","content":[${block}]}`);
    const inspecting = { wire: 'messages', scanner, isJson: true, seal: null } as const;
    expect(stepsOf(() => inspectAnswer(answer, inspecting, new Findings()))).toBeLessThan(20 * TIMES);
  });
});

test('an object says what it is, unless it says so twice', () => {
  const body = Buffer.from('{"type":"th\\u0069nking","role":5}{"type":"a","type":"b"}');
  const siblings = new Siblings(body);
  const second = body.lastIndexOf('{');
  expect(['type', 'role', 'signature'].map((name) => siblings.text(0, name as 'type'))).toEqual([
    'thinking',
    undefined,
    undefined,
  ]);
  expect([siblings.text(second, 'type'), siblings.text(-1, 'type')]).toEqual([undefined, undefined]);
});

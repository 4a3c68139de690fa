import { CodedError, type Principal } from '@app/platform';
import type { PromptEntry, PromptLog } from '@app/prompts';
import type { AnswerSink } from './answer-sink';
import { KeptCall } from './kept-call';

const MOST = 10;
const principal = { id: 'tok_1', tenantId: 'finance' } as Principal;

/** A call, what of it is kept, the headers its client gets, and what happened in which order. */
function call() {
  const [entries, noted]: [PromptEntry[], PromptEntry[]] = [[], []];
  const headers: Record<string, string>[] = [];
  const order: string[] = [];
  const log = {
    note: (entry: PromptEntry) => noted.push(entry),
    keep: (entry: PromptEntry) => order.push(`kept ${entries.push(entry)}`),
  } as unknown as PromptLog;
  const sink = {
    whole: (_: number, told: Record<string, string>) => (order.push('whole'), headers.push(told)),
    start: (_: number, told: Record<string, string>) => headers.push(told),
    write: () => order.push('write') > 0,
    end: () => order.push('end'),
    cut: () => order.push('cut'),
  } as unknown as AnswerSink;
  return {
    kept: new KeptCall(log, principal, { id: 'req_1', wire: 'chat' }, sink, MOST),
    entries,
    noted,
    headers,
    order,
  };
}

test('what was refused before it was sent is not kept', () => {
  const { kept, entries } = call();
  kept.keep();
  kept.routed('m', Buffer.from('prompt'));
  kept.keep();
  expect(entries).toEqual([]);
});

test('what was sent is kept, also where nobody got an answer', () => {
  const { kept, entries } = call();
  kept.routed('m', Buffer.from('prompt'));
  kept.admitted();
  kept.keep();
  expect(entries).toMatchObject([{ requestId: 'req_1', tenantId: 'finance', model: 'm', status: 0, answerBytes: 0 }]);
  expect(entries[0]?.request.toString()).toBe('prompt');
});

test('what was answered without a provider is kept, and the client is told so', () => {
  const { kept, entries, headers } = call();
  kept.routed('m', Buffer.from('prompt'));
  kept.whole(200, {}, Buffer.from('answer'));
  kept.keep();
  expect(headers).toEqual([{ 'x-openclawmu-prompt-log': 'kept' }]);
  expect(entries).toMatchObject([{ status: 200, isWhole: true, answerBytes: 6 }]);
});

test('what is too long is cut, without holding on to the rest, and says so', () => {
  const { kept, entries } = call();
  const body = Buffer.alloc(100, 'a');
  kept.routed('m', body);
  kept.start(200, {});
  kept.write(Buffer.alloc(8), () => undefined);
  kept.write(Buffer.alloc(8), () => undefined);
  kept.keep();
  expect(entries).toMatchObject([{ isWhole: false, requestBytes: 100, answerBytes: 16 }]);
  expect([entries[0]?.request.length, entries[0]?.answer.length]).toEqual([MOST, 0]);
  expect(entries[0]?.request.buffer).not.toBe(body.buffer);
});

test('it is kept once, before its client has the end of the answer', () => {
  for (const end of ['whole', 'end', 'cut'] as const) {
    const { kept, entries, order } = call();
    kept.routed('m', Buffer.from('prompt'));
    kept.admitted();
    if (end === 'whole') kept.whole(200, {}, Buffer.from('answer'));
    else {
      kept.start(200, {});
      kept.write(Buffer.from('answer'), () => undefined);
      if (end === 'end') kept.end();
      else kept.cut(new CodedError('provider_error'));
    }
    kept.keep();
    expect(order.filter((what) => what !== 'write')).toEqual(['kept 1', end]);
    expect(entries[0]?.answer.toString()).toBe('answer');
  }
});

test('it is noted before it is sent, as one of which not all is known', () => {
  const { kept, noted, entries } = call();
  kept.routed('m', Buffer.from('prompt'));
  expect(noted).toEqual([]);
  kept.admitted();
  expect(noted).toMatchObject([{ requestId: 'req_1', status: 0, isWhole: false, request: Buffer.from('prompt') }]);
  expect(entries).toEqual([]);
});

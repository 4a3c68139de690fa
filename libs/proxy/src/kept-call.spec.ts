import type { Principal } from '@app/platform';
import type { PromptEntry, PromptLog } from '@app/prompts';
import type { AnswerSink } from './answer-sink';
import { KeptCall } from './kept-call';

const MOST = 10;
const principal = { id: 'tok_1', tenantId: 'finance' } as Principal;

/** A call, what of it is kept, and the headers its client gets. */
function call(): { kept: KeptCall; entries: PromptEntry[]; headers: Record<string, string>[] } {
  const [entries, headers]: [PromptEntry[], Record<string, string>[]] = [[], []];
  const log = { keep: (entry: PromptEntry) => entries.push(entry) } as unknown as PromptLog;
  const sink = {
    whole: (_: number, told: Record<string, string>) => headers.push(told),
    start: (_: number, told: Record<string, string>) => headers.push(told),
    write: () => true,
    end: () => undefined,
  } as unknown as AnswerSink;
  return { kept: new KeptCall(log, principal, { id: 'req_1', wire: 'chat' }, sink, MOST), entries, headers };
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

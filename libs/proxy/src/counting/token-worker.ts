import { parentPort } from 'node:worker_threads';
import type { Tokenizer } from '@app/billing';
import { countText } from './count-text';

/** What the thread is asked; the answer is the number of tokens. */
export interface CountJob {
  readonly tokenizer: Tokenizer;
  /** The request as JSON, without its media. */
  readonly body: Uint8Array;
}

interface Encoding {
  countTokens(text: string, options: { disallowedSpecial: Set<string> }): number;
}

/** Each takes 30 to 90 MB, so only the one that is needed is loaded, and not before. */
const LOAD: Readonly<Record<Tokenizer, () => Promise<Encoding>>> = {
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
};

/** A mark of the template's in a text is text like any other. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

/** A thread of its own: a large body must not keep the streams of others waiting. */
parentPort?.on('message', ({ tokenizer, body }: CountJob) => {
  void LOAD[tokenizer]().then((encoding) => {
    const request: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
    parentPort?.postMessage(countText(request, (text) => encoding.countTokens(text, AS_TEXT)));
  });
});

import { createHash, hkdfSync } from 'node:crypto';
import { headersToProvider } from '../headers';
import type { ModelRequest } from '../request/model-request';
import type { Candidate } from '../route/router';

/** All that decides what a request is answered with. */
export interface Question {
  readonly tenantId: string;
  readonly request: Pick<ModelRequest, 'wire' | 'path' | 'headers' | 'body'>;
  /** Any of them may answer, so that their order, which may be a matter of chance, says nothing. */
  readonly candidates: readonly Candidate[];
  /** Where a candidate's provider is asked, and how. */
  readonly doorOf: (provider: string) => string;
  /** Of the rate card: it decides what of a request passes, and the price of an answer. */
  readonly rateCard: number;
  /** Of the rules that are applied to requests and answers; empty where there are none. */
  readonly policyVersion: string;
}

/** Under which name an answer is kept, and by which key it is encrypted. Both follow from the question, neither from the other. */
export interface AnswerKey {
  /** 32 bytes. */
  readonly id: Buffer;
  /** Of AES-256. */
  readonly secret: Buffer;
}

/** They tell which program asks, and how often it has tried: the same question from another one, or again, has the same answer. */
const OF_THE_PROGRAM = /^(user-agent$|x-stainless-)/;

/** Two questions have the same key only if they agree in every byte of body, path and headers that pass, tenant, candidates and rules. */
export function answerKey(question: Question): AnswerKey {
  const { tenantId, request, candidates, doorOf, rateCard, policyVersion } = question;
  const headers = Object.entries(headersToProvider(request.headers, request.body.length))
    .filter(([name]) => !OF_THE_PROGRAM.test(name))
    .sort(byName);
  const ways = candidates.map((candidate) => JSON.stringify([candidate, doorOf(candidate.provider)])).sort();
  // Of texts in JSON no two are alike; the body comes last, so that it ends where all ends.
  const asked = JSON.stringify([tenantId, request.wire, request.path, headers, ways, rateCard, policyVersion]);
  const digest = createHash('sha256').update(asked).update('\n').update(request.body).digest();
  return { id: derived(digest, 'id'), secret: derived(digest, 'key') };
}

const derived = (digest: Buffer, what: string): Buffer =>
  Buffer.from(hkdfSync('sha256', digest, '', `openclawmu cached answer ${what}`, 32));

const byName = ([one]: readonly [string, string], [other]: readonly [string, string]): number =>
  one < other ? -1 : one > other ? 1 : 0;

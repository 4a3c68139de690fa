import { withoutAttribution } from './attribution';
import { readChatRequest } from './chat/read-request';
import { writeChatRequest } from './chat/write-request';
import type { Conversation, Dropped } from './conversation';
import { writeExact } from './exact-json';
import type { ClientFormat, ProviderFormat } from './format';
import { writeGeminiRequest } from './gemini/write-request';
import type { Json } from './json';
import { readMessagesRequest } from './messages/read-request';
import { writeMessagesRequest } from './messages/write-request';
import { bodyOf, notExpressible } from './refuse';
import type { Recall } from './reply';
import type { ReadRequest } from './request-reader';
import type { Target } from './request-writer';
import { readResponsesRequest } from './responses/read-request';
import { writeResponsesRequest } from './responses/write-request';
import { withNamesFor } from './tool-names';

export const REQUEST_READERS: Readonly<Record<ClientFormat, (body: Json, dropped: Dropped) => ReadRequest>> = {
  chat: readChatRequest,
  responses: readResponsesRequest,
  messages: readMessagesRequest,
};

const WRITERS: Readonly<
  Record<ProviderFormat, (request: Conversation, target: Target, dropped: Dropped) => Record<string, unknown>>
> = {
  chat: writeChatRequest,
  responses: writeResponsesRequest,
  messages: writeMessagesRequest,
  gemini: writeGeminiRequest,
};

export interface TranslationOptions extends Target {
  /** Whether every provider is told the limit, also where the request sets none. */
  readonly limitAlways: boolean;
  /** The model as the client called it, which its answer is to name. */
  readonly publicModel: string;
  /** Stands in for the answer's id where the provider gives none. */
  readonly requestId: string;
  readonly nowMs: number;
}

export interface TranslatedRequest {
  readonly body: Buffer;
  /** What the provider has no way to express, sorted, by names that fit a header. */
  readonly dropped: readonly string[];
  /** To be given to the translation of the answer. */
  readonly recall: Recall;
}

/**
 * Writes a client's request as the provider understands it.
 * @throws CodedError `not_expressible` for what would silently mean something else, `validation_failed` or
 * `body_malformed` for what makes no sense
 */
export function translateRequest(
  from: ClientFormat,
  to: ProviderFormat,
  body: Buffer,
  options: TranslationOptions,
): TranslatedRequest {
  const dropped: Dropped = new Set();
  const { conversation, recall } = REQUEST_READERS[from](bodyOf(body), dropped);
  mustBeThere(conversation);
  const turns = withoutAttribution(conversation.turns, dropped);
  const named = withNamesFor({ ...conversation, turns }, to);
  const written = WRITERS[to](limited(named.conversation, options), options, dropped);
  return {
    body: Buffer.from(writeExact(written), 'utf8'),
    dropped: namesOf(dropped),
    recall: {
      ...recall,
      clientNames: named.clientNames,
      model: options.publicModel,
      fallbackId: options.requestId,
      createdSeconds: Math.floor(options.nowMs / 1000),
    },
  };
}

/** A tool that has to be called may have been one that the other provider would have run. */
function mustBeThere({ tools, toolChoice }: Conversation): void {
  if (toolChoice === 'required' && tools.length === 0)
    throw notExpressible('a tool that must be called and is not there');
  if (typeof toolChoice === 'object' && !tools.some(({ name }) => name === toolChoice.name))
    throw notExpressible(`the tool "${toolChoice.name}"`);
}

const MOST_NAMES = 40;
const LONGEST_NAME = 80;

/** Some of them the client chose. */
function namesOf(dropped: Dropped): string[] {
  const names = [...dropped].map((name) => name.replace(/[^\w.-]/g, '?').slice(0, LONGEST_NAME)).sort();
  return names.length <= MOST_NAMES ? names : [...names.slice(0, MOST_NAMES), `${names.length - MOST_NAMES} more`];
}

/** Some servers take a limit of 0 for none, so it is taken for none here. */
function limited(conversation: Conversation, { outputLimit, limitAlways }: TranslationOptions): Conversation {
  const asked = conversation.outputLimit || undefined;
  const limit = asked === undefined ? (limitAlways ? outputLimit : undefined) : Math.min(asked, outputLimit);
  return { ...conversation, outputLimit: limit };
}

import { readChatReply } from './chat/read-reply';
import { writeChatReply } from './chat/write-reply';
import { writeExact } from './exact-json';
import type { ClientFormat, ProviderFormat } from './format';
import { readGeminiReply } from './gemini/read-reply';
import { parseRecord, type Json } from './json';
import { readMessagesReply } from './messages/read-reply';
import { writeMessagesReply } from './messages/write-reply';
import { unreadable } from './refuse';
import type { Recall, Reply } from './reply';
import { readResponsesReply } from './responses/read-reply';
import { writeResponsesReply } from './responses/write-reply';

export const REPLY_READERS: Readonly<Record<ProviderFormat, (body: Json) => Reply>> = {
  chat: readChatReply,
  responses: readResponsesReply,
  messages: readMessagesReply,
  gemini: readGeminiReply,
};

const WRITERS: Readonly<Record<ClientFormat, (reply: Reply, recall: Recall) => Record<string, unknown>>> = {
  chat: writeChatReply,
  responses: writeResponsesReply,
  messages: writeMessagesReply,
};

/** Writes a provider's whole answer as the client understands it. @throws CodedError `provider_error` if it is none */
export function translateAnswer(from: ProviderFormat, to: ClientFormat, body: Buffer, recall: Recall): Buffer {
  const told = parseRecord(body.toString('utf8'));
  if (!told) throw unreadable('is not a JSON object');
  return Buffer.from(writeExact(WRITERS[to](asKnown(REPLY_READERS[from](told), recall), recall)), 'utf8');
}

/** With the tools called as the client calls them. */
function asKnown(reply: Reply, { clientNames }: Recall): Reply {
  if (!clientNames?.size) return reply;
  const parts = reply.parts.map((part) =>
    part.kind === 'call' ? { ...part, name: clientNames.get(part.name) ?? part.name } : part,
  );
  return { ...reply, parts };
}

/** What is told of an entry without opening it. */
export interface PromptHead {
  /** `req_` and 32 hex digits. */
  readonly requestId: string;
  readonly tenantId: string;
  /** To the millisecond. */
  readonly at: Date;
  readonly tokenId: string;
  /** As the caller named it. */
  readonly model: string;
  /** `chat`, `responses`, `embeddings` or `messages`. */
  readonly api: string;
  /** What the client was answered with; 0 for nothing. */
  readonly status: number;
  /** Of what was sent and answered, kept or not. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** Whether all of both is kept. */
  readonly isWhole: boolean;
}

export interface PromptEntry extends PromptHead {
  readonly request: Buffer;
  readonly answer: Buffer;
}

/** All that stands beside the text, so that none of it can be exchanged unnoticed. */
export const contextOf = (keyId: string, head: PromptHead): string =>
  JSON.stringify([
    1,
    keyId,
    head.requestId,
    head.tenantId,
    head.at.toISOString(),
    head.tokenId,
    head.model,
    head.api,
    head.status,
    head.requestBytes,
    head.answerBytes,
    head.isWhole,
  ]);

const LENGTH_BYTES = 4;

/** Both texts in one, to be encrypted together. */
export function pack({ request, answer }: Pick<PromptEntry, 'request' | 'answer'>): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(request.length);
  return Buffer.concat([length, request, answer]);
}

export function unpack(packed: Buffer): Pick<PromptEntry, 'request' | 'answer'> {
  const end = LENGTH_BYTES + packed.readUInt32BE(0);
  return { request: packed.subarray(LENGTH_BYTES, end), answer: packed.subarray(end) };
}

import type { IncomingMessage } from 'node:http';
import { CodedError, invalidField } from '@app/platform';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** Deeper than anything of ours. Code that walks a body by recursion, as validators do, must not run out of stack. */
const MAX_DEPTH = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Reads a request's JSON object. A request without a body gives `undefined`.
 * @throws CodedError `media_type_unsupported`, `body_too_large`, `body_timeout`, `body_malformed`
 */
export async function readJsonBody(request: IncomingMessage, limits: BodyLimits): Promise<object | undefined> {
  const { headers } = request;
  const announced = headers['content-length'];
  if (announced === undefined && headers['transfer-encoding'] === undefined) return undefined;
  if (announced !== undefined && Number(announced) === 0) return undefined;
  refuseForeignMedia(headers['content-type'], headers['content-encoding']);
  if (announced !== undefined && Number(announced) > limits.maxBytes) throw tooLarge(limits.maxBytes);
  const bytes = await readBytes(request, limits);
  return bytes.length === 0 ? undefined : parseObject(bytes);
}

function refuseForeignMedia(contentType = '', contentEncoding = 'identity'): void {
  if (!/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType))
    throw new CodedError('media_type_unsupported');
  if (contentEncoding.toLowerCase() !== 'identity')
    throw new CodedError('media_type_unsupported', 'Compressed bodies are not supported here.');
}

function readBytes(request: IncomingMessage, { maxBytes, timeoutMs }: BodyLimits): Promise<Buffer> {
  if (request.destroyed) return Promise.reject(new CodedError('body_malformed', 'The body ended early.'));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (error: CodedError | null): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', whole).off('close', cut).off('error', cut);
      if (error === null) resolve(Buffer.concat(chunks, length));
      else {
        request.pause();
        reject(error);
      }
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) finish(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const whole = (): void => finish(null);
    const cut = (): void => finish(new CodedError('body_malformed', 'The body ended early.'));
    const timer = setTimeout(() => finish(new CodedError('body_timeout')), timeoutMs);
    request.on('data', take).on('end', whole).on('close', cut).on('error', cut);
  });
}

const tooLarge = (maxBytes: number): CodedError =>
  new CodedError('body_too_large', `A body of this route may have at most ${maxBytes} bytes.`, {
    details: { limitBytes: maxBytes },
  });

/** The parser's own message is not passed on: it quotes the body, which may hold a token. */
function parseObject(bytes: Buffer): object {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (depthOf(bytes) <= MAX_DEPTH) value = JSON.parse(text, refuseInherited);
    else throw new CodedError('body_malformed', `The body is nested more than ${MAX_DEPTH} levels deep.`);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('body_malformed', error instanceof TypeError ? 'The body is not valid UTF-8.' : undefined);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CodedError('body_malformed', 'The body is not a JSON object.');
  return value;
}

/** What turns bodies into DTOs drops these names without a word, and unknown fields are to be refused by name. */
function refuseInherited(field: string, value: unknown): unknown {
  if (field in Object.prototype || field === 'prototype') throw invalidField(field, 'is not a known field');
  return value;
}

/** How deep brackets are nested outside of strings. */
function depthOf(bytes: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (inText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    // "[" and "{" differ in one bit, and so do "]" and "}".
    else if ((byte | 0x20) === 0x7b) deepest = Math.max(deepest, ++depth);
    else if ((byte | 0x20) === 0x7d) depth--;
  }
  return deepest;
}

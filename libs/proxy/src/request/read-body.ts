import type { IncomingMessage } from 'node:http';
import { CodedError, type ErrorCode } from '@app/platform';

/**
 * Reads a request body as bytes, once the caller is known; at once where it came with its head, as most do.
 * @throws CodedError `body_too_large` before reading where the length is declared, `media_type_unsupported`,
 * `body_timeout`, `body_malformed` when the caller hangs up before its end
 */
export function readBody(request: IncomingMessage, limitBytes: number, timeoutMs: number): Buffer | Promise<Buffer> {
  const { 'content-length': declared, 'content-encoding': encoding, 'content-type': type } = request.headers;
  if (encoding !== undefined && encoding !== 'identity')
    return refused('media_type_unsupported', 'Compressed request bodies are not supported.');
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
    return refused('media_type_unsupported');
  if (declared !== undefined && Number(declared) > limitBytes) return refused('body_too_large', tooLarge(limitBytes));
  // Who hangs up while the key is looked up is not heard of again: what there was to hear is over.
  if (request.destroyed) return refused('body_malformed', ENDED_EARLY);
  if (!request.complete) return gather(request, limitBytes, timeoutMs);
  if (request.readableLength > limitBytes) return refused('body_too_large', tooLarge(limitBytes));
  return (request.read() as Buffer | null) ?? EMPTY;
}

const EMPTY = Buffer.alloc(0);

function gather(request: IncomingMessage, limitBytes: number, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => refuse(new CodedError('body_timeout')), timeoutMs);
    const refuse = (error: CodedError): void => {
      clearTimeout(timer);
      request.removeAllListeners('data').pause();
      reject(error);
    };
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) refuse(new CodedError('body_too_large', tooLarge(limitBytes)));
      else chunks.push(chunk);
    });
    request.on('end', () => {
      clearTimeout(timer);
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    });
    request.on('error', (error) => refuse(new CodedError('body_malformed', ENDED_EARLY, { cause: error })));
  });
}

const ENDED_EARLY = 'The body ended early.';
const tooLarge = (limitBytes: number): string => `The body is larger than ${limitBytes} bytes.`;
const refused = (code: ErrorCode, detail?: string): Promise<never> => Promise.reject(new CodedError(code, detail));

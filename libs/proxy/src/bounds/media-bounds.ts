import type { ModelEntry } from '@app/billing';
import type { MediaBlock } from '../request/request-facts';
import { KeySet } from '../scan/key-set';
import { kindAt, membersAt } from '../scan/request-scan';
import { audioSecondsMax } from './audio-length';
import { HEAD_BYTES, imageSize } from './image-size';

export interface MediaTokens {
  /** Of all media together, sound included. */
  readonly tokens: number;
  readonly audioTokens: number;
}

/** What a template may put around a picture or a recording, the name of its type and the like. */
const AROUND_A_BLOCK = 32;

/** Where the bytes of a block stand, in both dialects. */
const BLOCK_KEYS = new KeySet(['source', 'image_url', 'input_audio']);
const BYTES_KEYS = new KeySet(['data', 'url']);
const DATA_URL = /^data:[^,"]{0,200};base64,/;

/**
 * The most tokens that the media of a request can take. What is not bounded by the catalogue may fill the whole context
 * window: a document, whose pages cannot be counted from outside (Anthropic allows hundreds, each a picture and its text,
 * https://platform.claude.com/docs/en/build-with-claude/pdf-support), and whatever is of a kind not known here.
 */
export function mediaTokensMax(media: readonly MediaBlock[], body: Buffer, model: ModelEntry): MediaTokens {
  let tokens = 0;
  let audioTokens = 0;
  for (const block of media) {
    if (block.kind === 'image') tokens += imageTokensMax(block, body, model);
    else if (block.kind === 'audio') audioTokens += audioTokensMax(block, body, model);
    // Nobody knows how much of it is sound, which servers such as Google's bill as sound.
    else if (block.kind === 'video') audioTokens += model.contextTokens;
    else tokens += model.contextTokens;
    tokens += AROUND_A_BLOCK;
  }
  return { tokens: tokens + audioTokens, audioTokens };
}

/**
 * Providers scale a picture down until it costs no more than `imageTokens`, and bill smaller ones by the patch: Anthropic
 * (https://platform.claude.com/docs/en/build-with-claude/vision), OpenAI
 * (https://platform.openai.com/docs/guides/images-vision#calculating-costs). A picture behind a URL is as large as any.
 */
function imageTokensMax(block: MediaBlock, body: Buffer, { imageTokens, imagePatchPixels, contextTokens }: ModelEntry) {
  const most = imageTokens ?? contextTokens;
  const size = imagePatchPixels ? imageSize(headOf(block, body).head) : null;
  if (!imagePatchPixels || !size) return most;
  return Math.min(most, Math.ceil(size.width / imagePatchPixels) * Math.ceil(size.height / imagePatchPixels));
}

/** Sound is billed by its length: OpenAI takes a token for each 100 ms (https://platform.openai.com/docs/guides/realtime-costs). */
function audioTokensMax(block: MediaBlock, body: Buffer, { audioTokensPerSecond, contextTokens }: ModelEntry): number {
  if (!audioTokensPerSecond) return contextTokens;
  const { head, totalBytes } = headOf(block, body);
  const seconds = audioSecondsMax(head, totalBytes);
  return seconds === null ? contextTokens : Math.min(contextTokens, Math.ceil(seconds * audioTokensPerSecond));
}

interface Head {
  readonly head: Buffer;
  /** Of the whole file, as far as its bytes are in the request. */
  readonly totalBytes: number;
}

const NO_BYTES: Head = { head: Buffer.alloc(0), totalBytes: 0 };

/** The first bytes of the file that a block carries; none if it only names a place. */
function headOf(block: MediaBlock, body: Buffer): Head {
  const outer = membersAt(body, block.start, BLOCK_KEYS);
  if (!outer.ok) return NO_BYTES;
  const [holder] = outer.object.members;
  if (!holder) return NO_BYTES;
  const inner = kindAt(body, holder.valueStart) === 'object' ? membersAt(body, holder.valueStart, BYTES_KEYS) : null;
  if (inner && !inner.ok) return NO_BYTES;
  // In the input of a response the URL stands without an object around it.
  const data = inner ? (inner.object.members.get('data') ?? inner.object.members.get('url')) : holder;
  if (!data || kindAt(body, data.valueStart) !== 'string') return NO_BYTES;
  // Four characters of base64 are three bytes.
  const text = body.toString(
    'latin1',
    data.valueStart + 1,
    Math.min(data.valueEnd - 1, data.valueStart + HEAD_BYTES * 2),
  );
  const prefix = data.key !== 'data' ? DATA_URL.exec(text)?.[0] : '';
  if (prefix === undefined) return NO_BYTES;
  return {
    head: Buffer.from(text.slice(prefix.length), 'base64'),
    totalBytes: Math.ceil((data.valueEnd - data.valueStart) * 0.75),
  };
}

import { CodedError, type EncryptionKey, type PromptLogConfig } from '@app/platform';

export interface PromptKey {
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

const bytesOf = ({ id, key }: EncryptionKey): PromptKey => ({
  id,
  bytes: Buffer.from(key.reveal(), 'base64'),
});

/** What entries are encrypted with now; null where nothing is kept. */
export const closingKey = ({ enabled, keys }: PromptLogConfig): PromptKey | null =>
  enabled && keys[0] ? bytesOf(keys[0]) : null;

/** @throws CodedError `prompt_key_missing` */
export function openingKey({ keys }: PromptLogConfig, id: string): PromptKey {
  const found = keys.find((key) => key.id === id);
  if (!found) throw new CodedError('prompt_key_missing', `The entry was encrypted with the key "${id}".`);
  return bytesOf(found);
}

import type { EncryptionKey, GatewayConfig } from '@app/platform';
import { isMasked, type SignedThought } from './signed-thought';
import { sealThought } from './thought-seal';

/** Models think within a hundred thousand tokens; what is longer than this is left to be refused. In characters. */
const MOST_CHARACTERS = 1_048_576;

/** Null where no key is configured. */
export const sealerOf = ({ keys: [key] }: GatewayConfig['thoughts'], tenantId: string): ThoughtSealer | null =>
  key ? new ThoughtSealer(key, tenantId) : null;

/** Seals the thoughts of a tenant's answers that were masked. */
export class ThoughtSealer {
  constructor(
    private readonly key: EncryptionKey,
    private readonly tenantId: string,
  ) {}

  /** Answers that were kept may be sealed by another key, which may not be there any more. */
  get keyId(): string {
    return this.key.id;
  }

  /** What stands in the place of the signature: itself where nothing was masked. */
  signatureFor(family: string, { texts, signature }: SignedThought, told: readonly string[]): string {
    if (!isMasked({ texts, signature }, told)) return signature;
    if (texts.reduce((sum, text) => sum + text.length, signature.length) > MOST_CHARACTERS) return signature;
    return sealThought(this.key, this.tenantId, { family, texts, signature }, told);
  }
}

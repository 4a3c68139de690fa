import type { Scanner } from '@app/policy';
import type { SealSignature } from '../thoughts/signed-thought';
import type { Wire } from '../wire';

/** What an answer is looked through for, and as what. */
export interface Inspecting {
  readonly wire: Wire;
  readonly scanner: Scanner;
  /** Whether its text is JSON, because that was asked for. */
  readonly isJson: boolean;
  /** Keeps what a provider wants back of a thought that is masked; null where nothing does. */
  readonly seal: SealSignature | null;
}

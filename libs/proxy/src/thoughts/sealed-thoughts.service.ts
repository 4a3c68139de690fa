import { RefusedAttempts } from '@app/audit';
import { CodedError, Config, type Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { refusedCall } from '../policy/refused-call';
import type { Intake } from '../request/intake';
import type { ModelRequest } from '../request/model-request';
import { restoredRequest } from './restored-request';
import { sealedBlocks } from './sealed-blocks';
import { openThought, SEALED_THOUGHT } from './thought-seal';

/** Thoughts that were masked in answers, on their way back to whoever wrote them. Between the two the client has them, sealed. */
@Injectable()
export class SealedThoughts {
  constructor(
    private readonly config: Config,
    private readonly refused: RefusedAttempts,
  ) {}

  /**
   * The request as providers get it. What rules have looked at and masked, and what is kept and told of it, has no thought in it.
   * @param asked as it came
   * @throws CodedError `thought_altered`, `thought_foreign`; both are recorded
   */
  restored(principal: Principal, asked: ModelRequest, taken: Intake): Intake {
    const { keys } = this.config.current.thoughts;
    if (keys.length === 0 && !taken.policy?.looksAtAnswers) return taken;
    if (!asked.body.includes(SEALED_THOUGHT)) return taken;
    const thoughts = sealedBlocks(asked.wire, asked.body).map(({ where, told, sealed }) => {
      const opened = openThought(keys, principal.tenantId as string, sealed, told);
      if (opened.ok) return [sealed, opened.thought] as const;
      const error = new CodedError(opened.code, undefined, { details: { where } });
      this.refused.record(refusedCall(principal, asked, error));
      throw error;
    });
    return thoughts.length === 0 ? taken : restoredRequest(taken, new Map(thoughts));
  }
}

import type { Intake } from '../request/intake';
import { readRequest } from '../request/request-reader';
import type { Candidate } from '../route/router';
import { splice } from '../scan/request-edit';
import type { Wire } from '../wire';
import { sealedBlocks } from './sealed-blocks';
import { familyOf } from './thought-family';
import type { SealedThought } from './thought-seal';

/**
 * The request with the thoughts that whoever is asked first takes back; others stay as the client has them. Whoever else would
 * get to see a thought that was put back is not asked.
 * @param thoughts by their seals
 */
export function restoredRequest(taken: Intake, thoughts: ReadonlyMap<string, SealedThought>): Intake {
  const { request, facts, plan } = taken;
  const { wire } = facts;
  const first = plan.candidates.find((candidate) => getsThoughts(candidate, wire));
  const family = first && familyOf(first);
  const splices = sealedBlocks(wire, request.body).flatMap((block) => {
    const thought = thoughts.get(block.sealed);
    return thought?.family === family ? block.with(thought as SealedThought) : [];
  });
  if (splices.length === 0) return taken;
  const body = splice(request.body, splices);
  // There is one at least: the first.
  const candidates = plan.candidates.filter((one) => !getsThoughts(one, wire) || familyOf(one) === family);
  return {
    ...taken,
    request: { ...request, body },
    // What the call is booked under was read of the request as it came.
    facts: { ...readRequest(wire, body), endUser: facts.endUser },
    plan: { ...plan, candidates: candidates as [Candidate, ...Candidate[]] },
  };
}

/** A request that is translated for another API leaves Anthropic's thoughts behind. */
const getsThoughts = ({ wire }: Candidate, asked: Wire): boolean => wire === asked || wire === 'messages';

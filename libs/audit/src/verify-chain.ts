import type { KeyObject } from 'node:crypto';
import { ChainCheck, type Fault, type Witness } from './chain-check';
import { isGenuine, readCheckpoint } from './checkpoint';

type Lines = Iterable<string> | AsyncIterable<string>;

export interface VerifyOptions {
  /** Lines of `checkpoints.jsonl`. Without them a cut end and a chain rewritten as a whole cannot be noticed. */
  readonly checkpoints?: Lines | undefined;
  /** Without it checkpoints are compared, but anybody could have made them. */
  readonly publicKey?: KeyObject | undefined;
  /** Sequence number of the first line, when older files lie elsewhere. */
  readonly firstSeq?: number | undefined;
}

export interface Verdict {
  readonly ok: boolean;
  /** Good records, counted up to the first fault. */
  readonly records: number;
  readonly lastSeq: number;
  readonly lastHash: string;
  readonly checkpoints: number;
  readonly signatures: 'verified' | 'not checked';
  readonly fault: Fault | null;
}

/** Checks the lines of an audit log, streaming; needs neither the gateway nor its database. */
export async function verifyChain(lines: Lines, options: VerifyOptions = {}): Promise<Verdict> {
  const { publicKey, firstSeq } = options;
  const witnesses: Witness[] = [];
  let forged: Fault | null = null;
  let number = 0;
  for await (const line of options.checkpoints ?? []) {
    number++;
    const checkpoint = readCheckpoint(line);
    if (!checkpoint || (publicKey && !isGenuine(checkpoint, publicKey))) {
      forged ??= forgery(number, checkpoint?.seq ?? null);
      continue;
    }
    witnesses.push({ seq: checkpoint.seq, hash: checkpoint.hash, name: `the checkpoint of ${checkpoint.time}` });
  }

  const check = new ChainCheck({ firstSeq, witnesses });
  for await (const line of lines) check.accept(line);
  const fault = check.finish() ?? forged;
  return {
    ok: fault === null,
    records: check.records,
    lastSeq: check.last.seq,
    lastHash: check.last.hash,
    checkpoints: witnesses.length,
    signatures: publicKey && witnesses.length > 0 ? 'verified' : 'not checked',
    fault,
  };
}

const forgery = (line: number, seq: number | null): Fault => ({
  kind: 'forged',
  seq,
  message: `Checkpoint ${line}${seq === null ? '' : ` (record ${seq})`} was not signed with this key.`,
});

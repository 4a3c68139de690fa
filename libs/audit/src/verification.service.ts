import { Injectable } from '@nestjs/common';
import { Config, Database, type Principal } from '@app/platform';
import type { AuditVerificationView } from './audit.dto';
import { ChainCheck, type Fault, type Witness } from './chain-check';
import { isGenuine, keyIdOf, type Checkpoint } from './checkpoint';
import { CheckpointFile } from './checkpoint-file';
import { auditFolder } from './exporter.service';
import { readPublicKey } from './signing-key';
import { columnsAgree, readHead, readRows, readSigned } from './table.queries';

/**
 * Checks the audit table against its chain, against the head of the chain, and against the checkpoints that this data
 * directory's key signed: those in the table, and those in the file, which whoever alters the table does not reach.
 */
@Injectable()
export class AuditVerification {
  private underway: Promise<AuditVerificationView> | null = null;

  constructor(
    private readonly database: Database,
    private readonly config: Config,
  ) {}

  /** Reads the whole table; callers at the same time share one pass. */
  verify(principal: Principal): Promise<AuditVerificationView> {
    this.underway ??= this.check(principal).finally(() => (this.underway = null));
    return this.underway;
  }

  private async check(principal: Principal): Promise<AuditVerificationView> {
    // What vouches for records is read before them: records made meanwhile then need nobody to vouch for them.
    const { genuine, forged } = await this.checkpoints(principal);
    const head = await this.database.platform(principal, readHead);
    const check = new ChainCheck({ witnesses: [...genuine.map(asWitness), head] });
    const disagreeing = await this.checkRows(principal, check);
    const fault = check.finish() ?? disagreeing ?? forged;
    return {
      ok: fault === null,
      records: check.records,
      lastSeq: check.last.seq,
      lastHash: check.last.hash,
      checkpoints: genuine.length,
      fault,
    };
  }

  private async checkRows(principal: Principal, check: ChainCheck): Promise<Fault | null> {
    let fault: Fault | null = null;
    for (let after = BEFORE_ALL; ;) {
      const rows = await this.database.platform(principal, (tx) => readRows(tx, after));
      for (const row of rows) {
        check.accept(row.line);
        if (!columnsAgree(row)) fault ??= columnsEdited(Number(row.seq));
      }
      const last = rows.at(-1);
      if (!last) return fault;
      after = last.seq;
    }
  }

  private async checkpoints(principal: Principal): Promise<{ genuine: Checkpoint[]; forged: Fault | null }> {
    const { dataDir } = this.config.current;
    const publicKey = await readPublicKey(dataDir);
    if (!publicKey) return { genuine: [], forged: null };
    const stored = await this.database.platform(principal, (tx) => readSigned(tx, keyIdOf(publicKey)));
    const all = [...(await CheckpointFile.read(auditFolder(dataDir))), ...stored];
    const bad = all.find((checkpoint) => !isGenuine(checkpoint, publicKey));
    return { genuine: all.filter((checkpoint) => isGenuine(checkpoint, publicKey)), forged: bad ? forgery(bad) : null };
  }
}

/** The least number that the database knows: a row before the first record, which the list would show, is found as well. */
const BEFORE_ALL = -(2n ** 63n);

const asWitness = ({ seq, hash, time }: Checkpoint): Witness => ({ seq, hash, name: `the checkpoint of ${time}` });

const columnsEdited = (seq: number): Fault => ({
  kind: 'edited',
  seq,
  message: `Record ${seq} was edited: its columns do not say what its text says.`,
});

const forgery = ({ seq, time }: Checkpoint): Fault => ({
  kind: 'forged',
  seq,
  message: `The checkpoint of ${time} for record ${seq} was not signed with this gateway's key.`,
});

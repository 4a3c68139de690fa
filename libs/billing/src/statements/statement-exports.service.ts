import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import { Database, type Principal, type Tx } from '@app/platform';
import { insertExport, type StatementExport } from './statement-exports.queries';
import { lockStatements, selectStatement } from './statements.queries';

/** Which statements are in somebody's hands outside: only then may the rows they were made of leave the ledger. */
@Injectable()
export class StatementExports {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
  ) {}

  /** After the file has been sent to its last byte. */
  record(principal: Principal, id: string, file: StatementExport): Promise<void> {
    return this.database.platform(principal, (tx) => this.recordIn(tx, id, file));
  }

  /** The same inside a transaction. A repeat changes nothing. */
  async recordIn(tx: Tx, id: string, file: StatementExport): Promise<void> {
    await lockStatements(tx);
    if (!(await insertExport(tx, id, file))) return;
    const tenant = (await selectStatement(tx, id))?.tenant ?? null;
    await this.audit.record(tx, { action: 'statement.exported', tenant, target: { kind: 'statement', id } });
  }
}

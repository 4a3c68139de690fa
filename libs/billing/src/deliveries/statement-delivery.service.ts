import { Injectable } from '@nestjs/common';
import { Database, type DeliveryConfig } from '@app/platform';
import { readAs } from '../reports/reading';
import { StatementExports } from '../statements/statement-exports.service';
import { Statements } from '../statements/statements.service';
import { insertRevision, selectNewStatements, selectStatementsOf } from './delivered.queries';
import { DeliveryFault } from './delivery.errors';
import type { ClaimedRun } from './delivery-run';
import { manifestText } from './manifest-text';
import { partitionPath } from './partition-path';
import { writeAll } from './write-all';
import type { DeliveredRevision, Delivering } from './report-delivery.service';

/** Writes closed statements as files, with all that verifying them takes. */
@Injectable()
export class StatementDelivery {
  constructor(
    private readonly database: Database,
    private readonly statements: Statements,
    private readonly exports: StatementExports,
  ) {}

  /** Statements that were closed since the last that was delivered, or those of the month that a run is about. */
  async *deliver(delivery: DeliveryConfig, run: ClaimedRun, to: Delivering): AsyncGenerator<DeliveredRevision> {
    const { period, asOf } = run;
    const choice = { tenant: delivery.tenant ?? null, each: delivery.each };
    const ids = await readAs(
      this.database,
      to.principal,
    )((tx) =>
      period === null ? selectNewStatements(tx, delivery.name, choice, asOf) : selectStatementsOf(tx, period, choice),
    );
    if (period !== null && ids.length === 0) throw new DeliveryFault(`No statement of ${period} is closed.`);
    yield* writeAll(ids, (id) => this.write(delivery.name, id, to));
  }

  private async write(
    delivery: string,
    id: string,
    { principal, destination, signal, confirm }: Delivering,
  ): Promise<DeliveredRevision> {
    const statement = await this.statements.show(principal, id);
    const { schema, period, tenant, rows, sha256 } = statement;
    const { folder, csv, manifest } = partitionPath(schema, null, period, tenant);
    const beside = manifest.replace(/\.manifest\.json$/, '');
    const write = (name: string, chunks: AsyncIterable<string>): Promise<void> =>
      destination.write(`${folder}/${name}`, chunks, signal);

    await confirm();
    await write(csv, (await this.statements.bill(principal, id)).chunks);
    await write(`${beside}.digests.csv`, (await this.statements.digests(principal, id)).chunks);
    await write(`${beside}.rate-cards.json`, manifestText(await this.statements.rateCards(principal, id)));
    await write(manifest, manifestText(statement));
    const revision = { revision: 1, asOf: new Date(statement.asOf), rows, requests: statement.totals.requests, sha256 };
    await readAs(
      this.database,
      principal,
    )(async (tx) => {
      await insertRevision(tx, { delivery, schema, period, tenant }, revision);
      await this.exports.recordIn(tx, id, 'delivery');
    });
    return { rows, revision: 1 };
  }
}

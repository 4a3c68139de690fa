import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  CodedError,
  Config,
  Database,
  decodeCursor,
  LOG,
  pageOf,
  type Log,
  type Principal,
  type Tx,
} from '@app/platform';
import { selectBookedUpTo } from '../ledger/ledger.queries';
import { selectRateCardRows } from '../rates/rate-cards.queries';
import { periodOf } from '../reports/period';
import { readAs, readStart, type Read } from '../reports/reading';
import { sumsView } from '../reports/usage-record';
import { monthAfter, statementId, type StatementRow, type StatementScope } from './statement';
import type {
  CloseStatementDto,
  StatementCardText,
  StatementPage,
  StatementsQuery,
  StatementView,
} from './statement.dto';
import { StatementFiles } from './statement-files';
import { STATEMENT_SCHEMA } from './statement-line';
import {
  insertStatement,
  lockStatements,
  selectLastStatement,
  selectStatement,
  selectStatementPage,
} from './statements.queries';

/** A file of a statement about to be sent; whatever it sends in the end is what was closed, or it breaks off. */
export interface StatementFile {
  readonly filename: string;
  readonly chunks: AsyncGenerator<string>;
}

/**
 * Closed bills. A tenant's statements, and the gateway's, are chains of months without a gap: every row booked stands in
 * exactly one statement of each chain that had begun by then.
 */
@Injectable()
export class Statements {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /**
   * Closes a month. One that is closed already is answered as it is, and nothing changes.
   * @throws CodedError `validation_failed`, `tenant_not_found`, `period_not_over`, `statement_out_of_order`
   */
  async close(principal: Principal, dto: CloseStatementDto): Promise<StatementView> {
    const { period } = dto;
    const tenant = dto.tenant ?? null;
    const id = statementId(period, tenant);
    const read = readAs(this.database, principal);
    const { closed, last, currency, scope } = await read((tx) => this.prepare(tx, id, period, tenant));
    if (closed) return view(closed);

    // The long part holds no transaction open: what it reads can no longer change.
    const facts = await new StatementFiles(scope, read).facts();
    return this.database.platform(principal, async (tx) => {
      await lockStatements(tx);
      const other = await selectStatement(tx, id);
      if (other) return view(other);
      if ((await selectLastStatement(tx, tenant))?.id !== last?.id)
        throw new CodedError('statement_out_of_order', 'Another statement was closed at the same time. Try again.');
      const cards = await selectRateCardRows(tx, facts.rateCards);
      const rateCards = cards.map(({ version, hash }) => ({ version, sha256: hash }));
      const row = { ...scope, ...facts, id, month: period, schema: STATEMENT_SCHEMA, currency, rateCards };
      const statement = view(await insertStatement(tx, row));
      await this.audit.record(tx, {
        action: 'statement.closed',
        tenant,
        target: { kind: 'statement', id },
        after: statement,
      });
      return statement;
    });
  }

  async list(principal: Principal, { limit, cursor, tenant }: StatementsQuery): Promise<StatementPage> {
    const after = cursor === undefined ? null : cursorOf(cursor);
    const read = readAs(this.database, principal);
    const rows = await read((tx) => selectStatementPage(tx, tenant ?? null, after, limit + 1));
    const page = pageOf(rows, limit, ({ month, id }) => [month, id], view);
    return { items: [...page.items], nextCursor: page.nextCursor };
  }

  /** @throws CodedError `statement_not_found` */
  async show(principal: Principal, id: string): Promise<StatementView> {
    return view(await this.find(readAs(this.database, principal), id));
  }

  /** The bill as CSV, byte for byte as it was closed. @throws CodedError `statement_not_found`, `statement_altered` */
  async bill(principal: Principal, id: string): Promise<StatementFile> {
    const read = readAs(this.database, principal);
    const statement = await this.find(read, id);
    const chunks = new StatementFiles(statement, read, statement.schema).bill();
    return { filename: `statement-${id}.csv`, chunks: this.unaltered(statement, statement.sha256, chunks) };
  }

  /** The SHA-256 of each line of the bill. @throws CodedError `statement_not_found`, `statement_altered` */
  async digests(principal: Principal, id: string): Promise<StatementFile> {
    const read = readAs(this.database, principal);
    const statement = await this.find(read, id);
    const chunks = new StatementFiles(statement, read, statement.schema).digests();
    return {
      filename: `statement-${id}.digests.csv`,
      chunks: this.unaltered(statement, statement.digestsSha256, chunks),
    };
  }

  /** The rate cards its lines are priced by. @throws CodedError `statement_not_found` */
  async rateCards(principal: Principal, id: string): Promise<StatementCardText[]> {
    const read = readAs(this.database, principal);
    const { rateCards } = await this.find(read, id);
    const versions = rateCards.map(({ version }) => version);
    const rows = await read((tx) => selectRateCardRows(tx, versions));
    return rows.map(({ version, hash, document }) => ({ version, sha256: hash, document }));
  }

  private async prepare(tx: Tx, id: string, month: string, tenant: string | null) {
    const { now, currency } = await readStart(tx, tenant);
    const timeZone = this.config.current.timezone;
    const { from, to } = periodOf({ period: month }, timeZone, now);
    // In this order: whoever closes it in between is seen, and nobody is told that its own statement stands in its way.
    const last = await selectLastStatement(tx, tenant);
    const closed = await selectStatement(tx, id);
    if (!closed) {
      if (to > now) throw new CodedError('period_not_over', `${month} ends at ${to.toISOString()}.`);
      const next = last && monthAfter(last.month);
      if (next !== undefined && next !== month)
        throw new CodedError('statement_out_of_order', `The next month to close is ${next}.`);
    }
    const scope: StatementScope = {
      tenant,
      timeZone,
      // Not the month's own start: after a change of the time zone there would be a gap or an overlap.
      from: last?.to ?? from,
      to,
      asOf: closed ? closed.asOf : await selectBookedUpTo(tx),
      lateAfter: last?.asOf ?? null,
    };
    return { closed, last, currency, scope };
  }

  private async find(read: Read, id: string): Promise<StatementRow> {
    const statement = await read((tx) => selectStatement(tx, id));
    if (!statement) throw new CodedError('statement_not_found');
    return statement;
  }

  /** Passes the file on and breaks off at its end if it is not the one that was closed. */
  private async *unaltered(
    { id }: StatementRow,
    sha256: string,
    chunks: AsyncGenerator<string>,
  ): AsyncGenerator<string> {
    const hash = createHash('sha256');
    // One chunk behind, so that a file that turns out wrong is never sent whole.
    let held: string | undefined;
    for await (const chunk of chunks) {
      hash.update(chunk);
      if (held !== undefined) yield held;
      held = chunk;
    }
    const found = hash.digest('hex');
    if (found !== sha256) {
      this.log.error(
        { statement: id, closedWith: sha256, found },
        'a statement no longer has the bytes it was closed with',
      );
      throw new CodedError(
        'statement_altered',
        `Statement ${id} was closed with SHA-256 ${sha256} and now has ${found}.`,
      );
    }
    if (held !== undefined) yield held;
  }
}

function cursorOf(cursor: string): { month: string; id: string } {
  const [month = '', id = ''] = decodeCursor(cursor, 2);
  if (!/^\d{4}-\d{2}(-\d{2})?$/.test(month) || !/^[\w-]{1,64}$/.test(id)) throw new CodedError('cursor_invalid');
  return { month, id };
}

function view(row: StatementRow): StatementView {
  const { schema, id, month, tenant, timeZone, from, to, asOf, lateAfter, currency, sums, closedAt, closedBy } = row;
  const { rows, lateRows, bytes, sha256, digestsSha256, rateCards } = row;
  return {
    schema,
    id,
    period: month,
    tenant,
    timeZone,
    from: from.toISOString(),
    to: to.toISOString(),
    asOf: asOf.toISOString(),
    lateAfter: lateAfter?.toISOString() ?? null,
    currency,
    rows,
    lateRows,
    bytes,
    sha256,
    digestsSha256,
    rateCards: rateCards.map((card) => ({ ...card })),
    totals: sumsView(sums),
    closedAt: closedAt.toISOString(),
    closedBy,
  };
}

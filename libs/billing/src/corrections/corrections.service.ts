import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  CodedError,
  Database,
  formatNanos,
  invalidField,
  once,
  parseNanos,
  type Principal,
  type Tx,
} from '@app/platform';
import { Catalogue } from '../catalogue/catalogue.service';
import { knownCards } from '../catalogue/known-cards';
import type { ModelPrice } from '../pricing/model-price';
import { priceOf } from '../pricing/pricing';
import type { RateCard } from '../rates/rate-card';
import { NO_TOKENS } from '../pricing/token-counts';
import { ledgerId, requestId } from '../reports/usage-record';
import { CorrectionBooking, type Booked } from './booking.service';
import {
  difference,
  isNothing,
  nothing,
  restated,
  STATED,
  type BilledState,
  type Repriced,
  type StatedUsage,
} from './correction';
import type { CorrectionView, CorrectRowDto, ResolutionView, ResolveRowsDto } from './correction.dto';
import { correctionView } from './correction-view';
import { lockCorrections, selectBatch, selectCorrectable, type CorrectableRow } from './corrections.queries';
import { UNDECIDED } from './undecided';

const MOST_AT_ONCE = 500;

/** What people know better than the ledger: it is booked beside what was wrong, which stays as it is. */
@Injectable()
export class Corrections {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly catalogue: Catalogue,
    private readonly booking: CorrectionBooking,
  ) {}

  /**
   * Bills a call at what it really used. What is stated is compared with the row and all its corrections so far.
   * @throws CodedError `validation_failed`, `usage_not_found`, `row_is_correction`, `correction_empty`, `idempotency_conflict`,
   *   `ledger_month_archived`
   */
  async correct(principal: Principal, id: string, dto: CorrectRowDto, key?: string): Promise<CorrectionView> {
    const stated = statedUsage(dto);
    return this.database.platform(principal, (tx) =>
      once(tx, key, { correct: id, ...dto }, async () => {
        await lockCorrections(tx);
        const row = await this.find(tx, id);
        const after = restated(row, stated, await this.priceOf(tx, row));
        if (!after) throw unpriced(row);
        if (isNothing(difference(row, after))) throw new CodedError('correction_empty');
        const [booked] = await this.booking.book(tx, [{ row, after, reason: dto.reason }]);
        const correction = correctionView(booked as Booked, await this.currencyOf(tx, row));
        await this.audit.record(tx, {
          action: 'usage.corrected',
          tenant: row.tenantId,
          target: { kind: 'ledger_row', id: requestId(row.id) },
          before: correction.before,
          after: { ...correction.after, correction: correction.requestId, difference: correction.difference },
          reason: dto.reason,
        });
        return correction;
      }),
    );
  }

  /**
   * Decides about rows of one status that nobody has corrected, oldest first, a few hundred at once: billed as they are,
   * which is a correction of nothing, or not at all.
   * @throws CodedError `validation_failed`, `idempotency_conflict`
   */
  resolve(principal: Principal, dto: ResolveRowsDto, key?: string): Promise<ResolutionView> {
    const { status, tenant = null, reason } = dto;
    return this.database.platform(principal, (tx) =>
      once(tx, key, { resolve: 'ledger rows', ...dto }, async () => {
        await lockCorrections(tx);
        const batch = { from: EARLIEST, to: new Date(dto.before), after: null, limit: MOST_AT_ONCE + 1 };
        const found = await selectBatch(tx, batch, OPEN, [status, tenant]);
        const rows = found.slice(0, MOST_AT_ONCE);
        const booked = await this.booking.book(
          tx,
          rows.map((row) => ({ row, after: dto.as === 'zero' ? nothing(row) : confirmed(row), reason })),
        );
        const resolution = {
          rows: rows.length,
          more: found.length > rows.length,
          difference: formatNanos(booked.reduce((sum, each) => sum + each.difference.costNanos, 0n)),
          currency: rows[0] ? await this.currencyOf(tx, rows[0]) : null,
        };
        if (rows.length > 0)
          await this.audit.record(tx, {
            action: 'usage.corrected',
            tenant,
            target: { kind: 'ledger_rows', id: status },
            before: { from: rows[0]?.at, to: rows.at(-1)?.at, cost: costOf(rows) },
            after: { as: dto.as, ...resolution },
            reason,
          });
        return resolution;
      }),
    );
  }

  private async find(tx: Tx, id: string): Promise<CorrectableRow> {
    const hex = ledgerId(id);
    const row = hex === undefined ? undefined : await selectCorrectable(tx, hex);
    if (!row) throw new CodedError('usage_not_found');
    if (row.status === 'correction') throw new CodedError('row_is_correction');
    return row;
  }

  private async currencyOf(tx: Tx, row: CorrectableRow): Promise<string | null> {
    return (await this.cardOf(tx, row))?.currency ?? null;
  }

  private async priceOf(tx: Tx, row: CorrectableRow): Promise<ModelPrice | undefined> {
    const card = await this.cardOf(tx, row);
    return card && priceOf(card, row.model, row.tenantId);
  }

  private async cardOf(tx: Tx, { rateCard }: CorrectableRow): Promise<RateCard | undefined> {
    return (await knownCards(tx, this.catalogue, [rateCard])).get(rateCard);
  }
}

const EARLIEST = new Date(0);
const OPEN = `l.status = $5 AND ($6::text IS NULL OR l.tenant_id = $6) AND ${UNDECIDED}`;

/** As it is. What broke a rule when it was booked follows from no card, so that somebody takes it on himself. */
const confirmed = (row: CorrectableRow): Repriced => (row.status === 'quarantined' ? { ...row, formula: STATED } : row);

/** @throws CodedError `validation_failed` when nothing is stated */
function statedUsage({ tokens, webSearches, cost }: CorrectRowDto): StatedUsage {
  if (tokens === undefined && webSearches === undefined && cost === undefined)
    throw invalidField('tokens', 'must be given, or webSearches, or cost');
  return {
    counts: tokens && { ...NO_TOKENS, ...tokens },
    webSearches,
    costNanos: cost === undefined ? undefined : parseNanos(cost),
  };
}

const unpriced = ({ rateCard, model }: CorrectableRow): CodedError =>
  invalidField('cost', `must be given, because rate card ${rateCard} does not price ${model}`);

const costOf = (rows: readonly BilledState[]): string =>
  formatNanos(rows.reduce((sum, { costNanos }) => sum + costNanos, 0n));

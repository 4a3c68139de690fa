import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  Clock,
  CodedError,
  Database,
  decodeCursor,
  invalidField,
  invalidMembers,
  once,
  pageOf,
  type PageQuery,
  type Principal,
  type Tx,
} from '@app/platform';
import { CatalogueLoader } from '../catalogue/catalogue-loader.service';
import { insertCardCorrection } from '../corrections/card-corrections.queries';
import { refuseArchivedRows } from '../ledger/archives.queries';
import { readContent, type RateCardContent } from './rate-card';
import { diffCards } from './rate-card-diff';
import { IN_FORCE, type RateCardDiffQuery, type RateCardDiffView } from './rate-card-diff.dto';
import type {
  CardCorrectionDto,
  ImportedRateCard,
  ImportRateCardDto,
  RateCardDetail,
  RateCardPage,
  RateCardView,
} from './rate-card.dto';
import {
  insertRateCard,
  isUnused,
  lockRateCards,
  selectNextCardAt,
  selectRateCard,
  selectRateCardAt,
  selectRateCardPage,
  selectUnknownTenants,
  type RateCardRow,
} from './rate-cards.queries';
import { repeatedIn } from './repeated';

/** The versions of the price list. A card is never changed: a new price is a new version with the moment it takes effect. */
@Injectable()
export class RateCards {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly loader: CatalogueLoader,
  ) {}

  /**
   * Calls that come after it, to this process, are priced by it if it is in force.
   * @throws CodedError `validation_failed`, `rate_card_in_past`, `rate_card_conflict`, `ledger_month_archived`
   */
  async import(principal: Principal, dto: ImportRateCardDto, idempotencyKey?: string): Promise<ImportedRateCard> {
    const card = await this.database.platform(principal, (tx) =>
      once(tx, idempotencyKey, dto, async () => {
        const now = this.clock.now();
        const content = contentOf(dto, now);
        const row = await this.add(tx, content, now, correctionReason(dto));
        const unknownTenants = await selectUnknownTenants(tx, content);
        return { ...detail(row, now, await this.versionAt(tx, now)), unknownTenants };
      }),
    );
    await this.loader.catchUp();
    return card;
  }

  /**
   * Stores a card as the next version, with its audit record, inside the caller's transaction.
   * @param reason why it corrects what was billed; such a card takes effect in the past, and no other may
   */
  async add(tx: Tx, content: RateCardContent, now: Date, reason?: string): Promise<RateCardRow> {
    const row = await insertRateCard(tx, await this.admit(tx, content, now, reason), content, now);
    const { version, hash } = row;
    tx.announce('catalogue', `rate_card:${version}`);
    if (reason !== undefined) {
      await insertCardCorrection(tx, version, reason);
      tx.announce('card_correction', String(version));
    }
    await this.audit.record(tx, {
      action: 'rate_card.imported',
      tenant: null,
      target: { kind: 'rate_card', id: String(version) },
      after: {
        version,
        sha256: hash,
        effectiveAt: content.effectiveAt,
        currency: content.currency,
        models: content.prices.length,
        ...(reason !== undefined && { correction: true }),
      },
      reason,
    });
    return row;
  }

  /**
   * The version that a card would get. No other card comes in before the transaction ends.
   * @throws CodedError `validation_failed`, `rate_card_in_past`, `rate_card_conflict`: it does not fit in with the cards there are;
   *   `ledger_month_archived`: calls that it corrects are not in the ledger
   */
  async admit(tx: Tx, content: RateCardContent, now: Date, reason?: string): Promise<number> {
    const { effectiveAt, currency, exchange, markups = [] } = content;
    const isCorrection = reason !== undefined;
    if (exchange?.from === currency)
      throw invalidField(
        'exchange.from',
        `must not be ${currency}, which is what the card bills in; leave exchange out`,
      );
    const twice = repeatedIn('markups', markups);
    if (twice.length > 0) throw invalidMembers(twice);
    if (effectiveAt < now && !isCorrection) throw new CodedError('rate_card_in_past');
    if (effectiveAt >= now && isCorrection)
      throw invalidField(
        'effectiveAt',
        'must be in the past for a correction; later calls are billed by the card anyway',
      );
    const before = await lockRateCards(tx, effectiveAt);
    // A correction takes the place of the card that took effect at its moment.
    if (before.clash !== null && !isCorrection)
      throw new CodedError('rate_card_conflict', `Rate card ${before.clash} takes effect at that moment.`);
    // The shipped card is in dollars, and whoever bills in another currency has to be able to begin with it.
    const mayChoose = async (): Promise<boolean> =>
      effectiveAt.getTime() === now.getTime() && (await isUnused(tx, now));
    if (before.currency !== null && before.currency !== currency && !(await mayChoose()))
      throw invalidField(
        'currency',
        `must be ${before.currency} as on the cards before: one gateway bills in one currency, which is chosen before its ` +
          'first budget and its first call, by a card that holds at once',
      );
    if (isCorrection) {
      const to = await selectNextCardAt(tx, effectiveAt);
      // What is corrected are rows, and those of such a month would be passed over.
      await refuseArchivedRows(tx, { from: effectiveAt, to: to ?? now });
    }
    return before.last + 1;
  }

  async list(principal: Principal, { limit, cursor }: PageQuery): Promise<RateCardPage> {
    const before = cursor === undefined ? String(2 ** 31 - 1) : (decodeCursor(cursor, 1)[0] as string);
    if (!/^\d{1,10}$/.test(before) || Number(before) >= 2 ** 31) throw new CodedError('cursor_invalid');
    return this.database.platform(principal, async (tx) => {
      const now = this.clock.now();
      const current = await this.versionAt(tx, now);
      const rows = await selectRateCardPage(tx, Number(before), limit + 1);
      const page = pageOf(
        rows,
        limit,
        ({ version }) => [String(version)],
        (row) => view(row, now, current),
      );
      return { items: [...page.items], nextCursor: page.nextCursor };
    });
  }

  /** @throws CodedError `rate_card_not_found` */
  show(principal: Principal, version: string): Promise<RateCardDetail> {
    return this.find(principal, async (tx) =>
      /^\d{1,9}$/.test(version) ? selectRateCard(tx, Number(version)) : undefined,
    );
  }

  /** The card in force at an instant. @throws CodedError `rate_card_not_found` */
  inForce(principal: Principal, at: Date = this.clock.now()): Promise<RateCardDetail> {
    return this.find(principal, (tx) => selectRateCardAt(tx, at));
  }

  /** What changes between two cards. @throws CodedError `rate_card_not_found` */
  diff(principal: Principal, { from, to }: RateCardDiffQuery): Promise<RateCardDiffView> {
    return this.database.platform(principal, async (tx) => {
      const [before, after] = [await this.named(tx, from), await this.named(tx, to)];
      const diff = diffCards(contentIn(before), contentIn(after));
      return { from: before.version, to: after.version, ...diff } as RateCardDiffView;
    });
  }

  /** A card by its version, or the one `in-force`. */
  private async named(tx: Tx, name: string): Promise<RateCardRow> {
    const row = await (name === IN_FORCE ? selectRateCardAt(tx, this.clock.now()) : selectRateCard(tx, Number(name)));
    if (!row) throw new CodedError('rate_card_not_found', `There is no rate card ${name}.`);
    return row;
  }

  private find(principal: Principal, select: (tx: Tx) => Promise<RateCardRow | undefined>): Promise<RateCardDetail> {
    return this.database.platform(principal, async (tx) => {
      const row = await select(tx);
      if (!row) throw new CodedError('rate_card_not_found');
      const now = this.clock.now();
      return detail(row, now, await this.versionAt(tx, now));
    });
  }

  private async versionAt(tx: Tx, at: Date): Promise<number | undefined> {
    return (await selectRateCardAt(tx, at))?.version;
  }
}

/** Why a card corrects; undefined for one that does not. @throws CodedError `validation_failed` where only one of them is given */
export function correctionReason({ correction, reason }: CardCorrectionDto): string | undefined {
  if (correction && reason === undefined) throw invalidField('reason', 'must say why, for a correction');
  if (!correction && reason !== undefined) throw invalidField('reason', 'is only for a correction');
  return reason;
}

/** @throws CodedError `validation_failed` when a model is priced twice, or a tenant marked up twice */
function contentOf(dto: ImportRateCardDto, now: Date): RateCardContent {
  const { effectiveAt, currency, note, exchange, markups = [], prices } = dto;
  const twice = [...repeatedIn('markups', markups), ...repeatedIn('prices', prices)];
  if (twice.length > 0) throw invalidMembers(twice);
  const card = { effectiveAt: effectiveAt === undefined ? now : new Date(effectiveAt), currency, note: note ?? '' };
  return { ...card, exchange, markups: markups.length > 0 ? markups : undefined, prices };
}

const contentIn = ({ version, document, hash }: RateCardRow): RateCardContent => readContent(version, document, hash);

function detail(row: RateCardRow, now: Date, current: number | undefined): RateCardDetail {
  const { exchange, markups, prices } = readContent(row.version, row.document, row.hash);
  return {
    ...view(row, now, current),
    ...(exchange && { exchange }),
    ...(markups && { markups }),
    prices,
  } as RateCardDetail;
}

function view(row: RateCardRow, now: Date, current: number | undefined): RateCardView {
  const { version, effectiveAt, currency, document, hash, createdAt, createdBy } = row;
  const { note, prices } = readContent(version, document, hash);
  const state = version === current ? 'in_force' : effectiveAt > now ? 'scheduled' : 'past';
  return {
    version,
    state,
    effectiveAt: effectiveAt.toISOString(),
    currency,
    note,
    hash,
    models: prices.length,
    createdAt: createdAt.toISOString(),
    createdBy,
  };
}

import { Injectable } from '@nestjs/common';
import { Clock, CodedError, Database, invalidField, invalidFields, once, type Principal, type Tx } from '@app/platform';
import { CatalogueLoader } from '../catalogue/catalogue-loader.service';
import { selectModels, selectModelsInUse } from '../catalogue/models.queries';
import { CardCorrections } from '../corrections/card-corrections.service';
import { isPriced } from '../catalogue/priced';
import {
  canonicalCard,
  rateCard,
  readContent,
  type CardPrices,
  type RateCardContent,
  type StatedExchange,
  type StatedPrice,
} from '../rates/rate-card';
import { diffCards } from '../rates/rate-card-diff';
import { MAX_PRICES } from '../rates/rate-card.dto';
import { lockOutImports, selectNextCardAt, selectRateCardAt, selectUnknownTenants } from '../rates/rate-cards.queries';
import { correctionReason, RateCards } from '../rates/rate-cards.service';
import { readCsvRates } from './csv-rates';
import { DEFAULT_MODES, readLitellmRates } from './litellm-rates';
import { RateFileError, type RateFile, type RateFileFormat } from './rate-file';
import { MAX_FILE_BODY_BYTES, type CardChangeView, type ImportRateFileDto, type RateFileReport } from './rate-file.dto';
import { readYamlRates } from './yaml-rates';

/** Characters of a file. Reading holds up the calls of this process, and YAML takes ten times as long for its size as the others. */
const MAX_CHARACTERS: Readonly<Record<RateFileFormat, number>> = {
  yaml: 262_144,
  csv: 1_048_576,
  litellm: MAX_FILE_BODY_BYTES,
};

/** What was called within it is in use. */
const IN_USE_MS = 30 * 86_400_000;

/** No row is priced by it. */
const UNNUMBERED = 0;

/** The card that is in force when another takes effect. */
interface FormerCard extends RateCardContent {
  readonly version: number;
}

/** Price lists as people and the public keep them, made into rate cards. */
@Injectable()
export class RateFiles {
  constructor(
    private readonly database: Database,
    private readonly cards: RateCards,
    private readonly clock: Clock,
    private readonly loader: CatalogueLoader,
    private readonly corrections: CardCorrections,
  ) {}

  /**
   * Imports a file as the next card, or tells what that would change. Calls that come after it, to this process, are priced
   * by it if it is in force.
   * @throws CodedError `validation_failed` (with the file's line and column), `rate_card_in_past`, `rate_card_conflict`,
   *   `ledger_month_archived`
   */
  async import(principal: Principal, dto: ImportRateFileDto, idempotencyKey?: string): Promise<RateFileReport> {
    const file = read(dto);
    if (dto.dryRun) return this.tryOut(principal, file, dto);
    const report = await this.database.platform(principal, (tx) =>
      once(tx, idempotencyKey, dto, async () => (await this.importInto(tx, file, dto)).report),
    );
    await this.loader.catchUp();
    return report;
  }

  private async tryOut(principal: Principal, file: RateFile, dto: ImportRateFileDto): Promise<RateFileReport> {
    const { report, content } = await this.database.platform(principal, (tx) => this.importInto(tx, file, dto));
    if (!dto.correction) return report;
    return { ...report, corrections: await this.corrections.preview(principal, rateCard(UNNUMBERED, '', content)) };
  }

  private async importInto(
    tx: Tx,
    file: RateFile,
    dto: ImportRateFileDto,
  ): Promise<{ readonly report: RateFileReport; readonly content: RateCardContent }> {
    const reason = correctionReason(dto);
    // Before the time is taken and the former card read: of two merges at once the later one must find the earlier one's prices.
    await lockOutImports(tx);
    const now = this.clock.now();
    const effectiveAt = dto.effectiveAt === undefined ? (file.effectiveAt ?? now) : new Date(dto.effectiveAt);
    // Refused first: there may be no card so early that it could be compared with.
    if (effectiveAt < now && reason === undefined) throw new CodedError('rate_card_in_past');
    const former = await formerCard(tx, effectiveAt);
    const content = contentOf(file, dto, effectiveAt, former);
    const version = dto.dryRun
      ? await this.cards.admit(tx, content, now, reason).then(() => null)
      : (await this.cards.add(tx, content, now, reason)).version;
    const endsAt = await selectNextCardAt(tx, effectiveAt);
    const isOver = endsAt !== null && endsAt <= now;
    const patterns = content.prices.map(({ model }) => model);
    const unpriced = (models: readonly string[]) => (isOver ? [] : models.filter((id) => !isPriced(id, patterns)));
    const report: RateFileReport = {
      version,
      effectiveAt: effectiveAt.toISOString(),
      endsAt: endsAt?.toISOString() ?? null,
      currency: content.currency,
      models: content.prices.length,
      diff: changesFrom(former, content),
      skipped: [...file.skipped],
      filtered: file.filtered,
      unpricedInUse: unpriced(await selectModelsInUse(tx, new Date(now.getTime() - IN_USE_MS))),
      unpriced: unpriced((await selectModels(tx)).map(({ id }) => id)),
      unknownTenants: await selectUnknownTenants(tx, content),
      corrections: null,
    };
    return { report, content };
  }
}

function read({ format, text, providers, modes }: ImportRateFileDto): RateFile {
  if (format !== 'litellm' && (providers ?? modes))
    throw invalidField(providers ? 'providers' : 'modes', 'filters entries of the format "litellm" only');
  if (text.length > MAX_CHARACTERS[format])
    throw invalidField('text', `has more than ${MAX_CHARACTERS[format]} characters, the most of a file in this format`);
  try {
    if (format === 'csv') return readCsvRates(text);
    if (format === 'yaml') return readYamlRates(text);
    return readLitellmRates(text, { providers: providers ?? [], modes: modes ?? DEFAULT_MODES });
  } catch (error) {
    if (!(error instanceof RateFileError)) throw error;
    throw invalidFields(
      error.faults.map(({ line, column, problem }) => {
        return { field: 'text', problem: `line ${line}, column ${column}: ${problem}`, line, column };
      }),
      error.uncounted,
    );
  }
}

async function formerCard(tx: Tx, at: Date): Promise<FormerCard | undefined> {
  const row = await selectRateCardAt(tx, at);
  return row && { version: row.version, ...readContent(row.version, row.document, row.hash) };
}

function contentOf(
  file: RateFile,
  dto: ImportRateFileDto,
  effectiveAt: Date,
  former: FormerCard | undefined,
): RateCardContent {
  const { note, merge } = dto;
  // What is kept of the card before is kept as it was billed.
  const kept: Partial<FormerCard> = merge && former ? former : {};
  const exchange = dto.exchange ?? file.exchange ?? kept.exchange;
  const markups = dto.markups ?? file.markups ?? kept.markups;
  const currency = currencyOf(file, dto, exchange, former);
  if (merge && former && (former.exchange?.from ?? former.currency) !== (exchange?.from ?? currency))
    throw invalidField('merge', `keeps prices that are stated in ${former.exchange?.from ?? former.currency}`);
  const prices = merge ? merged(file.prices, former?.prices ?? []) : file.prices;
  if (prices.length === 0)
    throw invalidField(
      'text',
      `holds no price to import: ${file.skipped.length} entries skipped, ${file.filtered} filtered`,
    );
  if (prices.length > MAX_PRICES)
    throw invalidField('text', `makes a card of ${prices.length} models, and a card has at most ${MAX_PRICES}`);
  return { effectiveAt, currency, note: note ?? file.note ?? '', exchange, markups, prices };
}

/** What the card bills in. A file tells that, or only what its prices are stated in. */
function currencyOf(
  { currency: inFile, pricesIn }: RateFile,
  { currency = inFile }: ImportRateFileDto,
  exchange: StatedExchange | undefined,
  former: FormerCard | undefined,
): string {
  if (inFile !== undefined && currency !== inFile)
    throw invalidField('currency', `must be ${inFile}, which is what the file's card bills in`);
  const stated = currency ?? (pricesIn !== undefined && !exchange ? pricesIn : former?.currency);
  if (stated === undefined) throw invalidField('currency', 'must be stated where no card was in force before');
  if (pricesIn !== undefined && (exchange?.from ?? stated) !== pricesIn)
    throw exchange
      ? invalidField('exchange.from', `must be ${pricesIn}, which is what the file's prices are in`)
      : invalidField('currency', `must be ${pricesIn}, which is what the file's prices are in; state an exchange rate`);
  return stated;
}

function merged(prices: readonly StatedPrice[], former: readonly StatedPrice[]): StatedPrice[] {
  const named = new Set(prices.map(({ model }) => model));
  return [...prices, ...former.filter(({ model }) => !named.has(model))];
}

/** In canonical form, as the cards themselves are shown. */
function changesFrom(former: FormerCard | undefined, content: CardPrices): CardChangeView {
  const diff = diffCards(former ?? { prices: [] }, canonicalCard(content));
  return { from: former?.version ?? null, ...diff } as CardChangeView;
}

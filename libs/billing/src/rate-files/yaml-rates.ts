import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { validationFaults } from '@app/platform';
import { ImportRateCardDto } from '../rates/rate-card.dto';
import { repeatedIn } from '../rates/repeated';
import { FileFaults, type Place, type RateFile } from './rate-file';

const START: Place = { line: 1, column: 1 };

/**
 * Reads a card from YAML, or from JSON, which is YAML too: the members of the API's card. Prices keep their digits, in
 * quotes or not: `0.10` means what it says, because it never becomes a float.
 * @throws RateFileError
 */
export function readYamlRates(text: string): RateFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = new FileFaults();
  for (const { message, pos } of document.errors) faults.add(message, () => placeOf(pos[0], lines));
  faults.refuse();
  keepDigits(document);
  const stated = toPlain(document, faults);
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated))
    faults.add('the file must state currency and prices', () => START);
  faults.refuse();
  const dto = plainToInstance(ImportRateCardDto, stated as object);
  const errors = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true });
  for (const { path, problem } of [
    ...validationFaults(errors),
    ...repeatedIn('markups', dto.markups),
    ...repeatedIn('prices', dto.prices),
  ])
    faults.add(`${path.join('.')}: ${problem}`, () => placeOf(offsetOf(path, document), lines));
  faults.refuse();
  const { effectiveAt, currency, note, exchange, markups, prices } = dto;
  return {
    effectiveAt: effectiveAt === undefined ? undefined : new Date(effectiveAt),
    currency,
    note,
    exchange,
    markups,
    prices,
    skipped: [],
    filtered: 0,
  };
}

function keepDigits(document: Document): void {
  visit(document, {
    Pair(_, { key, value }) {
      const isCount = isScalar(key) && key.value === 'aboveTokens';
      if (!isCount && isScalar(value) && typeof value.value === 'number' && value.source !== undefined)
        value.value = value.source;
    },
  });
}

/** The parser's limit on aliases keeps a small file from becoming a large one. */
function toPlain(document: Document, faults: FileFaults): unknown {
  try {
    return document.toJS();
  } catch (error) {
    faults.add((error as Error).message, () => START);
    throw faults.error;
  }
}

/** Where a member stands; where its nearest parent does, if it is missing. */
function offsetOf(path: readonly string[], document: Document): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return node.range[0];
  }
  return 0;
}

function placeOf(offset: number, lines: LineCounter): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { ImportRateCardDto } from '../rates/rate-card.dto';
import { validationProblem } from '../rates/validation-problem';
import { RateFileError, type RateFile } from './rate-file';

/**
 * Reads a card from YAML, or from JSON, which is YAML too: the members of the API's card. Prices keep their digits, in
 * quotes or not: `0.10` means what it says, because it never becomes a float.
 * @throws RateFileError
 */
export function readYamlRates(text: string): RateFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault) throw at(fault.message, fault.pos[0], lines);
  keepDigits(document);
  const stated: unknown = toPlain(document, lines);
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated))
    throw at('the file must state currency and prices', 0, lines);
  const dto = plainToInstance(ImportRateCardDto, stated);
  const [error] = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true });
  if (error) throw explained(error, document, lines);
  refuseRepeated(dto, document, lines);
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
function toPlain(document: Document, lines: LineCounter): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw at((error as Error).message, 0, lines);
  }
}

/** The first problem, with where it stands. */
function explained(error: ValidationError, document: Document, lines: LineCounter): RateFileError {
  const { path, problem } = validationProblem(error);
  return at(`${path.join('.')}: ${problem}`, offsetOf(path, document), lines);
}

function refuseRepeated({ prices }: ImportRateCardDto, document: Document, lines: LineCounter): void {
  const seen = new Set<string>();
  for (const [index, { model }] of prices.entries()) {
    const path = ['prices', String(index), 'model'];
    if (seen.has(model))
      throw at(`${path.join('.')}: prices "${model}" a second time`, offsetOf(path, document), lines);
    seen.add(model);
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

function at(problem: string, offset: number, lines: LineCounter): RateFileError {
  const { line, col } = lines.linePos(offset);
  return new RateFileError(problem, Math.max(1, line), Math.max(1, col));
}

/** Check digits that tell a number from a chance row of digits. Each takes what an expression found, blanks and all. */

const ZERO = 0x30;

/** Offsets at which what was found may end: behind a digit or letter that a blank, or nothing, follows. Longest first. */
function* ends(found: string): Generator<number> {
  yield found.length;
  for (let at = found.length - 1; at > 0; at--) if (/[ -]/.test(found[at] as string)) yield at;
}

const LUHN_DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];

/** ISO/IEC 7812-1, annex B. */
function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - ZERO;
    sum += i % 2 === 0 ? digit : (LUHN_DOUBLED[digit] as number);
  }
  return sum % 10 === 0;
}

/** Beginnings and lengths of the card networks (https://en.wikipedia.org/wiki/Payment_card_number). */
const NETWORKS: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(0[0-5]|[689])/, [14, 16, 17, 18, 19]],
  [/^(6011|64[4-9]|65|62|81|35(2[89]|[3-8]))/, [16, 17, 18, 19]],
  [/^(50|5[6-9]|6[0-9])/, [16, 18, 19]],
];

/** Length of the payment card number at the beginning of what was found. */
export function paymentCard(found: string): number {
  for (const end of ends(found)) {
    const digits = found.slice(0, end).replace(/[ -]/g, '');
    if (digits.length < 13 || digits.length > 19 || !luhn(digits)) continue;
    if (NETWORKS.some(([prefix, lengths]) => lengths.includes(digits.length) && prefix.test(digits))) return end;
  }
  return 0;
}

/** Characters of an IBAN by country: SWIFT's IBAN registry, release 99. */
const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** ISO 13616-1: the first four characters go to the end, letters become 10 to 35, and the rest by 97 is 1. */
export function iban(found: string): number {
  const length = IBAN_LENGTHS[found.slice(0, 2).toUpperCase()];
  if (length === undefined) return 0;
  let end = 0;
  let account = '';
  for (; end < found.length && account.length < length; end++)
    if (/[A-Za-z0-9]/.test(found[end] as string)) account += found[end];
  const isWhole = account.length === length && !/[A-Za-z0-9]/.test(found[end] ?? '');
  return isWhole && mod97(account.slice(4) + account.slice(0, 4)) === 1 ? end : 0;
}

function mod97(text: string): number {
  let rest = 0;
  for (const character of text) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/** E.164: 8 to 15 digits with the country's, of which none begins with 0. Fewer are no number to be called from abroad. */
export function phone(found: string): number {
  const digits = found.replace(/\D/g, '').length;
  return digits >= 8 && digits <= 15 ? found.length : 0;
}

/**
 * The German tax identification number: of the first ten digits exactly one comes twice or three times, and the last is a
 * check digit by ISO/IEC 7064, MOD 11,10 (Bundeszentralamt für Steuern, "Prüfziffernberechnung").
 */
export function germanTaxId(found: string): number {
  const digits = found.replace(/ /g, '');
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  if (repeated.length !== 1 || (repeated[0] as number) > 3) return 0;
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits[10]) ? found.length : 0;
}

/** France's number of social security: 97 less the rest by 97; Corsica's 2A and 2B count as 19 and 18 (INSEE). */
export function frenchSocialSecurity(found: string): number {
  const number = found.replace(/[ .-]/g, '');
  const body = BigInt(number.slice(0, 13).replace('2A', '19').replace('2B', '18'));
  return 97 - Number(body % 97n) === Number(number.slice(13)) ? found.length : 0;
}

const SPANISH_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** Spain's DNI and NIE: the letter is that of the number's rest by 23; X, Y and Z of an NIE count as 0, 1 and 2. */
export function spanishId(found: string): number {
  const id = found.toUpperCase().replace(/-/g, '');
  const number = Number(id.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter))));
  return SPANISH_LETTERS[number % 23] === id.at(-1) ? found.length : 0;
}

/** Values of the characters at odd places of an Italian fiscal code, 0 to 9 and A to Z (Decreto Ministeriale 23 dicembre 1976). */
const ITALIAN_ODD = [
  ...[1, 0, 5, 7, 9, 13, 15, 17, 19, 21],
  ...[1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23],
];

/** Italy's codice fiscale. Digits may have become letters, where two people would have the same. */
export function italianFiscalCode(found: string): number {
  const code = found.toUpperCase();
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const value = Number.parseInt(code[i] as string, 36);
    sum += i % 2 === 0 ? (ITALIAN_ODD[value] as number) : value > 9 ? value - 10 : value;
  }
  return code.charCodeAt(15) - 65 === sum % 26 ? found.length : 0;
}

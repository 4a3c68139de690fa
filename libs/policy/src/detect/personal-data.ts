import { frenchSocialSecurity, germanTaxId, iban, italianFiscalCode, paymentCard, phone, spanishId } from './checksums';
import type { Expression } from './expression-detector';

/** Neither in the middle of a number nor behind a decimal point. */
const NO_DIGIT_LEFT = '(?<![0-9]|[0-9]\\.)';
const NO_WORD_LEFT = '(?:(?<![A-Za-z0-9])|(?<=\\\\[bfnrt]|%[0-9A-Fa-f]{2}))';
const NO_WORD_RIGHT = '(?![A-Za-z0-9])';

/** Latin letters with accents are in names, and since RFC 6531 in addresses. */
const LOCAL = '[A-Za-z0-9._%+\\u00C0-\\u024F-]';
/** Quotes stand around addresses more often than in them. */
const LOCAL_INSIDE = "[A-Za-z0-9._%+'\\u00C0-\\u024F-]";
const LABEL = '[A-Za-z0-9\\u00C0-\\u024F](?:[A-Za-z0-9\\u00C0-\\u024F-]{0,62}[A-Za-z0-9\\u00C0-\\u024F])?';

/** What tells who somebody is, or where their money lies. Where a form has a check digit it must be right. */
export const PERSONAL_DATA: Readonly<Record<string, Expression>> = {
  // RFC 5321, section 4.5.3.1, for the lengths; RFC 1035 for the labels. Quoted local parts are not looked for.
  email: {
    label: 'email',
    hints: ['@'],
    source: `(?:(?<!${LOCAL})|(?<=\\\\[bfnrt]|%[0-9A-Fa-f]{2}))${LOCAL}${LOCAL_INSIDE}{0,63}@(?:${LABEL}\\.){1,8}[A-Za-z]{2,24}${NO_WORD_RIGHT}`,
  },
  // ITU-T E.164, written as E.123 has it: + and the country's number first. National numbers look like many other things.
  phone: {
    label: 'phone number',
    hints: ['+'],
    source: '(?<![0-9A-Za-z+])\\+ ?\\(?[1-9](?:[ ().\\/\\u00A0\\u202F\\u2011-]{0,3}[0-9]){7,14}(?![0-9])',
    accept: phone,
  },
  payment_card: {
    label: 'payment card',
    source: `${NO_DIGIT_LEFT}[2-68][0-9]{1,18}(?:[ -][0-9]{2,7}){0,5}(?![0-9])`,
    accept: paymentCard,
  },
  iban: {
    label: 'IBAN',
    beginning: /[A-Z]{2}[0-9]{2}/,
    source: `${NO_WORD_LEFT}[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}`,
    accept: iban,
  },
  // https://www.ssa.gov/employer/randomization.html: no area 000, 666 or 9xx, no group 00, no serial 0000.
  us_ssn: {
    label: 'US social security number',
    source: `(?<![0-9-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9-])`,
  },
  // https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
  uk_nino: {
    label: 'UK National Insurance number',
    beginning: /[A-Z]{2} ?[0-9]{2} ?[0-9]/,
    source: `${NO_WORD_LEFT}(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]${NO_WORD_RIGHT}`,
  },
  // https://www.insee.fr/fr/metadonnees/definition/c1409, with its key
  fr_social_security: {
    label: 'French social security number',
    source: `${NO_DIGIT_LEFT}[12][ .-]?[0-9]{2}[ .-]?(?:0[1-9]|1[0-2]|[2-9][0-9])[ .-]?(?:[0-9]{2}|2[AB])[ .-]?[0-9]{3}[ .-]?[0-9]{3}[ .-]?[0-9]{2}(?![0-9])`,
    accept: frenchSocialSecurity,
  },
  // https://www.bzst.de/DE/Privatpersonen/SteuerlicheIdentifikationsnummer; never begins with 0
  de_tax_id: {
    label: 'German tax id',
    source: `${NO_DIGIT_LEFT}[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}(?![0-9])`,
    accept: germanTaxId,
  },
  // Real Decreto 1553/2005 and Real Decreto 557/2011
  es_id: {
    label: 'Spanish id',
    beginning: /[0-9XYZ]-?[0-9]{7}/,
    source: `${NO_WORD_LEFT}(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-HJ-NP-TV-Z]${NO_WORD_RIGHT}`,
    accept: spanishId,
  },
  it_fiscal_code: {
    label: 'Italian fiscal code',
    beginning: /[A-Z]{6}[0-9LMNP-V]{2}/,
    source: `${NO_WORD_LEFT}[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]${NO_WORD_RIGHT}`,
    accept: italianFiscalCode,
  },
};

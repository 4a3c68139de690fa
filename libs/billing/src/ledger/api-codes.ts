/** The model APIs that calls are made by, each with the one byte that stands for it in the ledger, where there are millions of rows. */
const API_CODES = { chat: 'c', responses: 'r', messages: 'm', embeddings: 'e' } as const;

export type LedgerApi = keyof typeof API_CODES;

export const isLedgerApi = (api: string): api is LedgerApi => Object.hasOwn(API_CODES, api);

const PAIRS = Object.entries(API_CODES);

/** SQL of the byte of an API; of any other text it is null. */
export const apiCode = (api: string): string =>
  `CASE ${api} ${PAIRS.map(([name, code]) => `WHEN '${name}' THEN '${code}'::"char"`).join(' ')} END`;

/** SQL of the API that a byte stands for. */
export const apiOf = (code: string): string =>
  `CASE ${code} ${PAIRS.map(([name, byte]) => `WHEN '${byte}' THEN '${name}'`).join(' ')} END`;

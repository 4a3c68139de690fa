import { CodedError } from '@app/platform';
import { presentedKey } from './credentials';

const codeOf = (headers: Record<string, string>): string => {
  try {
    return `key ${presentedKey(headers)}`;
  } catch (error) {
    return error instanceof CodedError ? error.code : 'crash';
  }
};

test.each([
  [{ authorization: 'Bearer tk_1' }, 'key tk_1'],
  [{ authorization: 'bearer tk_1' }, 'key tk_1'],
  [{ authorization: 'BEARER   tk_1 ' }, 'key tk_1'],
  [{ 'x-api-key': 'tk_1' }, 'key tk_1'],
  [{ authorization: 'Bearer tk_1', 'x-api-key': 'tk_1' }, 'key tk_1'],
  [{ authorization: '', 'x-api-key': 'tk_1' }, 'key tk_1'],
  [{ authorization: 'Bearer tk_1', 'x-api-key': '' }, 'key tk_1'],
  [{}, 'credentials_missing'],
  [{ authorization: '', 'x-api-key': '' }, 'credentials_missing'],
  [{ authorization: 'Bearer tk_1', 'x-api-key': 'tk_2' }, 'credentials_invalid'],
  [{ authorization: 'Basic dGtfMQ==' }, 'credentials_invalid'],
  [{ authorization: 'Basic dGtfMQ==', 'x-api-key': 'tk_1' }, 'credentials_invalid'],
  [{ authorization: 'Bearer' }, 'credentials_invalid'],
  [{ authorization: 'Bearer ' }, 'credentials_invalid'],
  [{ authorization: 'Bearer tk_1 tk_2' }, 'credentials_invalid'],
  [{ authorization: 'tk_1' }, 'credentials_invalid'],
  [{ authorization: 'Bearer tk_1, Bearer tk_1' }, 'key tk_1'],
  [{ authorization: 'Bearer tk_1, bearer  tk_2' }, 'credentials_invalid'],
  [{ authorization: 'Bearer tk_1, Basic dGtfMQ==' }, 'credentials_invalid'],
  [{ authorization: 'Bearer tk_1, Bearer tk_1', 'x-api-key': 'tk_2' }, 'credentials_invalid'],
])('%j gives %s', (headers, outcome) => {
  expect(codeOf(headers)).toBe(outcome);
});
